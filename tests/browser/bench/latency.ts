/** Capture to display on one machine, from the capture time in each frame's header. */

import { Chromium } from '../src/chromium.ts';
import type { Relay } from '../src/relay.ts';
import { pause, until } from '../src/until.ts';
import { UNCROPPED } from '../src/witness.ts';
import { ms, percentile, print, type Row, spread, TRANSPORTS, type Transport } from './figures.ts';

const CODECS = ['auto', 'h264', 'vp9', 'vp8'] as const;

export async function measureLatency(relay: Relay, seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const codec of CODECS) {
    for (const transport of TRANSPORTS) {
      rows.push(...(await measureCodec(relay, { codec, seconds, transport })));
    }
  }
  print(`Capture to display, 1280x720 at 30 fps, ${seconds} s each: p50 / p95 / worst`, rows);
  return rows;
}

interface Measurement {
  codec: string;
  seconds: number;
  transport: Transport;
}

async function measureCodec(relay: Relay, measurement: Measurement): Promise<Row[]> {
  const { codec, seconds, transport } = measurement;
  const broadcast = await relay.createBroadcast('Latency');
  const browser = await Chromium.launch({ viewport: { width: 1280, height: 720 } });
  try {
    const panel = await browser.openPanel(relay, broadcast.publishToken);
    await panel.choose('Codec', codec);
    const host = await panel.shareAt({ width: 1280, height: 720 });
    await host.waitUntilLive();
    const player = await browser.openPlayer(relay, broadcast.playToken, {
      places: [UNCROPPED],
      webTransport: transport.webTransport,
    });
    await until('720p', async () => (await player.records()).picture?.width === 1280);
    await player.waitForPicture();
    await panel.page.close();
    const before = (await player.records()).framesShown;
    await player.resetWitness();
    await pause(seconds * 1_000);
    const records = await player.records();
    const shown = records.shown.slice(before - records.framesShown);
    const ages = shown.map(({ captureUs, shownUs }) => (shownUs - captureUs) / 1_000);
    const drawn = (await player.witness()).agesMs;
    const fps = (records.framesShown - before) / seconds;
    const name = `${codec} (${records.picture?.codec}) over ${transport.name}, ${fps.toFixed(0)} fps`;
    return [
      { what: name, measured: spread(ages), goal: 'p50 <= 60, p95 <= 100 ms' },
      {
        what: '  drawn by the page to read back',
        measured: `${ms(percentile(drawn, 0.5))} p50, read every 30 ms`,
        goal: '',
      },
    ];
  } finally {
    await browser.close();
  }
}
