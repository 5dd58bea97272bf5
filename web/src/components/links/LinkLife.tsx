import { lifeOf } from '../../links/life.ts';
import { linkWords } from '../../words/index.ts';
import { moment } from '../../words/when.ts';
import { useNow } from '../admin/useNow.ts';

/** Until when a link opens its page, and what becomes of those who are inside then. */
export function LinkLife({ link }: { link: string }) {
  const nowMs = useNow();
  const life = lifeOf(link);
  if (life === null) return null;
  const words = linkWords();
  const when = moment(life.endsMs, nowMs);
  if (life.endsMs <= nowMs) return <p className="problem">{words.over(when)}</p>;
  return (
    <p className="faint">{life.endsAccess ? words.accessEnds(when) : words.opensUntil(when)}</p>
  );
}
