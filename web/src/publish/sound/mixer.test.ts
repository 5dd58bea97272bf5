import { describe, expect, it } from 'vitest';
import { type MixedFrame, Mixer } from './mixer.ts';
import { Strip } from './strip.ts';
import { FRAME, RATE } from './timeline.ts';

/** A device that gives a tone in chunks, of 10 ms most often, by a clock of its own. */
class Device {
  readonly strip = new Strip();
  readonly #options: { hz: number; rate: number; real: number; level: number; chunk: number };
  /** What it has recorded and not given yet, in its samples. */
  #pending = 0;
  #given = 0;
  /** What its clock is late by, in places of the mix. */
  late = 0;

  /** `chunk`: how many samples it gives at a time; `behind`: by how many milliseconds it gives them later. */
  constructor({
    hz = 440,
    rate = RATE as number,
    real = 0,
    level = 0.25,
    chunk = 0,
    behind = 0,
  } = {}) {
    this.#options = {
      hz,
      rate,
      real: real === 0 ? rate : real,
      level,
      chunk: chunk === 0 ? rate / 100 : chunk,
    };
    this.#pending = (-behind * rate) / 1_000;
  }

  /** The place of the mix up to which it has recorded. */
  get place(): number {
    return (this.#given * RATE) / this.#options.real + this.late;
  }

  /** Records 10 ms, and gives what is a whole chunk. */
  give({ channels = 1 } = {}): void {
    const { hz, rate, real, level, chunk } = this.#options;
    this.#pending += rate / 100;
    while (this.#pending >= chunk) {
      this.#pending -= chunk;
      const place = this.place;
      const plane = Float32Array.from({ length: chunk }, (_, index) => {
        return level * Math.sin((2 * Math.PI * hz * (this.#given + index)) / real);
      });
      this.#given += chunk;
      this.strip.take({ planes: Array(channels).fill(plane), rate, place });
    }
  }

  /** Records nothing for so many chunks. */
  rest(chunks: number): void {
    this.#given += (chunks * this.#options.rate) / 100;
  }
}

function pullAll(mixer: Mixer): MixedFrame[] {
  const frames: MixedFrame[] = [];
  for (let frame = mixer.pull(); frame !== null; frame = mixer.pull()) frames.push(frame);
  return frames;
}

/** Devices record for so many chunks, in turns, and what is mixed meanwhile. */
function record(mixer: Mixer, devices: readonly Device[], chunks: number): MixedFrame[] {
  const frames: MixedFrame[] = [];
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    for (const device of devices) device.give();
    frames.push(...pullAll(mixer));
  }
  return frames;
}

function mixerOf(...devices: readonly Device[]): Mixer {
  const mixer = new Mixer();
  for (const { strip } of devices) mixer.add(strip);
  return mixer;
}

const samplesIn = (frames: readonly MixedFrame[]) => frames.flatMap(({ left }) => [...left]);

/** The largest difference from one sample to the next: a click has a large one. */
function steepest(samples: readonly number[]): number {
  return samples.reduce(
    (most, sample, index) => Math.max(most, Math.abs(sample - (samples[index - 1] ?? sample))),
    0,
  );
}

function loudness(samples: readonly number[]): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
}

/** Of a tone with this frequency, per sample; fades and turns add a little. */
const steepestOf = (hz: number, level: number) => (2 * Math.PI * hz * level) / RATE;

describe('one source', () => {
  it('comes out as it went in, whatever its rate', () => {
    for (const rate of [8_000, 16_000, 44_100, 48_000, 96_000]) {
      const device = new Device({ rate, level: 0.5 });
      const mixer = mixerOf(device);
      const frames = record(mixer, [device], 100);
      const samples = samplesIn(frames).slice(RATE / 10, RATE / 2);
      const place = frames[0]?.place ?? 0;
      const worst = samples.reduce((most, sample, index) => {
        const at = place + RATE / 10 + index;
        return Math.max(most, Math.abs(sample - 0.5 * Math.sin((2 * Math.PI * 440 * at) / RATE)));
      }, 0);
      expect(worst, `${rate} Hz`).toBeLessThan(0.001);
    }
  });

  it('has a frame as soon as two chunks are there', () => {
    for (const rate of [44_100, 48_000]) {
      const device = new Device({ rate });
      const mixer = mixerOf(device);
      const counts = Array.from({ length: 20 }, () => record(mixer, [device], 1).length);
      expect(counts).toEqual(Array(10).fill([0, 1]).flat());
    }
  });

  it('goes on without a gap, frame after frame', () => {
    const device = new Device();
    const frames = record(mixerOf(device), [device], 200);
    expect(frames.map(({ begins }) => begins)).toEqual(frames.map((_, index) => index === 0));
    const first = frames[0]?.place ?? 0;
    expect(frames.map(({ place }) => place)).toEqual(frames.map((_, i) => first + i * FRAME));
  });

  it('keeps both of its channels apart', () => {
    const strip = new Strip();
    const mixer = new Mixer();
    mixer.add(strip);
    const planes = [new Float32Array(960).fill(0.5), new Float32Array(960).fill(-0.25)];
    for (const place of [0, 960]) strip.take({ planes, rate: RATE, place });
    const frame = mixer.pull();
    expect(frame?.left[900]).toBeCloseTo(0.5, 3);
    expect(frame?.right[900]).toBeCloseTo(-0.25, 3);
  });

  it('may rest, and what follows begins anew, at its own time', () => {
    const device = new Device();
    const mixer = mixerOf(device);
    record(mixer, [device], 20);
    device.rest(300);
    const resumed = device.place;
    const frames = record(mixer, [device], 20);
    expect(frames.map(({ begins }) => begins).slice(0, 2)).toEqual([true, false]);
    expect(Math.abs((frames[0]?.place ?? 0) - resumed)).toBeLessThan(FRAME / 4);
    expect(steepest([0, ...samplesIn(frames)])).toBeLessThan(1.5 * steepestOf(440, 0.25));
  });

  it('loses a tenth of a second without a click, and is in time afterwards', () => {
    const device = new Device();
    const mixer = mixerOf(device);
    const before = record(mixer, [device], 51);
    device.rest(10);
    const after = record(mixer, [device], 100);
    const samples = samplesIn([...before, ...after]);
    expect(after.some(({ begins }) => begins)).toBe(false);
    expect(steepest(samples)).toBeLessThan(2 * steepestOf(440, 0.25));
    const { left, place } = after.at(-1) as MixedFrame;
    const expected = 0.25 * Math.sin((2 * Math.PI * 440 * (place + 500)) / RATE);
    expect(left[500]).toBeCloseTo(expected, 2);
  });
});

describe('sources with clocks of their own', () => {
  it('stay in time for an hour, and nothing piles up', () => {
    for (const real of [48_008]) {
      // Of a plain ramp it is easily seen where it belongs.
      const strip = new Strip();
      const mixer = new Mixer();
      mixer.add(strip);
      let frames = 0;
      let worst = 0;
      for (let chunk = 0; chunk < 360_000; chunk += 1) {
        const place = (chunk * 480 * RATE) / real;
        strip.take({ planes: [RAMP], rate: RATE, place });
        for (let frame = mixer.pull(); frame !== null; frame = mixer.pull()) frames += 1;
        if (chunk > 1_000) worst = Math.max(worst, place + 480 - strip.covered);
      }
      expect(frames).toBeGreaterThan(179_990 - 3_600 * 3);
      expect(Math.abs(frames - (360_000 * 480 * RATE) / real / FRAME)).toBeLessThan(3);
      // What is there, and what belongs to now: never further apart than 10 ms and what the kernel needs.
      expect(worst, `${real} Hz`).toBeLessThan(720);
      expect(strip.gaps).toBe(0);
    }
  }, 120_000);

  it('are mixed by the time of capture, however late they come', () => {
    const near = new Device({ level: 0.2 });
    const far = new Device({ level: 0.2 });
    const mixer = mixerOf(near, far);
    const frames: MixedFrame[] = [];
    for (let chunk = 0; chunk < 100; chunk += 1) {
      near.give();
      // It arrives 30 ms later than the other.
      if (chunk >= 3) far.give();
      frames.push(...pullAll(mixer));
    }
    expect(loudness(samplesIn(frames).slice(-10 * FRAME))).toBeCloseTo(0.4 / Math.SQRT2, 2);
  });

  it('are heard late where they come later than anybody waits for', () => {
    const near = new Device({ level: 0 });
    const far = new Device({ level: 0.2 });
    const mixer = mixerOf(near, far);
    const frames: MixedFrame[] = [];
    for (let chunk = 0; chunk < 300; chunk += 1) {
      near.give();
      if (chunk >= 15) far.give();
      frames.push(...pullAll(mixer));
    }
    const samples = samplesIn(frames);
    expect(loudness(samples.slice(0, 20 * FRAME))).toBe(0);
    expect(loudness(samples.slice(-10 * FRAME))).toBeCloseTo(0.2 / Math.SQRT2, 2);
    expect(steepest(samples)).toBeLessThan(2 * steepestOf(440, 0.2));
    // What is late stays so, and nobody waits for it.
    expect(frames.length).toBeGreaterThanOrEqual(148);
  });

  it.each([
    [1_024, 44_100, 20],
    [1_024, 44_100, 60],
    [1_024, 44_100, 150],
    [2_048, 44_100, 60],
    [1_024, 48_000, 60],
    [4_096, 48_000, 0],
    [441, 44_100, 60],
  ])(
    'are heard in full in chunks of %i samples of %i a second, %i ms later',
    (chunk, rate, behind) => {
      const near = new Device({ level: 0 });
      const far = new Device({ level: 0.2, chunk, rate, behind });
      const mixer = mixerOf(near, far);
      const frames = record(mixer, [near, far], 2_000);
      const last = frames.slice(-500);
      expect(last).toHaveLength(500);
      const loud = last.filter(({ left }) => loudness([...left]) > 0.12);
      expect(loud).toHaveLength(500);
      expect(last.every(({ begins }) => !begins)).toBe(true);
      // Later by what it is late by, and not by much more.
      const most = (2 * chunk) / rate + 0.05;
      expect(far.strip.covered - near.place).toBeLessThan(most * RATE);
    },
  );

  it('are not waited for once they stall, and are taken in again', () => {
    const one = new Device({ level: 0.2 });
    const other = new Device({ level: 0.2 });
    const mixer = mixerOf(one, other);
    record(mixer, [one, other], 100);
    const waiting = record(mixer, [one], 100);
    const counts = Array.from({ length: 10 }, () => record(mixer, [one], 1).length);
    expect(waiting.length).toBeGreaterThanOrEqual(49);
    // No frame is held back for it any more.
    expect(counts.reduce((sum, count) => sum + count)).toBe(5);
    expect(mixer.pull()).toBeNull();
    other.rest(110);
    const both = record(mixer, [one, other], 100);
    expect(loudness(samplesIn(both).slice(-10 * FRAME))).toBeCloseTo(0.4 / Math.SQRT2, 2);
    expect(both.every(({ begins }) => !begins)).toBe(true);
  });

  it('are never louder together than a sample can say', () => {
    const one = new Device({ level: 0.9 });
    const other = new Device({ level: 0.9 });
    const samples = samplesIn(record(mixerOf(one, other), [one, other], 100));
    expect(Math.max(...samples.map(Math.abs))).toBeLessThan(0.9801);
    // Made softer, not cut off: it is the tone still.
    expect(loudness(samples.slice(-10 * FRAME))).toBeCloseTo(0.98 / Math.SQRT2, 1);
  });
});

describe('no click is heard', () => {
  const limit = 2 * steepestOf(440, 0.25);

  it('when a source is muted and is heard again', () => {
    const device = new Device();
    const mixer = mixerOf(device);
    const samples = [...samplesIn(record(mixer, [device], 11))];
    device.strip.gain = 0;
    const muted = samplesIn(record(mixer, [device], 20));
    device.strip.gain = 1;
    samples.push(...muted, ...samplesIn(record(mixer, [device], 20)));
    expect(steepest(samples.slice(FRAME))).toBeLessThan(limit);
    expect(Math.max(...muted.slice(RATE / 50).map(Math.abs))).toBe(0);
    expect(loudness(samples.slice(-FRAME))).toBeGreaterThan(0.1);
  });

  it('when a source comes, goes, and another takes its place', () => {
    const device = new Device();
    const other = new Device({ hz: 700 });
    const mixer = mixerOf(device);
    const samples = samplesIn(record(mixer, [device, other], 31));
    mixer.remove(device.strip);
    samples.push(...samplesIn(pullAll(mixer)));
    mixer.add(other.strip);
    other.rest(0);
    samples.push(...samplesIn(record(mixer, [other], 30).filter(({ begins }) => !begins)));
    expect(steepest([0, ...samples])).toBeLessThan(2 * steepestOf(700, 0.25));
  });

  it('when the last source goes: its end has a frame of its own', () => {
    const device = new Device();
    const mixer = mixerOf(device);
    const before = samplesIn(record(mixer, [device], 30));
    mixer.remove(device.strip);
    const end = samplesIn(pullAll(mixer));
    expect(end).toHaveLength(FRAME);
    expect(steepest([...before, ...end])).toBeLessThan(limit);
    expect(Math.max(...end.slice(FRAME / 2).map(Math.abs))).toBe(0);
    expect(mixer.pull()).toBeNull();
  });
});

describe('levels', () => {
  it('are those of what goes into the mix', () => {
    const device = new Device({ level: 0.5 });
    const mixer = mixerOf(device);
    record(mixer, [device], 20);
    const loud = device.strip.level();
    // Half of the loudest is 6 dB less, of 60.
    expect(loud).toBeCloseTo(0.9, 1);
    device.strip.gain = 0;
    record(mixer, [device], 20);
    device.strip.level();
    record(mixer, [device], 20);
    expect(device.strip.level()).toBe(0);
  });
});

const RAMP = Float32Array.from({ length: 480 }, (_, index) => index / 480);
