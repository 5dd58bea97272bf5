// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PlayerSnapshot } from '../messages.ts';
import { Early } from './early.ts';
import { FakeConnection, FakeMediaStream, FakeWhepRelay } from './fake.ts';
import { stubVideos } from './fake-video.ts';
import { Peer } from './peer.ts';
import { WhepPlayer } from './player.ts';

const ORIGIN = 'https://relay.test';
const CLAIMS = { sub: 'b', role: 'play', exp: 9_999_999_999 };
const TOKEN = `h.${btoa(JSON.stringify(CLAIMS)).replaceAll('=', '')}.s`;

let relay = new FakeWhepRelay();
let connection = new FakeConnection();

beforeEach(() => {
  vi.useFakeTimers();
  stubVideos();
  relay = new FakeWhepRelay();
  connection = new FakeConnection();
  vi.stubGlobal('MediaStream', FakeMediaStream);
  vi.stubGlobal('fetch', vi.fn(relay.fetch));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Turns of the real event loop, which responses take. */
async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !done(); turn += 1) await vi.advanceTimersByTimeAsync(1);
}

/** A session that the relay has answered before there was a player. */
async function begun(): Promise<Early> {
  const early = new Early(ORIGIN, TOKEN, 'b', new Peer(connection as unknown as RTCPeerConnection));
  await until(() => relay.made.length === 1);
  return early;
}

it('is the session that the player plays, and connects once there is one', async () => {
  const early = await begun();
  expect(connection.descriptions).toEqual([]);
  let snapshot: PlayerSnapshot | undefined;
  const player = new WhepPlayer({
    place: document.createElement('div'),
    origin: ORIGIN,
    token: TOKEN,
    key: null,
    playout: 'automatic',
    onProgress: () => undefined,
    onSnapshot: (newest) => {
      snapshot = newest;
    },
    makePeer: () => {
      throw new Error('there is one');
    },
    takeEarly: () => early,
  });
  void player.run();
  await until(() => connection.descriptions.length === 2);
  connection.become('connected');
  await vi.advanceTimersByTimeAsync(500);
  expect(snapshot?.records.sessionsOpened).toBe(1);
  expect(relay.made).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(connection.closed).toBe(false);
  expect(relay.left).toEqual([]);
  player.stop();
});

it('is left where nobody comes for it', async () => {
  const early = await begun();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(early.take()).toBeNull();
  expect(connection.closed).toBe(true);
  expect(relay.left).toEqual(relay.made);
});

it('is there once', async () => {
  const early = await begun();
  expect(early.take()).not.toBeNull();
  expect(early.take()).toBeNull();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(relay.left).toEqual([]);
});
