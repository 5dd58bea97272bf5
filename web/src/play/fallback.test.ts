// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FallbackPlayer } from './fallback.ts';
import { Memory } from './memory.ts';
import { NOTHING_YET, type PlayerSnapshot } from './messages.ts';
import type { Playback, PlaybackOptions, Surface } from './playback.ts';
import type { TransportName } from './race.ts';
import type { PlayerRecords, ShownFrame } from './records.ts';
import { type SoundWish, UNHEARD } from './sound/wish.ts';
import type { PlayoutMode } from './spread.ts';
import type { PlayerState } from './state.ts';

/** A transport in the test's hands. */
class FakePlayback implements Playback {
  readonly options: PlaybackOptions;
  stopped = false;
  playout: PlayoutMode;
  #snapshot = NOTHING_YET;
  #surface: Surface | null = null;

  constructor(options: PlaybackOptions) {
    this.options = options;
    this.playout = options.playout;
  }
  surface = () => this.#surface;
  stop(): void {
    this.stopped = true;
  }
  setPlayout(mode: PlayoutMode): void {
    this.playout = mode;
  }
  redraw(): void {}
  resume(): void {}
  sound = UNHEARD;
  setSound(wish: SoundWish): void {
    this.sound = wish;
  }

  say(state: PlayerState, records: Partial<PlayerRecords> = {}, shown: ShownFrame[] = []): void {
    this.#snapshot = {
      ...this.#snapshot,
      state,
      records: { ...this.#snapshot.records, ...records },
    };
    this.options.onSnapshot(this.#snapshot, shown);
  }

  /** Plays on: so many more pictures, so late. */
  play(frames: number, latencyMs: number, slow: PlayerSnapshot['slow']): void {
    const framesShown = this.#snapshot.records.framesShown + frames;
    this.#snapshot = { ...this.#snapshot, slow };
    this.say({ kind: 'live' }, { framesShown, latencyMs });
  }

  /** Shows a first picture. */
  picture(capturedMs?: number): void {
    this.#surface = document.createElement('video');
    this.options.place.append(this.#surface);
    const shown = capturedMs === undefined ? [] : [captured(capturedMs)];
    this.say({ kind: 'live' }, { framesShown: 1, firstPictureMs: 100 }, shown);
  }

  /** Another one, captured then. */
  shows(capturedMs: number): void {
    this.options.onSnapshot(this.#snapshot, [captured(capturedMs)]);
  }
}

function captured(ms: number): ShownFrame {
  return { epoch: 1, group: 0, index: 0, captureUs: ms * 1_000, shownUs: ms * 1_000 };
}

const LOST: PlayerState = { kind: 'reconnecting', sinceMs: 7_000, covered: false };

function store() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    values: () => kept.values(),
  };
}

function play(possible: TransportName[] = ['webtransport', 'whep'], kept = store()) {
  const started: Partial<Record<TransportName, FakePlayback>> = {};
  const place = document.createElement('div');
  let snapshot: PlayerSnapshot = NOTHING_YET;
  const start = (name: TransportName) => (options: PlaybackOptions) => {
    const playback = new FakePlayback(options);
    started[name] = playback;
    return playback;
  };
  const player = new FallbackPlayer({
    place,
    origin: 'https://relay.test',
    token: 't',
    key: null,
    playout: 'automatic',
    possible,
    missing: possible.includes('webtransport') ? null : 'webkit',
    memory: new Memory('https://relay.test', kept),
    sound: { on: true, volume: 0.8 },
    start: {
      webtransport: start('webtransport'),
      whep: start('whep'),
      websocket: start('websocket'),
    },
    onSnapshot: (newest) => {
      snapshot = newest;
    },
  });
  return { player, started, place, kept, snapshot: () => snapshot };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('plays on the first transport when it opens in time', () => {
  const { started, player, snapshot } = play();
  started.webtransport?.options.onProgress('opening');
  started.webtransport?.options.onProgress('open');
  started.webtransport?.picture();
  vi.advanceTimersByTime(60_000);
  expect(started.whep).toBeUndefined();
  expect(snapshot()).toMatchObject({ state: { kind: 'live' }, transport: 'webtransport' });
  expect(player.surface()).toBe(started.webtransport?.surface());
});

describe('what is heard', () => {
  const heard = (playback: FakePlayback | undefined) => playback?.sound.on;

  it('is nothing while two run for it, and then the one that is kept', () => {
    const { started } = play();
    started.webtransport?.options.onProgress('opening');
    vi.advanceTimersByTime(500);
    expect(heard(started.webtransport)).toBe(false);
    expect(heard(started.whep)).toBe(false);
    started.whep?.options.onProgress('open');
    expect(started.whep?.sound).toEqual({ on: true, volume: 0.8 });
    expect(started.webtransport?.stopped).toBe(true);
  });

  it('is what the viewer wants, from the kept one alone', () => {
    const { started, player } = play();
    started.webtransport?.options.onProgress('open');
    player.setSound({ on: true, volume: 0.3 });
    expect(started.webtransport?.sound.volume).toBe(0.3);
    player.setSound({ on: false, volume: 0.3 });
    expect(heard(started.webtransport)).toBe(false);
  });

  it('is not a transport that is tried unseen', () => {
    const { started } = play();
    started.webtransport?.options.onProgress('open');
    started.webtransport?.picture();
    // Two stalls in two minutes have the other one tried.
    for (let second = 0; second < 30 && started.whep === undefined; second += 1) {
      vi.advanceTimersByTime(1_000);
      started.webtransport?.play(30, 5_000, null);
    }
    started.whep?.options.onProgress('open');
    started.whep?.picture();
    expect(heard(started.whep)).toBe(false);
    expect(heard(started.webtransport)).toBe(true);
  });
});

it('starts the second beneath after half a second, and ends the first when it opens', () => {
  const { started, place, snapshot } = play();
  started.webtransport?.options.onProgress('opening');
  vi.advanceTimersByTime(500);
  expect(place.children).toHaveLength(2);
  started.whep?.options.onProgress('opening');
  started.whep?.options.onProgress('open');
  expect(started.webtransport?.stopped).toBe(true);
  expect(place.children).toHaveLength(1);
  started.whep?.picture();
  expect(snapshot()).toMatchObject({
    transport: 'whep',
    records: { framesShown: 1, firstPictureMs: 600 },
  });
});

it('remembers who won', () => {
  const first = play();
  first.started.webtransport?.options.onProgress('failed');
  first.started.whep?.options.onProgress('open');
  const second = play(['webtransport', 'whep'], first.kept);
  expect(Object.keys(second.started)).toEqual(['whep']);
});

it('keeps the old picture until the other transport has one, and calls that reconnecting', () => {
  const { started, place, player, snapshot } = play();
  started.webtransport?.options.onProgress('open');
  started.webtransport?.picture();
  const old = player.surface();
  started.webtransport?.options.onProgress('down');
  started.webtransport?.say(LOST);
  started.webtransport?.options.onProgress('opening');
  vi.advanceTimersByTime(2_000);
  expect(started.whep).toBeDefined();
  expect(snapshot().state).toEqual(LOST);
  started.whep?.options.onProgress('open');
  started.whep?.say({ kind: 'connecting', attempt: 1 });
  expect(started.webtransport?.stopped).toBe(true);
  expect(snapshot().state).toEqual(LOST);
  expect(player.surface()).toBe(old);
  expect(old?.isConnected || place.contains(old)).toBe(true);
  expect(place.lastElementChild?.contains(old), 'on top').toBe(true);
  started.whep?.picture();
  expect(snapshot().state).toEqual({ kind: 'live' });
  expect(player.surface()).toBe(started.whep?.surface());
  expect(place.contains(old)).toBe(false);
  expect(snapshot().records.framesShown).toBe(2);
});

it('moves to another transport when sessions break off again and again, under the picture that is there', () => {
  const { started, place, player, snapshot, kept } = play(['webtransport', 'websocket']);
  started.webtransport?.options.onProgress('open');
  started.webtransport?.picture();
  const old = player.surface();
  for (let times = 0; times < 2; times += 1) {
    vi.advanceTimersByTime(5_000);
    started.webtransport?.say(LOST);
    started.webtransport?.options.onProgress('down');
    started.webtransport?.options.onProgress('reopening');
    if (times === 0) started.webtransport?.options.onProgress('open');
  }
  expect([started.webtransport?.stopped, started.websocket?.stopped]).toEqual([true, false]);
  expect(snapshot().state).toEqual(LOST);
  expect([player.surface(), place.contains(old)]).toEqual([old, true]);
  started.websocket?.options.onProgress('open');
  started.websocket?.picture();
  expect(snapshot()).toMatchObject({ state: { kind: 'live' }, transport: 'websocket' });
  expect(place.contains(old)).toBe(false);
  expect([...kept.values()].join(), 'the next page begins with it').toContain('websocket');
});

describe('a transport that begins with pictures from before', () => {
  /** Another transport has taken over, whose first picture is a second older than what is seen. */
  function behind() {
    const { started, player } = play();
    started.webtransport?.options.onProgress('open');
    started.webtransport?.picture(10_000);
    started.webtransport?.options.onProgress('impossible');
    started.whep?.options.onProgress('open');
    started.whep?.picture(9_000);
    return { started, player };
  }

  it('is not seen before it has caught up', () => {
    const { started, player } = behind();
    expect(player.surface()).toBe(started.webtransport?.surface());
    started.whep?.shows(9_900);
    expect(player.surface()).toBe(started.webtransport?.surface());
    started.whep?.shows(10_000);
    expect(player.surface()).toBe(started.whep?.surface());
  });

  it('is seen all the same where it does not catch up in a second', () => {
    const { started, player } = behind();
    vi.advanceTimersByTime(999);
    expect(player.surface()).toBe(started.webtransport?.surface());
    vi.advanceTimersByTime(1);
    expect(player.surface()).toBe(started.whep?.surface());
  });
});

describe('a transport that does badly', () => {
  /** Both run at these rates and delays for so long; snapshots come four times a second. */
  function run(
    { started }: ReturnType<typeof play>,
    seconds: number,
    rates: Partial<Record<TransportName, [fps: number, delayMs: number]>>,
    slow: PlayerSnapshot['slow'] = null,
  ): void {
    for (let at = 0; at < seconds * 4; at += 1) {
      vi.advanceTimersByTime(250);
      for (const name of ['webtransport', 'whep'] as const) {
        const [fps, latencyMs] = rates[name] ?? [0, 0];
        if (rates[name] !== undefined) started[name]?.play(fps / 4, latencyMs, slow);
      }
    }
  }

  function watching(): ReturnType<typeof play> {
    const playing = play();
    playing.started.webtransport?.options.onProgress('open');
    playing.started.webtransport?.picture();
    return playing;
  }

  it('is compared with the other one, and replaced when that is better', () => {
    const playing = watching();
    const { started, player, snapshot, kept } = playing;
    run(playing, 8, { webtransport: [4, 3_000] });
    expect(started.whep).toBeDefined();
    started.whep?.options.onProgress('open');
    started.whep?.picture();
    run(playing, 4, { webtransport: [4, 3_000], whep: [30, 120] });
    expect(snapshot().transport, 'the picture stays meanwhile').toBe('webtransport');
    expect(player.surface()).toBe(started.webtransport?.surface());
    run(playing, 8, { webtransport: [4, 3_000], whep: [30, 120] });
    expect([snapshot().transport, started.webtransport?.stopped]).toEqual(['whep', true]);
    expect(player.surface()).toBe(started.whep?.surface());
    expect([...kept.values()].join()).toContain('whep');
  });

  it('is kept where the other one is as bad, and not compared again soon', () => {
    const playing = watching();
    const { started, snapshot, place, kept } = playing;
    run(playing, 8, { webtransport: [4, 3_000] });
    const rival = started.whep;
    rival?.options.onProgress('open');
    rival?.picture();
    run(playing, 12, { webtransport: [4, 3_000], whep: [4, 3_000] });
    expect([snapshot().transport, rival?.stopped]).toEqual(['webtransport', true]);
    expect(place.children).toHaveLength(1);
    expect([...kept.values()].join()).not.toContain('whep');
    run(playing, 40, { webtransport: [4, 3_000] });
    expect(started.whep).toBe(rival);
    run(playing, 30, { webtransport: [4, 3_000] });
    expect(started.whep).not.toBe(rival);
  });

  it('is not compared where the relay says that the path carries no more', () => {
    const playing = watching();
    const slow = { carriesKbps: 400, told: true };
    run(playing, 60, { webtransport: [2, 4_000] }, slow);
    expect(playing.started.whep).toBeUndefined();
  });

  it('is not compared while the host is away', () => {
    const playing = watching();
    playing.started.webtransport?.say({ kind: 'away', sinceMs: 0 });
    for (let at = 0; at < 200; at += 1) {
      vi.advanceTimersByTime(250);
      playing.started.webtransport?.say({ kind: 'away', sinceMs: 0 });
    }
    expect(playing.started.whep).toBeUndefined();
  });
});

it('says what the browser lacks where no transport is left', () => {
  const { started, snapshot } = play(['whep']);
  started.whep?.say({ kind: 'unsupported', reason: 'webtransport' });
  started.whep?.options.onProgress('impossible');
  expect(snapshot().state).toEqual({ kind: 'unsupported', reason: 'webkit' });
});

it('says so where the network lets no UDP through and nothing else is possible, and goes on trying', () => {
  const { started, snapshot } = play(['whep']);
  started.whep?.options.onProgress('opening');
  started.whep?.options.onProgress('failed');
  expect(snapshot().state).toEqual({ kind: 'unsupported', reason: 'udp' });
  started.whep?.options.onProgress('opening');
  expect(snapshot().state).toEqual({ kind: 'unsupported', reason: 'udp' });
  started.whep?.options.onProgress('open');
  started.whep?.picture();
  expect(snapshot().state).toEqual({ kind: 'live' });
});

it('says so where none of them gets through although the relay answers, and plays when one does', () => {
  const { started, snapshot } = play(['webtransport', 'whep', 'websocket']);
  const fail = (name: TransportName) => {
    started[name]?.say({ kind: 'connecting', attempt: 2 });
    started[name]?.options.onProgress('opening');
    started[name]?.options.onProgress('failed');
  };
  fail('webtransport');
  fail('whep');
  expect(snapshot().state).toMatchObject({ kind: 'connecting' });
  fail('websocket');
  expect(snapshot().state).toEqual({ kind: 'unsupported', reason: 'blocked' });
  started.whep?.options.onProgress('opening');
  expect(snapshot().state, 'until something is known').toMatchObject({ reason: 'blocked' });
  started.webtransport?.options.onProgress('down');
  expect(snapshot().state, 'the relay is silent').toMatchObject({ kind: 'connecting' });
  for (const name of ['webtransport', 'whep', 'websocket'] as const) fail(name);
  started.websocket?.options.onProgress('open');
  started.websocket?.picture();
  expect(snapshot().state).toEqual({ kind: 'live' });
});

it('does not wait for what this browser cannot do to say that nothing gets through', () => {
  const { started, snapshot } = play(['webtransport', 'websocket']);
  started.webtransport?.options.onProgress('impossible');
  started.websocket?.options.onProgress('failed');
  expect(snapshot().state).toEqual({ kind: 'unsupported', reason: 'blocked' });
});

describe('on a lesser transport', () => {
  const ALL: TransportName[] = ['webtransport', 'whep', 'websocket'];

  /** Both play so many seconds; snapshots come four times a second. */
  function run(
    { started }: ReturnType<typeof play>,
    seconds: number,
    names: TransportName[],
  ): void {
    for (let at = 0; at < seconds * 4; at += 1) {
      vi.advanceTimersByTime(250);
      for (const name of names) started[name]?.play(7, 120, null);
    }
  }

  function onWebSocket() {
    const playing = play(ALL);
    const { started } = playing;
    started.webtransport?.options.onProgress('failed');
    started.whep?.options.onProgress('failed');
    started.websocket?.options.onProgress('open');
    started.websocket?.picture();
    return playing;
  }

  it('moves to a better one once that has shown its picture, and ends the lesser one then', () => {
    const playing = onWebSocket();
    const { started, player, snapshot, place, kept } = playing;
    const before = started.webtransport;
    run(playing, 61, ['websocket']);
    expect(started.webtransport).not.toBe(before);
    started.webtransport?.options.onProgress('open');
    expect(started.websocket?.stopped).toBe(false);
    expect(player.surface(), 'no picture yet').toBe(started.websocket?.surface());
    started.webtransport?.picture();
    run(playing, 11, ['websocket', 'webtransport']);
    expect(snapshot()).toMatchObject({ transport: 'webtransport', state: { kind: 'live' } });
    expect([started.websocket?.stopped, place.children.length]).toEqual([true, 1]);
    expect(player.surface()).toBe(started.webtransport?.surface());
    expect([...kept.values()].join()).toContain('"webtransport"');
  });

  it('tries at once when the network is another one', () => {
    const { started } = onWebSocket();
    const before = started.webtransport;
    dispatchEvent(new Event('online'));
    expect(started.webtransport).not.toBe(before);
  });

  it('plays on when a better one is refused because the link has expired', () => {
    const playing = onWebSocket();
    const { started, snapshot } = playing;
    dispatchEvent(new Event('online'));
    const rival = started.webtransport;
    rival?.say({ kind: 'refused', reason: 'token_expired', message: 'expired' });
    rival?.options.onProgress('over');
    expect([rival?.stopped, started.websocket?.stopped]).toEqual([true, false]);
    run(playing, 120, ['websocket']);
    expect(snapshot()).toMatchObject({ transport: 'websocket', state: { kind: 'live' } });
    expect(started.webtransport, 'not tried again').toBe(rival);
  });

  it('asks nothing of the network after it has stopped', () => {
    const { started, player } = onWebSocket();
    player.stop();
    const before = started.webtransport;
    dispatchEvent(new Event('online'));
    expect(started.webtransport).toBe(before);
  });
});

it('says what the last transport was told where that says more', () => {
  const { started, snapshot } = play();
  const refused: PlayerState = { kind: 'refused', reason: 'malformed', message: 'no' };
  started.webtransport?.say(refused);
  started.webtransport?.options.onProgress('impossible');
  started.whep?.say({ kind: 'unsupported', reason: 'webtransport' });
  started.whep?.options.onProgress('impossible');
  expect(snapshot().state).toEqual(refused);
});

it('ends with the broadcast, whichever transport heard of it', () => {
  const { started, snapshot } = play();
  started.webtransport?.options.onProgress('failed');
  started.whep?.say({ kind: 'ended', reason: 'broadcast_ended' });
  started.whep?.options.onProgress('over');
  vi.advanceTimersByTime(60_000);
  expect(started.webtransport?.stopped).toBe(true);
  expect(snapshot().state).toEqual({ kind: 'ended', reason: 'broadcast_ended' });
});

it('tells every transport how to play, also those that start later', () => {
  const { started, player } = play();
  player.setPlayout('live');
  started.webtransport?.options.onProgress('failed');
  expect([started.webtransport?.playout, started.whep?.playout]).toEqual(['live', 'live']);
});

it('stops all of them, and says no more', () => {
  const { started, player, snapshot } = play();
  started.webtransport?.options.onProgress('failed');
  player.stop();
  expect([started.webtransport?.stopped, started.whep?.stopped]).toEqual([true, true]);
  started.whep?.picture();
  expect(snapshot().records.framesShown).toBe(0);
});
