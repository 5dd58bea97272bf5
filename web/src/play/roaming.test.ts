// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RelayEndpoint } from '../session/endpoint.ts';
import * as away from './away.ts';
import type { FallbackOptions } from './fallback.ts';
import { type Footing, NO_FOOTING } from './footing.ts';
import { Memory } from './memory.ts';
import { NOTHING_YET, type PlayerSnapshot } from './messages.ts';
import type { Surface } from './playback.ts';
import type { PlayerRecords, ShownFrame } from './records.ts';
import { type RelayPlayer, RoamingPlayer } from './roaming.ts';
import { type SoundWish, UNHEARD } from './sound/wish.ts';
import type { PlayerState } from './state.ts';

const HOME = 'https://a.example';
const B = 'https://b.example';
const LOUD: SoundWish = { on: true, volume: 0.8 };

/** A player at a relay in the test's hands. */
class FakePlayer implements RelayPlayer {
  readonly options: FallbackOptions;
  stopped = false;
  sound: SoundWish;
  #snapshot = NOTHING_YET;
  #surface: Surface | null = null;

  constructor(options: FallbackOptions) {
    this.options = options;
    this.sound = options.sound;
  }
  surface = () => this.#surface;
  stop(): void {
    this.stopped = true;
  }
  setPlayout(): void {}
  redraw(): void {}
  resume(): void {}
  setSound(wish: SoundWish): void {
    this.sound = wish;
  }

  stand(footing: Partial<Footing>): void {
    const before = this.#snapshot.footing;
    this.#snapshot = { ...this.#snapshot, footing: { ...before, ...footing } };
    this.options.onSnapshot(this.#snapshot, []);
  }

  say(state: PlayerState, records: Partial<PlayerRecords> = {}, shown: ShownFrame[] = []): void {
    const counted = { ...this.#snapshot.records, ...records };
    this.#snapshot = { ...this.#snapshot, state, records: counted };
    this.options.onSnapshot(this.#snapshot, shown);
  }

  /** Has a session, and shows a first picture, captured then. */
  picture(capturedMs?: number): void {
    this.#surface = document.createElement('video');
    this.options.place.append(this.#surface);
    this.#snapshot = {
      ...this.#snapshot,
      footing: { ...NO_FOOTING, session: 'open', others: [B] },
    };
    const records = { framesShown: 10, sessionsOpened: 1, firstPictureMs: 100 };
    this.say({ kind: 'live' }, records, capturedMs === undefined ? [] : [captured(capturedMs)]);
  }

  shows(capturedMs: number): void {
    this.options.onSnapshot(this.#snapshot, [captured(capturedMs)]);
  }
}

function captured(ms: number): ShownFrame {
  return { epoch: 1, group: 0, index: 0, captureUs: ms * 1_000, shownUs: ms * 1_000 };
}

const ENDPOINT: RelayEndpoint = {
  sessionUrl: `${B}/session`,
  certificateHashes: [],
  clock: null,
  versions: { min: 1, max: 6 },
  relays: [B],
};

/** What waits for nothing but promises has happened. */
const CLAIMS = { exp: 100, steadycast: { broadcast: 'main', roles: ['play'] } };
const TOKEN = `${btoa('{}')}.${btoa(JSON.stringify(CLAIMS))}.sig`;

const settled = () => vi.advanceTimersByTimeAsync(0);

function play(answer: () => Promise<RelayEndpoint> = async () => ENDPOINT) {
  const at = new Map<string, FakePlayer>();
  const place = document.createElement('div');
  let snapshot: PlayerSnapshot = NOTHING_YET;
  const ask = vi.fn(answer);
  const load = vi.fn(async () => away);
  const start = () => {
    throw new Error('no transport is started here');
  };
  const player = new RoamingPlayer({
    place,
    origin: HOME,
    token: TOKEN,
    key: null,
    playout: 'automatic',
    possible: ['webtransport'],
    missing: null,
    memory: new Memory(HOME, null),
    sound: LOUD,
    start: { webtransport: start, whep: start, websocket: start },
    onSnapshot: (newest) => {
      snapshot = newest;
    },
    play: (options) => {
      const fake = new FakePlayer(options);
      at.set(options.origin, fake);
      return fake;
    },
    ask,
    load,
  });
  const relay = (origin: string) => {
    const fake = at.get(origin);
    if (fake === undefined) throw new Error(`nobody plays at ${origin}`);
    return fake;
  };
  return { player, place, at, relay, ask, load, snapshot: () => snapshot };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('plays at the relay that it was given, and asks nobody else for nothing', () => {
  const { relay, at, ask, snapshot } = play();
  relay(HOME).picture();
  expect(snapshot().state.kind).toBe('live');
  expect([...at.keys()]).toEqual([HOME]);
  expect(ask).not.toHaveBeenCalled();
});

it('gets what it takes to go while its relay is there, and not before the picture', async () => {
  const { relay, load } = play();
  relay(HOME).stand({ session: 'open', others: [B] });
  await settled();
  expect(load).not.toHaveBeenCalled();
  load.mockRejectedValueOnce(new Error('cut off'));
  relay(HOME).picture();
  await settled();
  relay(HOME).stand({});
  expect(load).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_000);
  relay(HOME).stand({});
  await settled();
  relay(HOME).stand({ silent: true });
  expect(load).toHaveBeenCalledTimes(2);
  expect(relay(B).stopped).toBe(false);
});

it('shows the picture of a silent relay until another one has its own, and is heard once', async () => {
  const { relay, player, snapshot } = play();
  relay(HOME).picture();
  await settled();
  const before = player.surface();
  relay(HOME).stand({ silent: true });
  expect(relay(B).sound).toEqual(UNHEARD);
  expect(player.surface()).toBe(before);
  expect(relay(HOME).stopped).toBe(false);
  relay(B).picture();
  expect(player.surface()).toBe(relay(B).surface());
  expect(before?.isConnected ?? false).toBe(false);
  expect(relay(HOME).stopped).toBe(true);
  expect(relay(B).sound).toEqual(LOUD);
  // What was counted there counts on.
  expect(snapshot().records).toMatchObject({ framesShown: 20, sessionsOpened: 2 });
  expect(snapshot().records.firstPictureMs).toBe(100);
});

it('shows no picture that is older than what is seen', async () => {
  const { relay, player } = play();
  relay(HOME).picture(10_000);
  await settled();
  relay(HOME).stand({ leaves: true });
  relay(B).picture(9_500);
  relay(HOME).shows(10_100);
  expect(player.surface()).toBe(relay(HOME).surface());
  expect(relay(HOME).stopped).toBe(false);
  relay(B).shows(10_100);
  expect(player.surface()).toBe(relay(B).surface());
  expect(relay(HOME).stopped).toBe(true);
});

it('drops what it tries when its own relay is heard again', async () => {
  const { relay, player, place } = play();
  relay(HOME).picture();
  await settled();
  relay(HOME).stand({ silent: true });
  const tried = relay(B);
  relay(HOME).stand({ silent: false });
  expect(tried.stopped).toBe(false);
  vi.advanceTimersByTime(500);
  expect(tried.stopped).toBe(true);
  expect(place.childElementCount).toBe(1);
  expect(player.surface()).toBe(relay(HOME).surface());
});

it('has asked the others ahead, and the new player need not', async () => {
  const { relay, ask } = play();
  relay(HOME).picture();
  await vi.advanceTimersByTimeAsync(2_000);
  relay(HOME).stand({});
  await vi.advanceTimersByTimeAsync(0);
  expect(ask).toHaveBeenCalledExactlyOnceWith(B, expect.anything());
  relay(HOME).stand({ session: 'absent' });
  expect(relay(B).options.endpoint).toBe(ENDPOINT);
});

it('passes over one that does not answer this browser', async () => {
  const { relay, at } = play(async () => {
    throw new Error('a certificate that nobody knows');
  });
  relay(HOME).picture();
  await vi.advanceTimersByTimeAsync(2_000);
  relay(HOME).stand({});
  await vi.advanceTimersByTimeAsync(0);
  relay(HOME).stand({ session: 'absent' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(at.has(B)).toBe(false);
});

it('asks a relay that is full where others are', async () => {
  const { relay, ask, snapshot } = play();
  relay(HOME).stand({ session: 'full' });
  await vi.advanceTimersByTimeAsync(0);
  expect(ask).toHaveBeenCalledExactlyOnceWith(HOME, expect.anything(), 'main');
  relay(B).picture();
  expect(snapshot().state.kind).toBe('live');
  expect(relay(HOME).stopped).toBe(true);
});

it('what ends the broadcast ends it at all of them', async () => {
  const { relay, at, snapshot } = play();
  relay(HOME).picture();
  await settled();
  relay(HOME).stand({ silent: true });
  const tried = relay(B);
  relay(HOME).say({ kind: 'ended', reason: 'broadcast_ended' });
  expect(tried.stopped).toBe(true);
  expect(at.size).toBe(2);
  expect(snapshot().state.kind).toBe('ended');
});

it('a relay that refuses this player does not end what plays', async () => {
  const { relay, snapshot } = play();
  relay(HOME).picture();
  await settled();
  relay(HOME).stand({ leaves: true });
  relay(B).say({ kind: 'refused', reason: 'unauthorized', message: 'who?' });
  expect(relay(B).stopped).toBe(true);
  expect(relay(HOME).stopped).toBe(false);
  expect(snapshot().state.kind).toBe('live');
});
