// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PlayerSnapshot } from '../messages.ts';
import type { Progress } from '../race.ts';
import type { ShownFrame } from '../records.ts';
import { FakeConnection, FakeMediaStream, FakeWhepRelay } from './fake.ts';
import { frame, seen, stubVideos } from './fake-video.ts';
import { Peer } from './peer.ts';
import { WhepPlayer } from './player.ts';

const CLAIMS = { sub: 'b', role: 'play', exp: 9_999_999_999 };
const TOKEN = `h.${btoa(JSON.stringify(CLAIMS)).replaceAll('=', '')}.s`;

let relay = new FakeWhepRelay();
let connections: FakeConnection[] = [];
let player: WhepPlayer | null = null;

beforeEach(() => {
  vi.useFakeTimers();
  stubVideos();
  relay = new FakeWhepRelay();
  connections = [];
  vi.stubGlobal('MediaStream', FakeMediaStream);
  vi.stubGlobal('fetch', vi.fn(relay.fetch));
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  player?.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function play(token = TOKEN) {
  const place = document.createElement('div');
  const progress: Progress[] = [];
  const shown: ShownFrame[] = [];
  const told: string[] = [];
  let snapshot: PlayerSnapshot | undefined;
  player = new WhepPlayer({
    place,
    origin: 'https://relay.test',
    token,
    key: null,
    playout: 'automatic',
    onProgress: (step) => progress.push(step),
    onSnapshot: (newest, frames) => {
      snapshot = newest;
      shown.push(...frames);
      if (told.at(-1) !== newest.state.kind) told.push(newest.state.kind);
    },
    makePeer: () => {
      const connection = new FakeConnection();
      connections.push(connection);
      return new Peer(connection as unknown as RTCPeerConnection);
    },
  });
  void player.run();
  const state = () => snapshot?.state;
  const records = () => snapshot?.records;
  const bottom = () => place.firstElementChild as HTMLVideoElement | null;
  return { place, progress, shown, told, state, records, bottom, snapshot: () => snapshot };
}

type Playing = ReturnType<typeof play>;

/** The connection of this number comes about, once it has been answered. */
async function connect(number = 1): Promise<void> {
  const answered = () => connections[number - 1]?.descriptions.length === 2;
  // Responses take a turn or two of the real event loop.
  for (let turn = 0; turn < 100 && !answered(); turn += 1) await vi.advanceTimersByTimeAsync(5);
  connections[number - 1]?.become('connected');
  await vi.advanceTimersByTimeAsync(20);
}

async function watch(): Promise<Playing> {
  const playing = play();
  await connect();
  frame(playing.bottom());
  return playing;
}

async function seconds(count: number, each: () => void = () => undefined): Promise<void> {
  for (let second = 0; second < count; second += 1) {
    each();
    relay.tell('ping', { relayUs: 9 });
    await vi.advanceTimersByTimeAsync(1_000);
  }
}

it('joins, and is live at the first picture', async () => {
  const { progress, told, state, records } = await watch();
  expect(progress).toEqual(['opening', 'open']);
  expect(state()).toEqual({ kind: 'live' });
  expect(told).toEqual(['connecting', 'live']);
  await vi.advanceTimersByTimeAsync(300);
  expect(records()).toMatchObject({
    sessionsOpened: 1,
    sessionsClosed: 0,
    framesShown: 1,
    blackFrames: 0,
    picture: { width: 640, height: 360 },
  });
});

it('says how it stands with the sound: there, wanted, heard', async () => {
  const { snapshot } = await watch();
  const state = () => snapshot()?.sound.state;
  expect(state()).toBe('none');
  relay.tell('sound', { sound: { codec: 'opus', channels: 2 } });
  await vi.advanceTimersByTimeAsync(300);
  expect(state()).toBe('off');
  player?.setSound({ on: true, volume: 1 });
  expect(state()).toBe('on');
  relay.tell('sound', { sound: null });
  await vi.advanceTimersByTimeAsync(300);
  expect(state()).toBe('none');
});

it('says that the network is slow when the relay does', async () => {
  const { snapshot } = await watch();
  expect(snapshot()?.slow).toBeNull();
  relay.tell('path', { narrow: true, carriesKbps: 380 });
  await vi.advanceTimersByTimeAsync(300);
  expect(snapshot()?.slow).toEqual({ carriesKbps: 380, told: true });
});

it('lets the browser hold nothing where the viewer wants to be closest to live', async () => {
  await watch();
  expect(connections[0]?.receiver.jitterBufferTarget).toBeNull();
  player?.setPlayout('live');
  expect(connections[0]?.receiver.jitterBufferTarget).toBe(0);
});

it('asks Firefox never to hold nothing again once frames were held', async () => {
  vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue(
    'Mozilla/5.0 Gecko/20100101 Firefox/153.0',
  );
  const connection = new FakeConnection();
  const peer = new Peer(connection as unknown as RTCPeerConnection);
  const asked = [null, 0, 60, 20, 0, null, 30].map((ms) => {
    peer.holdMs = ms;
    return connection.receiver.jitterBufferTarget;
  });
  expect(asked).toEqual([null, 0, 60, 20, 1, 1, 30]);
});

it('waits for a host, and says when one goes and comes back', async () => {
  relay.phase = 'waiting';
  const { state, bottom } = play();
  await connect();
  expect(state()).toEqual({ kind: 'waiting' });
  relay.state('live');
  await vi.advanceTimersByTimeAsync(5);
  frame(bottom());
  expect(state()?.kind).toBe('live');
  relay.state('held');
  await vi.advanceTimersByTimeAsync(5);
  expect(state()?.kind).toBe('away');
  relay.state('live');
  await vi.advanceTimersByTimeAsync(5);
  frame(bottom());
  expect(state()?.kind).toBe('live');
});

it('calls a screen that rests static, for as long as it likes', async () => {
  const { state, told } = await watch();
  await seconds(90);
  expect(state()?.kind).toBe('static');
  expect(told).toEqual(['connecting', 'live', 'static']);
  expect(connections).toHaveLength(1);
});

it('takes the relay’s word on what is new: a refined picture is not', async () => {
  const { state, told, bottom } = await watch();
  relay.tell('content', { stillSinceUs: null });
  await seconds(1);
  relay.tell('content', { stillSinceUs: 7 });
  await vi.advanceTimersByTimeAsync(5);
  expect(state()?.kind).toBe('static');
  frame(bottom());
  await seconds(3);
  expect(state()?.kind).toBe('static');
  relay.tell('content', { stillSinceUs: null });
  await vi.advanceTimersByTimeAsync(5);
  expect(state()?.kind).toBe('live');
  await seconds(30);
  expect(state()?.kind, 'it moves, as the relay says').toBe('live');
  expect(told).toEqual(['connecting', 'live', 'static', 'live']);
});

it('replaces a failed connection under the last picture', async () => {
  const { told, place, bottom, records } = await watch();
  await seconds(6);
  const old = player?.surface();
  connections[0]?.become('failed');
  await vi.advanceTimersByTimeAsync(0);
  expect(told.at(-1)).toBe('reconnecting');
  await connect(2);
  expect(connections).toHaveLength(2);
  expect(connections[0]?.closed, 'its last picture is still needed').toBe(false);
  expect(place.lastElementChild).toBe(old);
  frame(bottom());
  expect(connections[0]?.closed).toBe(true);
  expect(relay.left).toEqual(['/b/whep/1']);
  expect([...place.children]).toEqual([player?.surface()]);
  expect(told.at(-1)).toBe('live');
  await vi.advanceTimersByTimeAsync(300);
  expect(records()).toMatchObject({ sessionsOpened: 2, sessionsClosed: 1, framesShown: 2 });
});

it('replaces one whose picture stands still', async () => {
  const playing = await watch();
  await seconds(3, () => connections[0]?.receive());
  await seconds(5, () => {
    const { framesReceived = 0, bytesReceived = 0 } = connections[0]?.stats ?? {};
    const frozen = { framesReceived: framesReceived + 30, bytesReceived: bytesReceived + 9_000 };
    Object.assign(connections[0]?.stats ?? {}, frozen);
  });
  expect(playing.told).toContain('reconnecting');
  await connect(2);
  expect(connections).toHaveLength(2);
});

it('replaces one whose pictures are decoded and not shown', async () => {
  const { bottom } = await watch();
  await seconds(3, () => {
    connections[0]?.receive();
    frame(bottom());
  });
  expect(connections).toHaveLength(1);
  await seconds(6, () => connections[0]?.receive());
  expect(connections).toHaveLength(2);
});

it('leaves one alone whose pictures are scrolled away', async () => {
  seen.inSight = false;
  await watch();
  await seconds(20, () => connections[0]?.receive());
  expect(connections).toHaveLength(1);
});

it('comes back after a restart of the relay', async () => {
  const { told, bottom } = await watch();
  await seconds(6);
  relay.tell('ended', { code: 'shutting_down', message: 'bye', retryAfterMs: 500 });
  await vi.advanceTimersByTimeAsync(400);
  expect(connections).toHaveLength(1);
  await connect(2);
  frame(bottom());
  expect(told.slice(-2)).toEqual(['reconnecting', 'live']);
});

it('ends with the broadcast, and keeps a copy of its last picture', async () => {
  const { state, progress, place } = await watch();
  relay.tell('ended', { code: 'broadcast_ended', message: 'over', retryAfterMs: null });
  await vi.advanceTimersByTimeAsync(10);
  expect(state()).toEqual({ kind: 'ended', reason: 'broadcast_ended' });
  expect(progress.at(-1)).toBe('over');
  expect(connections[0]?.closed).toBe(true);
  expect(place.lastElementChild).toBeInstanceOf(HTMLCanvasElement);
});

it('tells that a version for it is being made, until it is there', async () => {
  const { state } = await watch();
  relay.tell('serving', { service: 'preparing', track: 1, codec: 'h264' });
  await vi.advanceTimersByTimeAsync(5);
  expect(state()).toEqual({ kind: 'preparing' });
  relay.tell('serving', { service: 'unsupported', track: 0, codec: 'av1' });
  await vi.advanceTimersByTimeAsync(5);
  expect(state()).toEqual({ kind: 'undecodable', codec: 'av1' });
  relay.tell('serving', { service: 'ready', track: 1, codec: 'h264' });
  await vi.advanceTimersByTimeAsync(5);
  expect(state()?.kind).toBe('live');
});

it('leaves when it is stopped, its picture covered', async () => {
  const { place } = await watch();
  player?.stop();
  await vi.advanceTimersByTimeAsync(10);
  expect(relay.left).toEqual(['/b/whep/1']);
  expect(place.lastElementChild).toBeInstanceOf(HTMLCanvasElement);
});

it('does not wait for a connection of a network that has gone', async () => {
  const { told } = await watch();
  await seconds(6);
  window.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(10);
  expect(told.at(-1), 'it works').toBe('static');
  connections[0]?.become('disconnected');
  await vi.advanceTimersByTimeAsync(10);
  expect(told.at(-1), 'it may come back').toBe('static');
  window.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(10);
  expect(told.at(-1)).toBe('reconnecting');
});

it('leaves when the page goes, and comes back with it', async () => {
  await watch();
  await seconds(6);
  window.dispatchEvent(new Event('pagehide'));
  expect(relay.left).toEqual(['/b/whep/1']);
  await connect(2);
  expect(relay.made).toHaveLength(2);
});

it('does not ask with what is no token', async () => {
  const { state, progress } = play('nonsense');
  await vi.advanceTimersByTimeAsync(10);
  expect(state()).toMatchObject({ kind: 'refused', reason: 'unauthorized' });
  expect(progress.at(-1)).toBe('over');
  expect(relay.made).toEqual([]);
});

it('is impossible where the relay has no WebRTC', async () => {
  relay.refusals.push({ status: 404, code: 'unknown_message' });
  const { progress } = play();
  for (let turn = 0; turn < 100 && progress.length < 2; turn += 1) {
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(progress).toEqual(['opening', 'impossible']);
});

it('tells the latency of what is captured after the join', async () => {
  const { bottom, shown, records } = await watch();
  const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1_000);
  const rtp = (us: number) => Number(((BigInt(us) * 9n) / 100n) % 2n ** 32n);
  await vi.advanceTimersByTimeAsync(500);
  frame(bottom(), rtp(nowUs() - 40_000));
  await vi.advanceTimersByTimeAsync(300);
  expect(records()?.latencyMs).toBeCloseTo(40, 0);
  expect(shown.map(({ index, epoch }) => [index, epoch])).toEqual([
    [0, 1],
    [1, 1],
  ]);
});

it('reports what it shows of its session, and soon when the page is hidden', async () => {
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(false);
  const playing = await watch();
  const each = () => {
    connections[0]?.receive();
    if (!document.hidden) frame(playing.bottom());
  };
  await seconds(12, each);
  const reports = relay.reports ?? [];
  expect(reports.length).toBeGreaterThanOrEqual(2);
  expect(reports.length).toBeLessThanOrEqual(3);
  for (const { session } of reports) expect(session).toBe(relay.made[0]);
  const newest = reports.at(-1)?.told as { decoded: number; shown: number };
  expect(newest.decoded).toBeGreaterThan(150);
  expect(newest.shown).toBeGreaterThan(5);
  hidden.mockReturnValue(true);
  vi.stubGlobal('requestAnimationFrame', () => 0);
  document.dispatchEvent(new Event('visibilitychange'));
  await seconds(3, each);
  const first = reports.at(-1)?.told as { decoded: number; shown: number };
  await seconds(7, each);
  const later = reports.at(-1)?.told as { decoded: number; shown: number };
  expect(later.decoded).toBeGreaterThan(first.decoded + 100);
  expect(later.shown).toBe(first.shown);
  expect(later).not.toHaveProperty('latencyMs');
});

it('reports nothing more to a relay that takes no reports', async () => {
  relay.reports = null;
  const asked = vi.mocked(fetch);
  const playing = await watch();
  await seconds(20, () => {
    connections[0]?.receive();
    frame(playing.bottom());
  });
  const reports = asked.mock.calls.filter(([url]) => String(url).endsWith('/report'));
  expect(reports).toHaveLength(1);
});

it('says of a private broadcast that its link lacks the key, for here nothing is opened', async () => {
  relay.refusals.push({ status: 403, code: 'private' });
  const playing = play();
  await vi.waitFor(() => expect(playing.state()?.kind).toBe('locked'));
  expect(playing.state()).toEqual({ kind: 'locked', why: 'keyless' });
  expect(playing.progress.at(-1)).toBe('impossible');
});
