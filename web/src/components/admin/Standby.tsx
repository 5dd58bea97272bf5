import { sharingWords } from '../../words/index.ts';
import { GoLive } from './GoLive.tsx';

export interface StandbyProps {
  onLive: () => void;
  onStop: () => void;
}

/** Says that nobody sees the picture yet for as long as that is so; going live ends it. */
export function Standby({ onLive, onStop }: StandbyProps) {
  const words = sharingWords();
  return (
    <div className="standby-bar">
      <p>
        <strong>{words.standbyTitle}.</strong> <span className="soft">{words.standbyDetail}</span>
      </p>
      <div className="standby-actions">
        <GoLive onLive={onLive} />
        <button type="button" className="button" onClick={onStop}>
          {words.discard}
        </button>
      </div>
    </div>
  );
}
