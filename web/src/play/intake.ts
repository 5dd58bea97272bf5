/** Reads a carrier's group streams, several at a time, and cuts them into frames. */

import { CODES, type Frame, GroupParser, WireError } from '@steadycast/codec-glue';
import type { Carrier } from './carrier.ts';

export interface IntakeEvents {
  /** `stream` tells streams apart; the frames of one come in order. The next one waits for what is promised. */
  onFrame: (stream: number, frame: Frame) => Promise<void> | null;
  /** Something came, be it only a part of a frame. */
  onBytes: () => void;
  /** The relay replaced the rest of a stream by newer frames. */
  onSkip: () => void;
  /** A stream broke the protocol and is given up. */
  onBroken: (stream: number, error: WireError) => void;
}

/** Settles when the carrier brings no more streams. Never rejects. */
export async function readGroups(carrier: Carrier, events: IntakeEvents): Promise<void> {
  const streams = carrier.groups().getReader();
  try {
    for (let id = 1; ; id += 1) {
      const { value, done } = await streams.read();
      if (done) return;
      void readGroup(carrier, value, id, events);
    }
  } catch {
    // The session is over; it says why itself.
  }
}

async function readGroup(
  carrier: Carrier,
  stream: ReadableStream<Uint8Array>,
  id: number,
  events: IntakeEvents,
): Promise<void> {
  const reader = stream.getReader();
  const parser = new GroupParser({ thinned: true });
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      carrier.heard();
      events.onBytes();
      parser.push(value);
      for (let frame = parser.next(); frame !== null; frame = parser.next()) {
        const turn = events.onFrame(id, frame);
        if (turn !== null) await turn;
      }
    }
    parser.finish();
  } catch (error) {
    if (error instanceof WireError) {
      events.onBroken(id, error);
      reader.cancel(error).catch(() => undefined);
    } else if (resetCode(error) === CODES.skipped.number) {
      events.onSkip();
    }
    // Any other failure is the session's end, or a reset that asks nothing (PROTOCOL 4.9).
  }
}

function resetCode(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('streamErrorCode' in error)) return null;
  return typeof error.streamErrorCode === 'number' ? error.streamErrorCode : null;
}
