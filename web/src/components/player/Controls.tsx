import type { ReactNode } from 'react';
import { decimal } from '../../words/numbers.ts';
import { playerWords } from '../../words/player.ts';
import {
  DetailsIcon,
  FitIcon,
  FullscreenIcon,
  LockIcon,
  PictureInPictureIcon,
  SaveIcon,
} from './icons.tsx';
import { type PlayoutControl, PlayoutMenu } from './PlayoutMenu.tsx';
import { Sound } from './Sound.tsx';
import type { SoundControl } from './useSound.ts';

/** One of the player's switches. */
export interface Control {
  active: boolean;
  toggle: () => void;
  available: boolean;
  /** Whether a key that is held down goes on. */
  repeats?: boolean;
  /** Whether it opens a dialog, which its key closes as well. */
  modal?: boolean;
}

export interface ControlsProps {
  badge: ReactNode;
  latencyMs: number | null;
  /** Whether only people with the link can see the picture; the details say more. */
  encrypted: boolean;
  /** 1: as large as it is by itself. */
  zoom: number;
  whole: Control;
  sound: SoundControl;
  save: Control;
  fill: Control;
  playout: PlayoutControl;
  details: Control;
  pictureInPicture: Control;
  fullscreen: Control;
  /** Whether keys are to be told of: they work everywhere on the page. */
  keyed: boolean;
}

/** The bar under the picture. */
export function Controls(props: ControlsProps) {
  const { badge, latencyMs, encrypted, zoom, whole, sound, save, keyed } = props;
  const { fill, playout, details, pictureInPicture, fullscreen } = props;
  const words = playerWords();
  const { buttons } = words;
  return (
    <div className="player-bar">
      <div className="player-told">
        {badge}
        {latencyMs !== null && (
          <span className="player-latency numeric" title={words.latency}>
            {Math.round(latencyMs)} ms
          </span>
        )}
        {encrypted && (
          <Switch control={details} label={words.private} keyed={false}>
            <LockIcon />
          </Switch>
        )}
        {zoom > 1 && (
          <button
            type="button"
            className="player-zoom numeric"
            aria-label={`${decimal(zoom, 1)} ×: ${buttons.whole}`}
            {...hint(buttons.whole, '0', keyed)}
            onClick={whole.toggle}
          >
            {decimal(zoom, 1)} ×
          </button>
        )}
        <Sound control={sound} keyed={keyed} />
      </div>
      <div className="player-switches">
        <PlayoutMenu control={playout} keyed={keyed} />
        <Switch control={details} label={buttons.details} keys="I" keyed={keyed}>
          <DetailsIcon />
        </Switch>
        <Switch control={save} label={buttons.save} keys="D" keyed={keyed}>
          <SaveIcon />
        </Switch>
        <Switch control={fill} label={buttons.fill} keys="Z" keyed={keyed}>
          <FitIcon fill={fill.active} />
        </Switch>
        <Switch control={pictureInPicture} label={buttons.pictureInPicture} keys="P" keyed={keyed}>
          <PictureInPictureIcon />
        </Switch>
        <Switch control={fullscreen} label={buttons.fullscreen} keys="F" keyed={keyed}>
          <FullscreenIcon active={fullscreen.active} />
        </Switch>
      </div>
    </div>
  );
}

interface SwitchProps {
  control: Control;
  label: string;
  keys?: string;
  keyed: boolean;
  children: ReactNode;
}

function Switch({ control, label, keys = '', keyed, children }: SwitchProps) {
  if (!control.available) return null;
  return (
    <button
      type="button"
      className="player-switch"
      aria-label={label}
      aria-pressed={control.active}
      {...hint(label, keys, keyed)}
      onClick={control.toggle}
    >
      {children}
    </button>
  );
}

/** What is said of a button's key, to eyes and to screen readers. */
export function hint(label: string, keys: string, keyed: boolean) {
  return keyed ? { title: `${label} (${keys})`, 'aria-keyshortcuts': keys } : { title: label };
}
