import type { ReactNode } from 'react';
import { DetailsIcon, FitIcon, FullscreenIcon, PictureInPictureIcon } from './icons.tsx';
import { type PlayoutControl, PlayoutMenu } from './PlayoutMenu.tsx';

/** One of the player's switches. */
export interface Control {
  active: boolean;
  toggle: () => void;
  available: boolean;
}

export interface ControlsProps {
  badge: ReactNode;
  latencyMs: number | null;
  fill: Control;
  playout: PlayoutControl;
  details: Control;
  pictureInPicture: Control;
  fullscreen: Control;
}

/** The bar under the picture. */
export function Controls(props: ControlsProps) {
  const { badge, latencyMs, fill, playout, details, pictureInPicture, fullscreen } = props;
  return (
    <div className="player-bar">
      {badge}
      {latencyMs !== null && (
        <span className="player-latency numeric" title="From the host's screen to yours">
          {Math.round(latencyMs)} ms
        </span>
      )}
      <span className="player-gap" />
      <PlayoutMenu control={playout} />
      <Switch control={details} label="Details" keys="I">
        <DetailsIcon />
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
