import { playerWords } from '../../words/player.ts';
import { hint } from './Controls.tsx';
import { SpeakerIcon } from './icons.tsx';
import type { SoundControl } from './useSound.ts';

/** The button for sound, and how loud it is; nothing where there is none. */
export function Sound({ control, keyed }: { control: SoundControl; keyed: boolean }) {
  const { available, active, toggle, volume, setVolume } = control;
  if (!available) return null;
  const { sound } = playerWords();
  return (
    <div className="player-sound">
      <button
        type="button"
        className="player-switch"
        aria-label={sound.name}
        aria-pressed={active}
        {...hint(active ? sound.mute : sound.unmute, 'M', keyed)}
        onClick={toggle}
      >
        <SpeakerIcon loudness={volume} />
      </button>
      <input
        type="range"
        className="player-volume"
        aria-label={sound.volume}
        min={0}
        max={100}
        step={5}
        value={Math.round(volume * 100)}
        onChange={({ currentTarget }) => setVolume(Number(currentTarget.value) / 100)}
      />
    </div>
  );
}

/** Where the browser plays sound only after a touch or a click. The button in the bar does the same. */
export function TapForSound({ onTap }: { onTap: () => void }) {
  return (
    <button type="button" className="button button-primary player-tap-sound" onClick={onTap}>
      <SpeakerIcon loudness={1} />
      {playerWords().sound.tap}
    </button>
  );
}
