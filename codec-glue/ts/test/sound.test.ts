import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSound, encodeSound, opusDurationUs, WireError } from '../src/index.ts';
import { soundPackets } from './sample.ts';

describe('a datagram with sound', () => {
  it('comes back', () => {
    fc.assert(
      fc.property(soundPackets, (packet) => {
        expect(decodeSound(encodeSound(packet))).toEqual(packet);
      }),
    );
  });

  it('is read where it lies in a larger buffer', () => {
    fc.assert(
      fc.property(soundPackets, fc.nat(9), (packet, before) => {
        const bytes = encodeSound(packet);
        const larger = new Uint8Array(before + bytes.length + 5).fill(0xee);
        larger.set(bytes, before);
        expect(decodeSound(larger.subarray(before, before + bytes.length))).toEqual(packet);
      }),
    );
  });

  it('is refused or stable where it is damaged', () => {
    fc.assert(
      fc.property(soundPackets, fc.nat(), fc.nat(255), (packet, place, byte) => {
        const bytes = encodeSound(packet);
        bytes[place % bytes.length] = byte;
        const read = decoded(bytes);
        if (read !== null) expect(encodeSound(read)).toEqual(bytes);
      }),
    );
  });

  it('is not made of numbers that it cannot carry', () => {
    const good = {
      begins: true,
      sealed: false,
      epoch: 1,
      sequence: 2,
      captureUs: 3,
      repeats: [],
      frame: Uint8Array.of(1),
    };
    const wrong = [
      { epoch: -1 },
      { sequence: 2 ** 32 },
      { captureUs: 2 ** 53 },
      { captureUs: 0.5 },
    ];
    for (const numbers of wrong) {
      expect(() => encodeSound({ ...good, ...numbers })).toThrow(WireError);
    }
  });
});

function decoded(bytes: Uint8Array) {
  try {
    return decodeSound(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return null;
  }
}

describe('an Opus frame lasts', () => {
  const toc = (config: number, code: number) => (config << 3) | code;

  it.each([
    [0, 10_000],
    [3, 60_000],
    [11, 60_000],
    [12, 10_000],
    [15, 20_000],
    [16, 2_500],
    [31, 20_000],
  ])('as configuration %i says, %i us', (config, us) => {
    expect(opusDurationUs(Uint8Array.of(toc(config, 0)))).toBe(us);
  });

  it('as often as it says', () => {
    expect(opusDurationUs(Uint8Array.of(toc(31, 1)))).toBe(40_000);
    expect(opusDurationUs(Uint8Array.of(toc(31, 2), 9))).toBe(40_000);
    expect(opusDurationUs(Uint8Array.of(toc(31, 3), 0xc6))).toBe(120_000);
    expect(opusDurationUs(Uint8Array.of(toc(16, 3), 48))).toBe(120_000);
  });

  it('nothing that is known where it is none', () => {
    const wrong = [[], [toc(31, 3)], [toc(31, 3), 0], [toc(31, 3), 7], [toc(3, 3), 3]];
    for (const bytes of wrong) expect(opusDurationUs(Uint8Array.from(bytes))).toBeNull();
  });
});
