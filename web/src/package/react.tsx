/** The components, for apps that have React. Their styles are in `steadycast/styles.css`. */

import type { ReactElement } from 'react';
import '../styles/base.css';
import {
  ScreenShareCropper as Cropper,
  type ScreenShareCropperProps,
} from '../components/ScreenShareCropper.tsx';
import {
  SFUStreamPlayer as Player,
  type SFUStreamPlayerProps as PlayerProps,
} from '../components/SFUStreamPlayer.tsx';
import {
  StreamControlPanel as Panel,
  type StreamControlPanelProps,
} from '../components/StreamControlPanel.tsx';
import { Scope } from './Scope.tsx';

export type { ScreenShareCropperProps, StreamControlPanelProps };

/** Light and dark are the app's. */
export type SFUStreamPlayerProps = Omit<PlayerProps, 'themed'>;

/**
 * Shows a broadcast and, in words, what is happening to it. As high as what it stands in; its shortcuts
 * work anywhere on the page but in a field that is typed in.
 */
export function SFUStreamPlayer(props: SFUStreamPlayerProps): ReactElement {
  return (
    <Scope filling>
      <Player {...props} />
    </Scope>
  );
}

/** Everything an admin does with one broadcast. */
export function StreamControlPanel(props: StreamControlPanelProps): ReactElement {
  return (
    <Scope>
      <Panel {...props} />
    </Scope>
  );
}

/** The live source with the crop on it, by pointer, by keyboard and in numbers. */
export function ScreenShareCropper(props: ScreenShareCropperProps): ReactElement {
  return (
    <Scope>
      <Cropper {...props} />
    </Scope>
  );
}
