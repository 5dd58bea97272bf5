/**
 * What this browser's encoders make of screens: pictures a second, bits, keyframes and PSNR, for
 * each codec and number of temporal layers. Prints a table on stdout:
 *
 *     npm run --silent encoders --workspace tests/browser -- --kbps 2000 --seconds 4
 *
 * --codecs LIST   av1, h264, vp9, vp8 (all), separated by commas
 * --scenes LIST   scroll: text that scrolls; page: another page of text twice a second; still: one
 *                 page; video: moving plasma with noise (all)
 * --layers LIST   1, 2, 3 (1)
 * --kbps LIST     what the encoder is told to aim at (2000)
 * --fps N         pictures a second that are offered (30), each encoded however long it takes
 * --seconds N     how long the scene is (4)
 * --size WxH      (1280x720)
 *
 * PSNR is of the luma of decoded pictures, averaged over pictures; "last" is that of the last one.
 */

import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { type CodecId, candidates } from '../../../web/src/publish/codecs.ts';
import { DEFAULT_QUALITY } from '../../../web/src/publish/quality.ts';
import { COMMON_FLAGS, EXECUTABLE } from '../src/chromium.ts';
import { pageScript } from '../src/script.ts';
import { type Encoded, type EncodeTask, encodeScene } from './encode-scene.ts';
import { lumaOf, psnr } from './psnr.ts';

const { values } = parseArgs({
  options: {
    codecs: { type: 'string', default: 'av1,h264,vp9,vp8' },
    scenes: { type: 'string', default: 'scroll,page,still,video' },
    layers: { type: 'string', default: '1' },
    kbps: { type: 'string', default: '2000' },
    fps: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '4' },
    size: { type: 'string', default: '1280x720' },
  },
});

const HEAD = ['scene', 'codec', 'layers', 'aim', 'kbit/s', 'keyframe', 'keyframes', 'p95 frame'];
const TAIL = ['made', 'ms each', 'PSNR', 'last', 'layers (bytes)'];

const list = (text: string) => text.split(',').filter((part) => part !== '');
const [width = 1280, height = 720] = values.size.split('x').map(Number);
const browser = await chromium.launch({
  executablePath: EXECUTABLE,
  headless: true,
  args: [...COMMON_FLAGS],
});
try {
  const page = await browser.newPage();
  // Encoders are for secure pages, which this machine's own are.
  await page.route('**/*', (route) => route.fulfill({ body: '', contentType: 'text/html' }));
  await page.goto('http://localhost/');
  print([...HEAD, ...TAIL]);
  for (const scene of list(values.scenes)) {
    for (const kbps of list(values.kbps).map(Number)) {
      for (const codec of list(values.codecs) as CodecId[]) {
        for (const layers of list(values.layers).map(Number)) {
          const frameRate = Number(values.fps);
          const quality = { ...DEFAULT_QUALITY, codec, frameRate, bitrate: kbps * 1_000, layers };
          const config = candidates(quality, { width, height })[0]?.config;
          if (config === undefined) continue;
          const frames = Math.round(Number(values.seconds) * frameRate);
          const task: EncodeTask = { scene, config, frames, frameRate };
          const script = pageScript([encodeScene, lumaOf, psnr], task);
          const made = (await page.evaluate(script)) as Encoded;
          const kbit = (made.bytes * 8 * frameRate) / frames / 1_000;
          print([
            scene,
            codec,
            String(layers),
            String(kbps),
            kbit.toFixed(0),
            String(made.keyframe),
            String(made.keyframes),
            String(made.p95),
            `${made.made}/${frames}`,
            made.msEach.toFixed(1),
            made.psnr.toFixed(1),
            made.last.toFixed(1),
            made.layers.join(' '),
          ]);
        }
      }
    }
  }
} finally {
  await browser.close();
}

function print(cells: string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
