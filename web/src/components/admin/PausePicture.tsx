import { hostWords } from '../../words/host.ts';
import { useAltKey } from './useAltKey.ts';

export interface PausePictureProps {
  paused: boolean;
  onPause: (paused: boolean) => void;
}

/** Takes the picture back from every viewer at once, by a press or by Alt+P, and shows it again. */
export function PausePicture({ paused, onPause }: PausePictureProps) {
  const words = hostWords().panel;
  const press = () => onPause(!paused);
  useAltKey('KeyP', press);
  return (
    <button
      type="button"
      className={paused ? 'button button-primary' : 'button'}
      aria-keyshortcuts="Alt+P"
      title="Alt+P"
      onClick={press}
    >
      {paused ? words.show : words.pause}
    </button>
  );
}
