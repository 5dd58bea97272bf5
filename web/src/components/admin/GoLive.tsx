import { sharingWords } from '../../words/index.ts';
import { useAltKey } from './useAltKey.ts';

/** Shows viewers what was for the admin alone so far, by a press or by Alt+L. */
export function GoLive({ onLive }: { onLive: () => void }) {
  useAltKey('KeyL', onLive);
  return (
    <button
      type="button"
      className="button button-primary"
      aria-keyshortcuts="Alt+L"
      title="Alt+L"
      onClick={onLive}
    >
      {sharingWords().goLive}
    </button>
  );
}
