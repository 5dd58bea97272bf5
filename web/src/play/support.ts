import { webTransportWorks } from '../session/transport.ts';
import type { TransportName } from './race.ts';
import type { UnsupportedReason } from './state.ts';

/** What this browser lacks to play frames directly; null when nothing. */
export function missingSupport(): UnsupportedReason | null {
  if (!globalThis.isSecureContext) return 'insecure';
  if (!('WebTransport' in globalThis)) return 'webtransport';
  if (!webTransportWorks()) return 'webkit';
  if (!('VideoDecoder' in globalThis)) return 'decoder';
  if (!('transferControlToOffscreen' in HTMLCanvasElement.prototype)) return 'canvas';
  return null;
}

/** What this browser can play by. */
export function possibleTransports(): TransportName[] {
  const direct = missingSupport() === null;
  // Where WebRTC is switched off, its constructor is gone.
  const whep = 'RTCPeerConnection' in globalThis;
  return [...(direct ? ['webtransport' as const] : []), ...(whep ? ['whep' as const] : [])];
}
