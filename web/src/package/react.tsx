/** The components, for apps that have React. They bring their styles. */

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
  type StreamControlPanelProps as PanelOfService,
} from '../components/StreamControlPanel.tsx';
import type { OwnShareOptions, ShareOptions } from '../services/AdminScreenShareService.ts';
import { CaptureView } from './CaptureView.tsx';
import { OpenedPanel } from './OpenedPanel.tsx';
import { Scope } from './Scope.tsx';

export { type Player, usePlayer } from '../components/player/usePlayer.ts';
export { type Share, useShare } from './useShare.ts';
export type { ScreenShareCropperProps };

/** The panel of a service that the app has opened, or of a broadcast that it opens itself (`useShare`). */
export type StreamControlPanelProps = PanelOfService | ShareOptions | OwnShareOptions;

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
      {'service' in props ? <Panel adminLink={false} {...props} /> : <OpenedPanel {...props} />}
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

/**
 * All that the page of capture windows shows: its window captures, and goes on while pages with panels come and go.
 * `relay`: the relay's origin.
 */
export function CaptureHostPage({ relay }: { relay: string }): ReactElement {
  return (
    <Scope>
      <CaptureView relay={relay} />
    </Scope>
  );
}
