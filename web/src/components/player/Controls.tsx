import type { ReactNode } from 'react';
import { decimal } from '../../words/number.ts';
import { playerWords } from '../../words/player.ts';
import { DetailsIcon, FitIcon, FullscreenIcon, PictureInPictureIcon, SaveIcon } from './icons.tsx';
import { type PlayoutControl, PlayoutMenu } from './PlayoutMenu.tsx';

/** One of the player's switches. */
export interface Control {
  active: boolean;
  toggle: () => void;
  available: boolean;
  /** Whether a key that is held down goes on. */
  repeats?: boolean;
}

export interface ControlsProps {
  badge: ReactNode;
  latencyMs: number | null;
  /** 1: as large as it is by itself. */
  zoom: number;
  whole: Control;
  save: Control;
  fill: Control;
  playout: PlayoutControl;
  details: Control;
  pictureInPicture: Control;
  fullscreen: Control;
}

/** The bar under the picture. */
export function Controls(props: ControlsProps) {
  const { badge, latencyMs, zoom, whole, save } = props;
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
        {zoom > 1 && (
          <button
            type="button"
            className="player-zoom numeric"
            aria-label={buttons.whole}
            aria-keyshortcuts="0"
            title={`${buttons.whole} (0)`}
            onClick={whole.toggle}
          >
            {decimal(zoom)} ×
          </button>
        )}
      </div>
      <div className="player-switches">
        <PlayoutMenu control={playout} />
        <Switch control={details} label={buttons.details} keys="I">
          <DetailsIcon />
        </Switch>
        <Switch control={save} label={buttons.save} keys="D">
          <SaveIcon />
        </Switch>
        <Switch control={fill} label={buttons.fill} keys="Z">
          <FitIcon fill={fill.active} />
        </Switch>
        <Switch control={pictureInPicture} label={buttons.pictureInPicture} keys="P">
          <PictureInPictureIcon />
        </Switch>
        <Switch control={fullscreen} label={buttons.fullscreen} keys="F">
          <FullscreenIcon active={fullscreen.active} />
        </Switch>
      </div>
    </div>
  );
}

interface SwitchProps {
  control: Control;
  label: string;
  keys: string;
  children: ReactNode;
}

function Switch({ control, label, keys, children }: SwitchProps) {
  if (!control.available) return null;
  return (
    <button
      type="button"
      className="player-switch"
      aria-label={label}
      aria-pressed={control.active}
      aria-keyshortcuts={keys}
      title={`${label} (${keys})`}
      onClick={control.toggle}
    >
      {children}
    </button>
  );
}
