import { isWebKit, webTransportWorks } from '../session/transport.ts';
import { webSocketWorks } from '../session/websocket/connect.ts';
import { TRANSPORTS, type TransportName } from './race.ts';
import type { UnsupportedReason } from './state.ts';

/** What this browser lacks to play frames directly, whatever brings them; null when nothing. */
export function missingSupport(): UnsupportedReason | null {
  if (!globalThis.isSecureContext) return 'insecure';
  if (!('VideoDecoder' in globalThis)) return isWebKit() ? 'webkit' : 'decoder';
  if (!('transferControlToOffscreen' in HTMLCanvasElement.prototype)) return 'canvas';
  return null;
}

/** What this browser can play by. What is private is opened in the page's own worker, past which WebRTC goes. */
export function possibleTransports(isPrivate = false): TransportName[] {
  const direct = missingSupport() === null;
  const possible: Record<TransportName, boolean> = {
    webtransport: direct && webTransportWorks(),
    // Where WebRTC is switched off, its constructor is gone.
    whep: !isPrivate && 'RTCPeerConnection' in globalThis,
    websocket: direct && webSocketWorks(),
  };
  return TRANSPORTS.filter((name) => possible[name]);
}
