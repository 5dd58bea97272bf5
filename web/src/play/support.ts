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

/** The same for a private broadcast, of which browsers that lack anything see nothing. */
export function missingFor(isPrivate: boolean): UnsupportedReason | null {
  const missing = missingSupport();
  if (!isPrivate || missing === 'insecure') return missing;
  return missing !== null || possibleTransports(true).length === 0 ? 'sealed' : null;
}

/** What is private comes as frames over WebRTC as well, where browsers let pages have those (`RTCRtpScriptTransform`). */
export function carriesFrames(): boolean {
  return missingSupport() === null && 'RTCRtpScriptTransform' in globalThis;
}

/** What this browser can play by. */
export function possibleTransports(isPrivate = false): TransportName[] {
  const direct = missingSupport() === null;
  const possible: Record<TransportName, boolean> = {
    webtransport: direct && webTransportWorks(),
    // Where WebRTC is switched off, its constructor is gone.
    whep: 'RTCPeerConnection' in globalThis && (!isPrivate || carriesFrames()),
    websocket: direct && webSocketWorks(),
  };
  return TRANSPORTS.filter((name) => possible[name]);
}
