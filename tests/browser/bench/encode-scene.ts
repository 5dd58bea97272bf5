/** Encodes a made-up scene, and decodes it again; runs in a page. */

import { lumaOf, psnr } from './psnr.ts';

export interface EncodeTask {
  scene: string;
  config: VideoEncoderConfig;
  frames: number;
  frameRate: number;
}

export interface Encoded {
  bytes: number;
  /** Bytes of the first one, and how many there were: some encoders make more by themselves. */
  keyframe: number;
  keyframes: number;
  /** Bytes that 95 of 100 frames stay below, keyframes aside. */
  p95: number;
  /** Frames that the encoder did not leave out. */
  made: number;
  msEach: number;
  psnr: number;
  last: number;
  /** Bytes by temporal layer. */
  layers: number[];
}

/** To be given to a page with what it imports. */
export async function encodeScene(task: EncodeTask): Promise<Encoded> {
  const { scene, config, frames, frameRate } = task;
  const { width, height } = config;
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const words = () => {
    const letter = () => String.fromCharCode(97 + Math.floor(random() * 26));
    const word = () => Array.from({ length: 2 + Math.floor(random() * 8) }, letter).join('');
    return Array.from({ length: 40 }, word).join(' ');
  };
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) throw new Error('no canvas');
  const lines = Array.from({ length: 400 }, words);
  const text = (from: number, shift: number) => {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
    context.font = '15px sans-serif';
    for (let line = 0; line * 20 < height + 40; line += 1) {
      context.fillStyle = line % 7 === 3 ? '#0645ad' : '#202122';
      context.fillText(lines[(from + line) % lines.length] ?? '', 20, line * 20 - shift);
    }
  };
  const plasma = (at: number) => {
    const image = context.createImageData(width, height);
    const pixels = image.data;
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const wave =
          Math.sin(x / 61 + at / 9) + Math.sin(y / 47 - at / 13) + Math.sin((x + y) / 83 + at / 7);
        const place = (y * width + x) * 4;
        const noise = ((x * 73 + y * 151 + at * 37) % 17) - 8;
        pixels[place] = 128 + wave * 35 + noise;
        pixels[place + 1] = 120 + wave * 25 + noise;
        pixels[place + 2] = 140 - wave * 30 + noise;
        pixels[place + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  };
  const draw = (at: number) => {
    if (scene === 'scroll') text(Math.floor((at * 4) / 20), (at * 4) % 20);
    else if (scene === 'page') text(Math.floor((at * 2) / frameRate) * 37, 0);
    else if (scene === 'video') plasma(at);
    else text(0, 0);
  };

  const luma = async (frame: VideoFrame): Promise<Uint8Array> => {
    const room = new Uint8Array(
      frame.allocationSize({ format: 'RGBA' } as VideoFrameCopyToOptions),
    );
    await frame.copyTo(room, { format: 'RGBA' } as VideoFrameCopyToOptions);
    return lumaOf(room);
  };
  const sources = new Map<number, Uint8Array>();
  const scores: number[] = [];
  const waiting: Promise<void>[] = [];
  const decoder = new VideoDecoder({
    output: (frame) => {
      waiting.push(
        (async () => {
          const source = sources.get(frame.timestamp);
          const shown = await luma(frame);
          frame.close();
          if (source === undefined) return;
          scores.push(psnr(source, shown));
        })(),
      );
    },
    error: () => undefined,
  });
  const sizes: number[] = [];
  const layers: number[] = [];
  const keys: number[] = [];
  const encoder = new VideoEncoder({
    output: (chunk, metadata) => {
      if (metadata?.decoderConfig !== undefined) decoder.configure(metadata.decoderConfig);
      if (chunk.type === 'key') keys.push(chunk.byteLength);
      else sizes.push(chunk.byteLength);
      const layer = metadata?.svc?.temporalLayerId ?? 0;
      layers[layer] = (layers[layer] ?? 0) + chunk.byteLength;
      decoder.decode(chunk);
    },
    error: () => undefined,
  });
  encoder.configure(config);
  let spent = 0;
  for (let at = 0; at < frames; at += 1) {
    draw(at);
    const timestamp = Math.round((at * 1_000_000) / frameRate);
    const frame = new VideoFrame(canvas, { timestamp });
    // A look at every picture would take longer than all encoding.
    if (at % 5 === 4 || at === frames - 1) sources.set(timestamp, await luma(frame));
    const began = performance.now();
    encoder.encode(frame, { keyFrame: at === 0 });
    frame.close();
    await encoder.flush();
    spent += performance.now() - began;
    await Promise.all(waiting.splice(0));
  }
  await decoder.flush();
  await Promise.all(waiting);
  encoder.close();
  decoder.close();
  const sorted = [...sizes].sort((one, other) => one - other);
  const bytes = [...keys, ...sizes].reduce((sum, size) => sum + size, 0);
  return {
    bytes,
    keyframe: keys[0] ?? 0,
    keyframes: keys.length,
    p95: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
    made: sizes.length + keys.length,
    msEach: spent / frames,
    psnr: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    last: scores.at(-1) ?? 0,
    layers: layers.map((layer) => layer ?? 0),
  };
}
