import { describe, expect, it } from 'vitest';
import { type CodecId, candidates, chooseCodec, type EncoderConfig } from './codecs.ts';
import { DEFAULT_QUALITY } from './quality.ts';

const FULL_HD = { width: 1_920, height: 1_080 };

/** A browser that encodes only these. */
const able =
  (...prefixes: string[]) =>
  async ({ codec }: EncoderConfig) =>
    prefixes.some((prefix) => codec.startsWith(prefix));

describe('choosing a codec', () => {
  const list = candidates(DEFAULT_QUALITY, FULL_HD);

  it('prefers AV1 for text, then H.264, VP9 and VP8', async () => {
    expect(list.map(({ id }) => id)).toEqual(['av1', 'h264', 'vp9', 'vp8']);
    expect((await chooseCodec(list, able('av01', 'vp8')))?.id).toBe('av1');
    expect((await chooseCodec(list, able('vp09', 'vp8')))?.id).toBe('vp9');
  });

  it('passes over what has failed before', async () => {
    const failed = new Set<CodecId>(['av1', 'h264']);
    expect((await chooseCodec(list, able('av01', 'avc1', 'vp8'), failed))?.id).toBe('vp8');
  });

  it('passes over what the browser chokes on', async () => {
    const prober = async ({ codec }: EncoderConfig) => {
      if (codec.startsWith('av01')) throw new TypeError('no such codec');
      return true;
    };
    expect((await chooseCodec(list, prober))?.id).toBe('h264');
  });

  it('finds nothing where nothing is', async () => {
    expect(await chooseCodec(list, able())).toBeNull();
  });

  it('tries the admin’s choice first and falls back to the list', async () => {
    const chosen = candidates({ ...DEFAULT_QUALITY, codec: 'vp9' }, FULL_HD);
    expect(chosen.map(({ id }) => id)).toEqual(['vp9', 'av1', 'h264', 'vp8']);
  });

  it('gives up layers before it gives up the codec', async () => {
    const layered = candidates({ ...DEFAULT_QUALITY, layers: 3 }, FULL_HD);
    const flat = async ({ scalabilityMode }: EncoderConfig) => scalabilityMode === undefined;
    expect(layered[0]?.config.scalabilityMode).toBe('L1T3');
    expect((await chooseCodec(layered, flat))?.id).toBe('av1');
  });
});

describe('configurations', () => {
  const configs = (size: { width: number; height: number }, frameRate = 30) =>
    Object.fromEntries(
      candidates({ ...DEFAULT_QUALITY, frameRate }, size).map(({ id, config }) => [id, config]),
    ) as Record<CodecId, EncoderConfig>;

  it('hint at text for AV1 only', () => {
    expect(configs(FULL_HD).av1.contentHint).toBe('text');
    expect(configs(FULL_HD).h264.contentHint).toBeUndefined();
  });

  it('name a level that holds the picture', () => {
    expect(configs(FULL_HD).av1.codec).toBe('av01.0.08M.08');
    expect(configs(FULL_HD, 60).av1.codec).toBe('av01.0.09M.08');
    expect(configs({ width: 3_840, height: 2_160 }).av1.codec).toBe('av01.0.12M.08');
    expect(configs(FULL_HD).h264.codec).toBe('avc1.42e028');
    expect(configs({ width: 1_280, height: 720 }).h264.codec).toBe('avc1.42e01f');
    expect(configs(FULL_HD, 60).vp9.codec).toBe('vp09.00.41.08');
  });

  it('keep H.264 parameter sets in band', () => {
    expect(configs(FULL_HD).h264.avc).toEqual({ format: 'annexb' });
  });
});
