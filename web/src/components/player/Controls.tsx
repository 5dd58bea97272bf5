import type { ReactNode } from 'react';
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
  return (
    <div className="player-bar">
      <div className="player-told">
        {badge}
        {latencyMs !== null && (
          <span className="player-latency numeric" title="From the host's screen to yours">
            {Math.round(latencyMs)} ms
          </span>
        )}
        {zoom > 1 && (
          <button
            type="button"
            className="player-zoom numeric"
            aria-label="Show the whole picture"
            aria-keyshortcuts="0"
            title="Show the whole picture (0)"
            onClick={whole.toggle}
          >
            {zoom.toFixed(1)} ×
          </button>
        )}
      </div>
      <div className="player-switches">
        <PlayoutMenu control={playout} />
        <Switch control={details} label="Details" keys="I">
          <DetailsIcon />
        </Switch>
        <Switch control={save} label="Save the picture" keys="D">
          <SaveIcon />
        </Switch>
        <Switch control={fill} label="Fill the window" keys="Z">
          <FitIcon fill={fill.active} />
        </Switch>
        <Switch control={pictureInPicture} label="Picture in picture" keys="P">
          <PictureInPictureIcon />
        </Switch>
        <Switch control={fullscreen} label="Full screen" keys="F">
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
