import type { TroubledViewer, ViewersFacts } from '../../../services/viewers.ts';
import { viewersWords } from '../../../words/index.ts';
import { duration } from '../time.ts';
import { nameOf, whyOf } from './why.ts';

/** Those who have less of the picture, with why. */
export function Slow({ facts }: { facts: ViewersFacts }) {
  const { troubled, count, byState } = facts;
  if (troubled.length === 0) return null;
  const words = viewersWords().slow;
  const more = count - byState.live - troubled.length;
  return (
    <div className="viewers-slow">
      <h3>{words.title}</h3>
      <ul>
        {troubled.map((viewer) => (
          <Line key={viewer.session} viewer={viewer} />
        ))}
      </ul>
      {more > 0 && <p className="faint">{words.more(more)}</p>}
    </div>
  );
}

function Line({ viewer }: { viewer: TroubledViewer }) {
  const { slow, transports } = viewersWords();
  return (
    <li data-state={viewer.state}>
      <span className="viewer-name">{nameOf(viewer)}</span>
      <span className="viewer-since faint numeric">
        {transports[viewer.transport]} ·{' '}
        {slow.since(duration(Date.now() - viewer.stateSinceUs / 1_000))}
      </span>
      <span className="viewer-why">{whyOf(viewer)}</span>
    </li>
  );
}
