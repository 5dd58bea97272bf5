import { linkWords } from '../../words/index.ts';
import { AskFirst } from './AskFirst.tsx';

/** Ends the broadcast for everyone, after a second thought. */
export function EndBroadcast({ onEnd }: { onEnd: () => Promise<void> }) {
  const words = linkWords();
  return (
    <AskFirst
      className="end-broadcast"
      name={words.endAsk}
      question={words.endWhat}
      act={words.endNow}
      onAct={onEnd}
    >
      {words.end}
    </AskFirst>
  );
}
