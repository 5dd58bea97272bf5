/** A page that publishes over WHIP as a conferencing app would: a plain peer connection, all at its defaults. */

import type { Page } from 'playwright-core';
import type { Chromium } from './chromium.ts';
import type { CreatedBroadcast, Relay } from './relay.ts';
import { pageScript } from './script.ts';

/** What the browser says of what it sends. */
export interface Sent {
  /** Since the page asked to publish. */
  atMs: number;
  width: number;
  height: number;
  /** What its congestion control believes that the path takes, in kbit/s. */
  estimateKbps: number;
  /** Why the picture is smaller than it could be, in the browser's words. */
  limitedBy: string;
}

declare global {
  interface Window {
    whip?: { sent(): Promise<Sent> };
  }
}

interface Source {
  url: string;
  token: string;
  width: number;
  height: number;
}

export class WhipPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Publishes moving pictures of this size. */
  static async open(
    chromium: Chromium,
    relay: Relay,
    { id, publishToken: token }: CreatedBroadcast,
    size: { width: number; height: number },
  ): Promise<WhipPage> {
    const page = await chromium.context.newPage();
    await page.goto(`${relay.origin}/health`);
    const source: Source = { url: `${relay.origin}/${id}/whip`, token, ...size };
    await page.evaluate(pageScript([publish], source));
    await page.waitForFunction(() => window.whip !== undefined);
    return new WhipPage(page);
  }

  sent(): Promise<Sent> {
    return this.page.evaluate(() => {
      if (window.whip === undefined) throw new Error('nothing is published');
      return window.whip.sent();
    });
  }
}

async function publish({ url, token, width, height }: Source): Promise<void> {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  document.body.append(canvas);
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return;
  let count = 0;
  const draw = () => {
    count += 1;
    for (let row = 0; row * 24 < height; row += 1) {
      context.fillStyle = `hsl(${(row * 40 + count) % 360} 60% 50%)`;
      context.fillRect(0, row * 24, width, 24);
      context.fillStyle = 'white';
      context.fillText(
        `line ${row + count} of many`,
        (count * 3 + row * 31) % width,
        row * 24 + 16,
      );
    }
    requestAnimationFrame(draw);
  };
  draw();
  const began = performance.now();
  const peer = new RTCPeerConnection();
  const [track] = canvas.captureStream(30).getVideoTracks();
  if (track === undefined) return;
  const { sender } = peer.addTransceiver(track, { direction: 'sendonly' });
  await peer.setLocalDescription();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' };
  const body = peer.localDescription?.sdp ?? '';
  const response = await fetch(url, { method: 'POST', headers, body });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  const sent = async () => {
    const reports = [...(await sender.getStats()).values()];
    const outbound = reports.find(({ type }) => type === 'outbound-rtp');
    const pair = reports.find(
      (report) => report.type === 'candidate-pair' && report.availableOutgoingBitrate,
    );
    return {
      atMs: performance.now() - began,
      width: outbound?.frameWidth ?? 0,
      height: outbound?.frameHeight ?? 0,
      estimateKbps: (pair?.availableOutgoingBitrate ?? 0) / 1000,
      limitedBy: outbound?.qualityLimitationReason ?? 'none',
    };
  };
  Object.defineProperty(window, 'whip', { value: { sent } });
}
