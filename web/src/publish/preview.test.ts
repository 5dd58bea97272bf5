import { describe, expect, it } from 'vitest';
import { webp } from './preview.ts';

describe('a preview file', () => {
  it('is RIFF with one VP8 chunk, padded to an even size', () => {
    const file = webp(Uint8Array.of(7, 8, 9));
    const text = new TextDecoder('latin1').decode(file);
    const view = new DataView(file.buffer);
    expect(text.slice(0, 4)).toBe('RIFF');
    expect(text.slice(8, 16)).toBe('WEBPVP8 ');
    expect(view.getUint32(4, true)).toBe(file.length - 8);
    expect(view.getUint32(16, true)).toBe(3);
    expect(file.length).toBe(24);
  });
});
