import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  comparisonCode,
  Forged,
  type FrameHeader,
  type LinkKey,
  newLinkKey,
  newTenure,
  Opener,
  readLinkKey,
  Sealer,
  WireError,
} from '../src/index.ts';

import { delta, keyframe } from './sample.ts';

interface Sealed {
  name: string;
  key: string;
  header?: Omit<FrameHeader, 'config'> & { config: { description: string } | null };
  hex: string;
  opened?: Opened;
  error?: string;
}

interface Opened {
  tenure: string;
  track?: number;
  group?: number;
  index?: number;
  sequence?: number;
  capturedUs: number;
  distance?: number;
  chunk: string;
}

const file = new URL('../../vectors/sealed.json', import.meta.url);
const vectors: Sealed[] = JSON.parse(readFileSync(file, 'utf8'));

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function linkKey(hex: string): LinkKey {
  const key = readLinkKey(Buffer.from(hex, 'hex').toString('base64url'));
  if (key === null) throw new Error(hex);
  return key;
}

function headerOf({ header }: Sealed): FrameHeader | null {
  if (header === undefined) return null;
  const config =
    header.config === null
      ? null
      : ({ ...header.config, description: fromHex(header.config.description) } as never);
  return { ...header, config };
}

async function open(vector: Sealed): Promise<Opened> {
  const opener = new Opener(linkKey(vector.key));
  const [header, payload] = [headerOf(vector), fromHex(vector.hex)];
  if (header === null) {
    const { frame, ...place } = await opener.sound(payload);
    return { ...place, chunk: toHex(frame) };
  }
  const picture = await opener.picture(header, payload);
  return { ...picture, chunk: toHex(picture.chunk) };
}

function nameOf(error: unknown): string {
  if (error instanceof Forged) return 'forged';
  if (error instanceof WireError) return error.code;
  throw error;
}

describe.each(vectors)('sealed: $name', (vector) => {
  it('opens, or is refused for its reason', async () => {
    const found = await open(vector).then(
      (opened) => ({ opened }),
      (error: unknown) => ({ error: nameOf(error) }),
    );
    const { opened, error } = vector;
    expect(found).toEqual(opened === undefined ? { error } : { opened });
  });

  const { opened } = vector;
  if (opened === undefined) return;
  it('is sealed to the same bytes', async () => {
    const sealer = new Sealer(linkKey(vector.key), opened.tenure);
    const { capturedUs, sequence, distance = 0 } = opened;
    const [header, chunk] = [headerOf(vector), fromHex(opened.chunk)];
    if (header === null) {
      expect(toHex(await sealer.sound(sequence ?? 0, capturedUs, chunk))).toBe(vector.hex);
      return;
    }
    const { track = 0, group = 0 } = opened;
    const written = { ...header, track, group };
    const sealed = await sealer.picture(written, { capturedUs, distance }, chunk);
    expect(toHex(sealed)).toBe(vector.hex);
  });
});

describe('a link key', () => {
  it('is random, and read again as it was written', () => {
    const key = newLinkKey();
    expect(readLinkKey(key)).toBe(key);
    expect(newLinkKey()).not.toBe(key);
  });

  it.each(['', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}B`, `${'A'.repeat(42)}=`])(
    'is not %j',
    (text) => expect(readLinkKey(text)).toBeNull(),
  );

  it('has a code to compare, which another one does not have', async () => {
    const code = await comparisonCode(linkKey('00'.repeat(32)));
    expect(code).toMatch(/^\d{4} \d{4} \d{4}$/);
    expect(await comparisonCode(linkKey('00'.repeat(32)))).toBe(code);
    expect(await comparisonCode(linkKey(`${'00'.repeat(31)}01`))).not.toBe(code);
  });
});

describe('two tenures', () => {
  it('seal the same picture at the same place differently', async () => {
    const key = newLinkKey();
    const header = keyframe({ sealed: true });
    const inside = { capturedUs: 1, distance: 0 };
    const picture = new Uint8Array(64);
    const seal = () => new Sealer(key).picture(header, inside, picture);
    const [one, other] = [await seal(), await seal()];
    expect(toHex(one.subarray(14))).not.toBe(toHex(other.subarray(14)));
    expect(newTenure()).toMatch(/^[0-9a-f]{14}$/);
  });
});

it('a frame follows one of its own group', async () => {
  const sealer = new Sealer(newLinkKey());
  const wrong = [
    [keyframe({ sealed: true }), 1],
    [delta(2, { sealed: true }), 0],
    [delta(2, { sealed: true }), 3],
    [delta(900, { sealed: true }), 256],
  ] as const;
  for (const [header, distance] of wrong) {
    const sealing = sealer.picture(header, { capturedUs: 1, distance }, new Uint8Array(1));
    await expect(sealing).rejects.toThrow(WireError);
  }
});
