/** Which codec encodes the picture: a list to fall down, and the levels that fit a picture. */

import type { Size } from './geometry.ts';
import type { CodecChoice, Quality } from './quality.ts';

export type CodecId = Exclude<CodecChoice, 'auto'>;

/** A way to encode, in WebCodecs' words. */
export interface Candidate {
  id: CodecId;
  config: EncoderConfig;
}

/** With the member for screen content, which the platform types lack. */
export interface EncoderConfig extends VideoEncoderConfig {
  contentHint?: string;
}

/** Asks the browser whether it can encode so. */
export type Prober = (config: EncoderConfig) => Promise<boolean>;

/** Best for screens first. */
const ORDER: readonly CodecId[] = ['av1', 'h264', 'vp9', 'vp8'];

interface Level {
  code: string;
  /** Luma samples of a picture, and per second; macroblocks for H.264. */
  picture: number;
  rate: number;
}

// The least level is one that every decoder of the last years has; lower ones gain nothing.
const AV1_LEVELS: readonly Level[] = [
  { code: '08', picture: 2_359_296, rate: 70_778_880 },
  { code: '09', picture: 2_359_296, rate: 141_557_760 },
  { code: '12', picture: 8_912_896, rate: 267_386_880 },
  { code: '13', picture: 8_912_896, rate: 534_773_760 },
  { code: '14', picture: 8_912_896, rate: 1_069_547_520 },
  { code: '16', picture: 35_651_584, rate: 1_069_547_520 },
  { code: '17', picture: 35_651_584, rate: 2_139_095_040 },
];
const VP9_LEVELS: readonly Level[] = [
  { code: '40', picture: 2_228_224, rate: 83_558_400 },
  { code: '41', picture: 2_228_224, rate: 160_432_128 },
  { code: '50', picture: 8_912_896, rate: 311_951_360 },
  { code: '51', picture: 8_912_896, rate: 588_251_136 },
  { code: '52', picture: 8_912_896, rate: 1_176_502_272 },
  { code: '60', picture: 35_651_584, rate: 1_176_502_272 },
  { code: '61', picture: 35_651_584, rate: 2_353_004_544 },
];
const H264_LEVELS: readonly Level[] = [
  { code: '1f', picture: 3_600, rate: 108_000 },
  { code: '28', picture: 8_192, rate: 245_760 },
  { code: '2a', picture: 8_704, rate: 522_240 },
  { code: '32', picture: 22_080, rate: 589_824 },
  { code: '33', picture: 36_864, rate: 983_040 },
  { code: '34', picture: 36_864, rate: 2_073_600 },
  { code: '3c', picture: 139_264, rate: 4_177_920 },
];

/** The ways to try, in order: what was chosen first, then the list; layers before none. */
export function candidates(quality: Quality, size: Size): Candidate[] {
  const { codec } = quality;
  const order = codec === 'auto' ? ORDER : [codec, ...ORDER.filter((id) => id !== codec)];
  return order.flatMap((id) => {
    const config = configFor(id, quality, size);
    if (quality.layers === 1) return [{ id, config }];
    const layered = { ...config, scalabilityMode: `L1T${quality.layers}` };
    return [
      { id, config: layered },
      { id, config },
    ];
  });
}

/** The one way to encode in this codec. */
export function onlyWay(id: CodecId, quality: Quality, size: Size): Candidate {
  return { id, config: configFor(id, quality, size) };
}

/** The first candidate that the browser can encode and that has not failed before. */
export async function chooseCodec(
  list: readonly Candidate[],
  prober: Prober,
  failed: ReadonlySet<CodecId> = new Set(),
): Promise<Candidate | null> {
  for (const candidate of list) {
    if (failed.has(candidate.id)) continue;
    if (await prober(candidate.config).catch(() => false)) return candidate;
  }
  return null;
}

export async function browserProber(config: EncoderConfig): Promise<boolean> {
  return (await VideoEncoder.isConfigSupported(config)).supported === true;
}

function configFor(id: CodecId, quality: Quality, size: Size): EncoderConfig {
  return {
    ...codecFields(id, size, quality.frameRate),
    width: size.width,
    height: size.height,
    bitrate: Math.round(quality.bitrate),
    framerate: quality.frameRate,
    latencyMode: 'realtime',
    bitrateMode: 'variable',
  };
}

function codecFields(
  id: CodecId,
  size: Size,
  frameRate: number,
): Pick<EncoderConfig, 'codec' | 'contentHint' | 'avc'> {
  const samples = size.width * size.height;
  switch (id) {
    case 'av1': {
      const level = levelFor(AV1_LEVELS, samples, frameRate);
      return { codec: `av01.0.${level}M.08`, contentHint: 'text' };
    }
    case 'h264': {
      const blocks = Math.ceil(size.width / 16) * Math.ceil(size.height / 16);
      const level = levelFor(H264_LEVELS, blocks, frameRate);
      // Parameter sets in band, so that the bytes pass to WebRTC as they are.
      return { codec: `avc1.42e0${level}`, avc: { format: 'annexb' } };
    }
    case 'vp9':
      return { codec: `vp09.00.${levelFor(VP9_LEVELS, samples, frameRate)}.08` };
    case 'vp8':
      return { codec: 'vp8' };
  }
}

/** The least level that holds the picture; the highest one when none does. */
function levelFor(levels: readonly Level[], picture: number, frameRate: number): string {
  const fitting = levels.find(
    (level) => picture <= level.picture && picture * frameRate <= level.rate,
  );
  return (fitting ?? levels.at(-1))?.code ?? '';
}
