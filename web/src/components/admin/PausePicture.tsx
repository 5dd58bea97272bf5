import { useEffect } from 'react';

export interface PausePictureProps {
  paused: boolean;
  onPause: (paused: boolean) => void;
}

/** Takes the picture back from every viewer at once, by a press or by Alt+P, and shows it again. */
export function PausePicture({ paused, onPause }: PausePictureProps) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      // By its place on the keyboard: with Alt the letter may be another one.
      if (event.code !== 'KeyP' || !event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (!event.repeat) onPause(!paused);
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [paused, onPause]);
  return (
    <button
      type="button"
      className={paused ? 'button button-primary' : 'button'}
      aria-keyshortcuts="Alt+P"
      title="Alt+P"
      onClick={() => onPause(!paused)}
    >
      {paused ? 'Show the picture again' : 'Pause the picture'}
    </button>
  );
}
