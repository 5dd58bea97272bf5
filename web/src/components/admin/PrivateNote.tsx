import type { LinkKey } from '@steadycast/codec-glue';
import { linkWords } from '../../words/index.ts';
import { useComparisonCode } from './useComparisonCode.ts';

/** Says of a private broadcast that it is one, and by which code to tell that a link was not changed. */
export function PrivateNote({ linkKey, isOld }: { linkKey: LinkKey | null; isOld: boolean }) {
  const code = useComparisonCode(linkKey);
  const words = linkWords();
  if (linkKey === null || isOld) {
    return (
      <p className="notice" role="status">
        {isOld ? words.keyOld : words.keyMissing}
      </p>
    );
  }
  return (
    <div className="private-note">
      <p className="private-note-title">{words.private}</p>
      <p className="faint">
        {words.compare} <span className="private-note-code numeric">{code}</span>
      </p>
    </div>
  );
}
