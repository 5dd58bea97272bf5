/** Pages of others, bare but for the frames that are put into them. */

import { createServer, type Server } from 'node:http';
import type { Frame, Page } from 'playwright-core';
import type { Closable } from './stage.ts';

/** What docs/EMBED.md has people allow. */
export const ALLOW = 'fullscreen; picture-in-picture; screen-wake-lock; autoplay';

/** A bare page at a port of this machine, by its address and by its name: two origins. */
export class BarePage implements Closable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async serve(port: number): Promise<BarePage> {
    const server = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html; charset=utf-8');
      answer.end('<!doctype html><title>Of somebody else</title><body style="margin: 0">');
    });
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    return new BarePage(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const SIZE = { width: 640, height: 360 };

/** Puts a frame into a page; returns it with whatever the browser has loaded there. */
export async function frameIn(page: Page | Frame, src: string, size = SIZE): Promise<Frame> {
  const put = await page.evaluateHandle(appendFrame, { src, allow: ALLOW, ...size });
  const frame = await put.contentFrame();
  if (frame === null) throw new Error(`no frame of ${src}`);
  return frame;
}

interface Wanted {
  src: string;
  allow: string;
  width: number;
  height: number;
}

function appendFrame(wanted: Wanted): Promise<HTMLIFrameElement> {
  const frame = document.createElement('iframe');
  Object.assign(frame, wanted);
  frame.style.cssText = 'border: 0; display: block';
  // Where the page is refused one of the browser's own loads.
  const loaded = new Promise<HTMLIFrameElement>((done) => {
    frame.addEventListener('load', () => done(frame), { once: true });
  });
  document.body.append(frame);
  return loaded;
}
