import { useState } from 'react';
import { sharingWords } from '../../words/index.ts';

/** Says what it means that the panel itself captures, and offers the way out of that. */
export function InsideNotice({ onMove }: { onMove: () => boolean }) {
  const [blocked, setBlocked] = useState(false);
  const words = sharingWords();
  return (
    <div className="notice inside-notice" role="status">
      <p>
        <strong>{words.insideTitle}.</strong> {words.insideDetail}
      </p>
      <button type="button" className="button" onClick={() => setBlocked(!onMove())}>
        {words.moveOut}
      </button>
      {blocked && <p className="problem">{words.moveBlocked}</p>}
    </div>
  );
}
