/** Sessions closed = 0 and black frames = 0, from the relay's, the pages' and the pixels' records. */

import assert from 'node:assert/strict';
import type { PlayerPage, Records } from './pages.ts';
import type { BroadcastSnapshot } from './relay.ts';
import { until } from './until.ts';

/**
 * What one player counted, in a line for people. `sessions`: opened; all but the last have ended, unless a transport was
 * left while its session was open: `closed`.
 */
export async function assertUnharmed(
  name: string,
  player: PlayerPage,
  sessions = 1,
  closed = sessions - 1,
): Promise<string> {
  const records = await freshRecords(player);
  const { sessionsOpened, sessionsClosed, blackFrames, blackChecks, blankResets } = records;
  const { decoderErrors, brokenStreams, framesShown, largestGapMs } = records;
  assert.equal(sessionsOpened, sessions, `${name}: sessions opened`);
  assert.equal(sessionsClosed, closed, `${name}: sessions closed`);
  assert.equal(blackFrames, 0, `${name}: black frames of ${blackChecks} looked at`);
  assert.equal(blankResets, 0, `${name}: the canvas was emptied`);
  assert.equal(decoderErrors, 0, `${name}: decoder errors`);
  assert.equal(brokenStreams, 0, `${name}: streams that broke the protocol`);
  assert.ok(blackChecks > 0, `${name}: its canvas was never looked at`);
  const own = `${name}: closed ${sessionsClosed}, black ${blackFrames}/${blackChecks} looks, ${framesShown} shown, largest gap ${ms(largestGapMs)}`;
  const pixels = await assertPixels(name, player);
  return pixels === null ? own : `${own}; pixels: ${pixels}`;
}

/** Records in which the player has looked at its canvas once more: what it tells is a little old. */
async function freshRecords(player: PlayerPage): Promise<Records> {
  const { blackChecks } = await player.records();
  return until('the player to look at its canvas', async () => {
    const records = await player.records();
    return records.blackChecks > blackChecks ? records : null;
  });
}

/** Null when nobody watches its pixels. */
async function assertPixels(name: string, player: PlayerPage): Promise<string | null> {
  if (!(await player.hasWitness())) return null;
  const seen = await player.witness();
  const { looks, read, blank, unread, backwards, flashes, largestGapMs } = seen;
  assert.ok(read > 0, `${name}: no code was ever read from its pixels`);
  const when = JSON.stringify({ blanks: seen.blanks, scenes: seen.scenes, states: seen.states });
  assert.equal(blank, 0, `${name}: blank pictures seen in ${looks} looks: ${when}`);
  assert.equal(backwards, 0, `${name}: an older picture after a newer one`);
  return `${read} codes read, blank ${blank}, unread ${unread}, flashes ${flashes}, largest gap ${ms(largestGapMs)}`;
}

/** The relay's own account of the same. */
export function assertRelayUnharmed(snapshot: BroadcastSnapshot, players: number): string {
  const { totals } = snapshot;
  // On a busy machine a player begins a second transport, and leaves the slower one by itself; that
  // it did not leave the other is in its own records.
  const { done: _, ...ended } = totals.playersLeft;
  assert.deepEqual(ended, {}, 'player sessions ended at the relay');
  assert.equal(snapshot.players, players, 'players at the relay');
  assert.equal(totals.blackFrames, 0, 'black frames reported to the relay');
  assert.equal(totals.decoderErrors, 0, 'decoder errors reported to the relay');
  const { playersJoined, framesReceived, framesSent, skips, largestGapUs } = totals;
  return `relay: ${playersJoined} joined, left ${JSON.stringify(totals.playersLeft)}, black ${totals.blackFrames}, frames ${framesReceived} in ${framesSent} out, skips ${skips}, largest gap ${ms(largestGapUs / 1_000)}`;
}

export function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
