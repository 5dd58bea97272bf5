/** The golden bytes of carried frames, which the Rust side reads and cuts too. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GroupParser, groupPreamble, readCarried, WireError } from '../src/index.ts';

interface Vector {
  name: string;
  hex: string;
  carries?: { keyframe: boolean; number: number; frame: string; payloads: string[] };
  error?: string;
}

/** What VP8's descriptor takes of each payload. */
const DESCRIPTOR = 4;

const file = new URL('../../vectors/carried.json', import.meta.url);
const vectors: Vector[] = JSON.parse(readFileSync(file, 'utf8'));
const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

describe.each(vectors)('carried: $name', ({ hex, carries, error }) => {
  it('is read as it was sent, or refused', () => {
    const bytes = fromHex(hex);
    if (carries === undefined) {
      expect(() => readCarried(bytes)).toThrow(WireError);
      expect(error).toBe('malformed');
      return;
    }
    const { keyframe, number, frame } = carries;
    expect(readCarried(bytes)).toEqual({ keyframe, number, frame: fromHex(frame) });
  });

  it('is what a depacketiser of VP8 puts together', () => {
    if (carries === undefined) return;
    const parts = carries.payloads.map((payload) => payload.slice(2 * DESCRIPTOR));
    expect(parts.join('')).toBe(hex);
  });

  it('can go on as a group’s stream does', () => {
    if (carries?.keyframe !== true) return;
    const parser = new GroupParser();
    parser.push(groupPreamble());
    parser.push(readCarried(fromHex(hex)).frame);
    expect(parser.next()?.header).toMatchObject({ keyframe: true, sealed: true });
  });
});
