import { useState } from 'react';
import { sharingWords } from '../../words/index.ts';

export interface InsideNoticeProps {
  /** Has a window take over, and says whether one opens; null: there is no page for such a window. */
  onMove: (() => boolean) | null;
}

/** Says what it means that the panel itself captures, and offers the way out of that where there is one. */
export function InsideNotice({ onMove }: InsideNoticeProps) {
  const [blocked, setBlocked] = useState(false);
  const words = sharingWords();
  return (
    <div className="notice inside-notice" role="status">
      <p>
        <strong>{onMove === null ? words.insideAlone : words.insideTitle}.</strong>{' '}
        {words.insideDetail}
      </p>
      {onMove !== null && (
        <button type="button" className="button" onClick={() => setBlocked(!onMove())}>
          {words.moveOut}
        </button>
      )}
      {blocked && <p className="problem">{words.moveBlocked}</p>}
    </div>
  );
}
