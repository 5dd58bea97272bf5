import { decodeSound, type SoundFormat, type SoundPacket } from '@steadycast/codec-glue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_SOUND, type SoundChoice } from './choice.ts';
import type { Levels, SourceName } from './facts.ts';
import { FakeAudioData, FakeAudioEncoder } from './fake-audio.ts';
import { SoundPipeline } from './pipeline.ts';

/** A track's samples, in chunks of 10 ms, by this context's clock. */
class FakeSource {
  readonly readable: ReadableStream<AudioData>;
  readonly #channels: number;
  #controller: ReadableStreamDefaultController<AudioData> | null = null;
  cancelled = false;

  constructor(channels: number) {
    this.#channels = channels;
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
  }

  level = 0.25;

  give(level = this.level): void {
    const chunk = new FakeAudioData({
      sampleRate: 48_000,
      numberOfChannels: this.#channels,
      numberOfFrames: 480,
      timestamp: Math.round((performance.now() - 10) * 1_000),
      data: new Float32Array(480 * this.#channels).fill(level),
    });
    this.#controller?.enqueue(chunk as unknown as AudioData);
  }

  end(): void {
    this.#controller?.close();
  }
}

class FakeSession {
  readonly clock = { offsetUs: 0 };
  readonly said: (SoundFormat | null)[] = [];
  readonly sent: SoundPacket[] = [];
  /** Both, in the order in which they left. */
  readonly order: string[] = [];

  send({ sound }: { type: 'sound'; sound: SoundFormat | null }): void {
    this.said.push(sound);
    this.order.push(sound === null ? 'none' : `${sound.channels}`);
  }

  sendDatagram(bytes: Uint8Array): boolean {
    const packet = decodeSound(bytes);
    if (packet === null) throw new Error('no sound');
    this.sent.push(packet);
    this.order.push('frame');
    return true;
  }
}

const opus = (channels: number): SoundFormat => ({ codec: 'opus', channels });
const muted = (...names: SourceName[]): SoundChoice => ({
  shared: { ...DEFAULT_SOUND.shared, muted: names.includes('shared') },
  microphone: { ...DEFAULT_SOUND.microphone, muted: names.includes('microphone') },
});

function setUp() {
  const levels: Levels[] = [];
  const watched = { now: true };
  const pipeline = new SoundPipeline({
    onLevels: (all) => levels.push(all),
    isWatched: () => watched.now,
  });
  const session = new FakeSession();
  /** Time passes, with all of these giving their sound. */
  const pass = async (ms: number, ...sources: readonly FakeSource[]) => {
    for (let at = 0; at < ms; at += 10) {
      await vi.advanceTimersByTimeAsync(10);
      for (const source of sources) source.give();
      await vi.advanceTimersByTimeAsync(0);
    }
  };
  return { pipeline, session, levels, pass, watched };
}

/** A tab is shared, and somebody listens. */
function setUpHeard() {
  const made = setUp();
  const { pipeline, session } = made;
  pipeline.connect(session, 1);
  pipeline.listen(1, 0);
  const tab = new FakeSource(2);
  void pipeline.run('shared', tab.readable);
  return { ...made, tab };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'setInterval', 'Date'] });
  vi.stubGlobal('AudioEncoder', FakeAudioEncoder);
  vi.stubGlobal('AudioData', FakeAudioData);
  FakeAudioEncoder.made = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('what the relay is told', () => {
  it('is the format, when there is sound, before the first frame', async () => {
    const { pipeline, session, pass } = setUp();
    pipeline.connect(session, 7);
    expect(session.said).toEqual([]);
    const tab = new FakeSource(2);
    void pipeline.run('shared', tab.readable);
    pipeline.listen(1, 0);
    await pass(200, tab);
    expect(session.said).toEqual([opus(2)]);
    expect(session.order.slice(0, 2)).toEqual(['2', 'frame']);
    expect(session.sent[0]).toMatchObject({ begins: true, epoch: 7, sequence: 1 });
  });

  it('is told to each session anew', async () => {
    const { pipeline, session, pass } = setUp();
    const tab = new FakeSource(2);
    void pipeline.run('shared', tab.readable);
    await pass(100, tab);
    pipeline.connect(session, 1);
    pipeline.connect(null, 0);
    const next = new FakeSession();
    pipeline.connect(next, 2);
    expect([session.said, next.said]).toEqual([[opus(2)], [opus(2)]]);
    pipeline.listen(1, 0);
    await pass(100, tab);
    expect(next.sent[0]).toMatchObject({ begins: true, epoch: 2, sequence: 1 });
    expect(session.sent).toEqual([]);
  });

  it('follows what there is to hear', async () => {
    const { pipeline, session, pass } = setUp();
    pipeline.connect(session, 1);
    pipeline.listen(1, 0);
    const voice = new FakeSource(1);
    void pipeline.run('microphone', voice.readable);
    await pass(100, voice);
    const tab = new FakeSource(2);
    void pipeline.run('shared', tab.readable);
    await pass(100, voice, tab);
    // One source is muted: nothing of the other changes.
    pipeline.choose(muted('shared'));
    await pass(100, voice, tab);
    tab.end();
    await pass(100, voice);
    voice.end();
    await pass(100);
    expect(session.said).toEqual([opus(1), opus(2), opus(1), null]);
    expect(FakeAudioEncoder.made.map(({ config }) => config?.numberOfChannels)).toEqual([1, 2, 1]);
  });

  it('is that there is none once all are muted, after the last of it', async () => {
    const { pipeline, session, pass, tab } = setUpHeard();
    await pass(200, tab);
    pipeline.choose(muted('shared'));
    await pass(200, tab);
    expect(session.said).toEqual([opus(2), null]);
    expect(session.order.at(-1)).toBe('none');
    const { length } = session.sent;
    await pass(200, tab);
    expect(session.sent).toHaveLength(length);
    pipeline.choose(DEFAULT_SOUND);
    await pass(200, tab);
    expect(session.said).toEqual([opus(2), null, opus(2)]);
    expect(session.sent[length]).toMatchObject({ begins: true, sequence: length + 1 });
  });
});

describe('frames', () => {
  it('are made 50 times a second while somebody listens, and at no other time', async () => {
    const { pipeline, session, pass } = setUp();
    pipeline.connect(session, 1);
    const tab = new FakeSource(2);
    void pipeline.run('shared', tab.readable);
    await pass(500, tab);
    expect(FakeAudioEncoder.made).toEqual([]);
    pipeline.listen(2, 0);
    await pass(1_000, tab);
    expect(session.sent).toHaveLength(50);
    pipeline.listen(0, 0);
    await pass(500, tab);
    expect(session.sent).toHaveLength(50);
    pipeline.listen(1, 1);
    await pass(100, tab);
    const [again, after] = session.sent.slice(50);
    expect(again).toMatchObject({ begins: true, sequence: 51, repeats: [] });
    expect([after?.sequence, after?.repeats.length]).toEqual([52, 1]);
  });

  it('have the times at which they were captured, 20 ms apart', async () => {
    const { session, pass, tab } = setUpHeard();
    await pass(1_000, tab);
    const times = session.sent.map(({ captureUs }) => captureUs);
    for (const [index, time] of times.slice(1).entries()) {
      expect(Math.abs(time - (times[index] ?? 0) - 20_000)).toBeLessThanOrEqual(1);
    }
    const nowUs = (performance.timeOrigin + performance.now()) * 1_000;
    // The last frame has just been captured; what a decoder is behind by is in it.
    expect(nowUs - (times.at(-1) ?? 0)).toBeLessThan(50_000);
    expect(nowUs - (times.at(-1) ?? 0)).toBeGreaterThan(20_000);
  });

  it('of silence are left out, whatever an encoder makes of it, and what follows has its own time', async () => {
    const { session, pass, tab } = setUpHeard();
    await pass(100, tab);
    tab.level = 0;
    await pass(1_000, tab);
    const { length } = session.sent;
    // What ends the sound before is sent, and no more.
    expect(length).toBeLessThan(15);
    tab.level = 0.25;
    await pass(100, tab);
    const [last, next] = session.sent.slice(length - 1);
    expect(next).toMatchObject({ begins: true, sequence: length + 1 });
    const pausedUs = (next?.captureUs ?? 0) - (last?.captureUs ?? 0);
    expect(pausedUs).toBeGreaterThan(800_000);
    expect(pausedUs).toBeLessThan(1_000_000);
  });

  it('that come to nothing are not sent, and what follows begins anew', async () => {
    const { session, pass, tab } = setUpHeard();
    await pass(100, tab);
    const [encoder] = FakeAudioEncoder.made;
    if (encoder === undefined) throw new Error('no encoder');
    const { length } = session.sent;
    encoder.size = 2;
    await pass(100, tab);
    expect(session.sent).toHaveLength(length);
    encoder.size = 10;
    await pass(100, tab);
    const numbers = session.sent.slice(length).map(({ begins, sequence }) => [begins, sequence]);
    expect(numbers.slice(0, 2)).toEqual([
      [true, length + 1],
      [false, length + 2],
    ]);
  });

  it('are not given to an encoder that has no time for them, which is counted', async () => {
    const { pipeline, session, pass, tab } = setUpHeard();
    await pass(100, tab);
    const [encoder] = FakeAudioEncoder.made;
    if (encoder === undefined) throw new Error('no encoder');
    encoder.encodeQueueSize = 100;
    await pass(100, tab);
    encoder.encodeQueueSize = 0;
    const { length } = session.sent;
    await pass(100, tab);
    expect(session.sent[length]?.begins).toBe(true);
    expect(pipeline.facts()).toMatchObject({ left: 5, sent: session.sent.length });
  });

  it('go on after an encoder has failed', async () => {
    const { session, pass, tab } = setUpHeard();
    await pass(100, tab);
    FakeAudioEncoder.made[0]?.fail();
    const { length } = session.sent;
    await pass(100, tab);
    expect(session.sent[length]?.begins).toBe(true);
    expect(FakeAudioEncoder.made).toHaveLength(2);
  });

  it('are not made again and again by encoders that all fail', async () => {
    const { pass, tab } = setUpHeard();
    for (let turn = 0; turn < 20; turn += 1) {
      await pass(40, tab);
      FakeAudioEncoder.made.at(-1)?.fail();
    }
    expect(FakeAudioEncoder.made).toHaveLength(5);
  });
});

describe('sources', () => {
  it('are let go of when another takes their place, or all ends', async () => {
    const { pipeline, pass } = setUp();
    const one = new FakeSource(2);
    const other = new FakeSource(2);
    void pipeline.run('shared', one.readable);
    await pass(50, one);
    void pipeline.run('shared', other.readable);
    expect([one.cancelled, other.cancelled]).toEqual([true, false]);
    pipeline.stop();
    expect(other.cancelled).toBe(true);
    expect(pipeline.facts().channels).toBeNull();
  });

  it('leave no encoder behind', async () => {
    const { pipeline, pass, tab } = setUpHeard();
    await pass(100, tab);
    pipeline.connect(null, 0);
    pipeline.stop();
    await pass(10);
    expect(FakeAudioEncoder.made.map(({ state }) => state)).toEqual(['closed']);
  });

  it('have their levels told ten times a second to whoever watches, whether anybody listens or not', async () => {
    const { pipeline, levels, pass, watched } = setUp();
    const tab = new FakeSource(2);
    void pipeline.run('shared', tab.readable);
    await pass(1_000, tab);
    expect(levels.length).toBeGreaterThanOrEqual(9);
    expect(levels.at(-1)?.shared).toBeCloseTo(0.8, 1);
    expect(levels.at(-1)?.microphone).toBe(0);
    watched.now = false;
    const { length } = levels;
    await pass(1_000, tab);
    expect(levels).toHaveLength(length);
  });

  it('are mixed at now again when somebody begins to listen after a long time', async () => {
    const { pipeline, session, pass, watched } = setUp();
    pipeline.connect(session, 1);
    const tab = new FakeSource(2);
    void pipeline.run('shared', tab.readable);
    await pass(200, tab);
    watched.now = false;
    await pass(10_000, tab);
    pipeline.listen(1, 0);
    const nowUs = (performance.timeOrigin + performance.now()) * 1_000;
    await pass(200, tab);
    expect(session.sent.length).toBeGreaterThanOrEqual(8);
    expect(session.sent[0]).toMatchObject({ begins: true });
    expect(pipeline.facts().gaps).toBe(0);
    expect(Math.abs((session.sent[0]?.captureUs ?? 0) - nowUs)).toBeLessThan(50_000);
  });
});
