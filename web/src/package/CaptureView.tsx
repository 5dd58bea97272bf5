import type { ReactElement } from 'react';
import { CaptureHostPage } from '../components/capture/CaptureHostPage.tsx';
import { captureAddress } from './capture-address.ts';

/** The capture window's page of an app. */
export function CaptureView({ relay }: { relay: string }): ReactElement {
  return <CaptureHostPage relay={relay} address={captureAddress()} />;
}
