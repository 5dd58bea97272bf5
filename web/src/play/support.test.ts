// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { missingFor, possibleTransports } from './support.ts';

/** What a browser has, and is asked for by name. */
const NAMES = ['WebTransport', 'RTCPeerConnection', 'RTCRtpScriptTransform', 'VideoDecoder'];

function browser({ without = [] as string[], secure = true } = {}): void {
  vi.stubGlobal('isSecureContext', secure);
  for (const name of NAMES) {
    if (without.includes(name)) Reflect.deleteProperty(globalThis, name);
    else vi.stubGlobal(name, class {});
  }
  if (without.includes('WebSocket')) vi.stubGlobal('WebSocket', undefined);
  HTMLCanvasElement.prototype.transferControlToOffscreen = () => ({}) as OffscreenCanvas;
}

beforeEach(() => browser());
afterEach(() => vi.unstubAllGlobals());

it('has a private broadcast over WebRTC where pages are given its frames', () => {
  expect(possibleTransports(true)).toContain('whep');
  browser({ without: ['RTCRtpScriptTransform'] });
  expect(possibleTransports(true)).not.toContain('whep');
  expect(possibleTransports(false)).toContain('whep');
  expect(missingFor(true)).toBeNull();
});

it('has none of it where frames cannot be decoded, and says that it is for its being private', () => {
  browser({ without: ['VideoDecoder'] });
  expect(possibleTransports(true)).toEqual([]);
  expect(missingFor(true)).toBe('sealed');
  expect(missingFor(false)).not.toBe('sealed');
});

it('says first that a page is not secure, which is mended by another address', () => {
  browser({ secure: false });
  expect(missingFor(true)).toBe('insecure');
});
