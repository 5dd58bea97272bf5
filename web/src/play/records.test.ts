import { expect, it } from 'vitest';
import { Records } from './records.ts';

/** Shows so many frames that are so old. */
function show(records: Records, frames: number, latencyMs: number): void {
  for (let index = 0; index < frames; index += 1) {
    records.count('framesReceived');
    records.count('framesDecoded');
    const shownUs = 1_000_000 + index * 33_000;
    const frame = { epoch: 1, group: 1, index, captureUs: shownUs - latencyMs * 1_000, shownUs };
    records.shown(frame, shownUs / 1_000, true);
  }
}

it('reports what its session has brought, and how old the newest second of it was', () => {
  const records = new Records();
  show(records, 10, 900);
  const base = records.report(null);
  show(records, 60, 40);
  expect(records.report(base)).toMatchObject({
    received: 60,
    decoded: 60,
    shown: 60,
    latencyUs: 40_000,
  });
});

it('reports what nobody could see as not shown, and nothing of how late it was', () => {
  const records = new Records();
  show(records, 30, 40);
  records.hidden = true;
  show(records, 30, 1_000);
  expect(records.report(null)).toMatchObject({ decoded: 60, shown: 30, latencyUs: 0 });
  // The page itself goes on counting all that it draws.
  expect(records.framesShown).toBe(60);
  records.hidden = false;
  expect(records.report(null)).toMatchObject({ shown: 30, latencyUs: 0 });
  show(records, 1, 50);
  expect(records.report(null)).toMatchObject({ decoded: 61, shown: 31, latencyUs: 50_000 });
});
