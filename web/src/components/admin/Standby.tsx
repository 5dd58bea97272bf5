import { sharingWords } from '../../words/index.ts';
import { useAltKey } from './useAltKey.ts';

export interface StandbyProps {
  onLive: () => void;
  onStop: () => void;
}

/** Says that nobody sees the picture yet for as long as that is so; a press or Alt+L ends it. */
export function Standby({ onLive, onStop }: StandbyProps) {
  const words = sharingWords();
  useAltKey('KeyL', onLive);
  return (
    <div className="standby-bar">
      <p>
        <strong>{words.standbyTitle}.</strong> <span className="soft">{words.standbyDetail}</span>
      </p>
      <div className="standby-actions">
        <button
          type="button"
          className="button button-primary"
          aria-keyshortcuts="Alt+L"
          title="Alt+L"
          onClick={onLive}
        >
          {words.goLive}
        </button>
        <button type="button" className="button" onClick={onStop}>
          {words.discard}
        </button>
      </div>
    </div>
  );
}
