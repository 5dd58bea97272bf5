import { describe, expect, it } from 'vitest';
import { random } from '../fake-path.ts';
import { FRAME, hear, LOUD, largestStep, slopeOf, strengthOf, tone } from './fake-sound.ts';
import { msOf, RATE, samplesOf } from './samples.ts';

const seconds = (from: number, to: number) => [from * RATE, to * RATE] as const;

describe('sound over an even path', () => {
  const { player, samples } = hear(tone({ seconds: 10 }), { seconds: 10 });

  it('is heard without a gap, as it was sent', () => {
    expect(player.counts).toMatchObject({ concealed: 0, gaps: 0, late: 0 });
    expect(strengthOf(440, samples.subarray(...seconds(5, 5.05)))).toBeCloseTo(LOUD, 2);
  });

  it('begins and goes on without a click', () => {
    expect(largestStep(samples)).toBeLessThan(slopeOf(440) * 1.3);
  });

  it('is a frame, what the browser takes at a time, and a little more behind', () => {
    const behind = msOf(player.standing.behind ?? 0);
    expect(behind).toBeGreaterThan(20);
    expect(behind).toBeLessThan(20 + msOf(512) + 12);
  });

  it('is further behind where it is to be smooth', () => {
    const smooth = hear(tone({ seconds: 10 }), { seconds: 10, mode: 'smooth' });
    const more = (smooth.player.standing.behind ?? 0) - (player.standing.behind ?? 0);
    expect(msOf(more)).toBeGreaterThan(30);
  });
});

describe('sound over an uneven path', () => {
  it('waits for what is late once it knows of it, and hardly anything is missing', () => {
    const next = random(7);
    const way = () => next() * 60;
    const { player, samples } = hear(tone({ seconds: 60, way }), { seconds: 60 });
    const { concealed, played } = player.counts;
    expect(concealed / played).toBeLessThan(0.005);
    expect(msOf(player.standing.behind ?? 0)).toBeLessThan(20 + 60 + 30);
    expect(largestStep(samples)).toBeLessThan(slopeOf(440) * 2);
  });

  it('conceals what is lost, and fades to silence when more is', () => {
    const way = (index: number) => (index === 100 || (index >= 200 && index < 210) ? null : 0);
    const { player, samples } = hear(tone({ seconds: 6, way }), { seconds: 6 });
    expect(player.counts.gaps).toBe(2);
    expect(msOf(player.counts.concealed)).toBeGreaterThan(215);
    expect(msOf(player.counts.concealed)).toBeLessThan(235);
    const behind = player.standing.behind ?? 0;
    // The lost frame sounds like those around it.
    const lost = 100 * FRAME + Math.round(behind);
    expect(strengthOf(440, samples.subarray(lost, lost + FRAME))).toBeGreaterThan(LOUD * 0.7);
    const silent = 200 * FRAME + Math.round(behind) + samplesOf(65);
    expect(strengthOf(440, samples.subarray(silent, silent + samplesOf(120)))).toBeLessThan(0.001);
    expect(largestStep(samples)).toBeLessThan(slopeOf(440) * 2);
  });

  it('misses at most one in a hundred where one in fifty is lost and repeated in the next frame', () => {
    const next = random(3);
    const way = () => {
      const jitterMs = next() * 3;
      if (next() >= 0.02) return jitterMs;
      return next() < 0.02 ? null : 20 + jitterMs;
    };
    const { player } = hear(tone({ seconds: 120, way }), { seconds: 120 });
    const { concealed, played } = player.counts;
    expect(concealed / played).toBeLessThan(0.01);
    expect(msOf(player.standing.behind ?? 0)).toBeLessThan(65);
  });

  it('comes closer again, slowly, when the path is even again', () => {
    const next = random(5);
    const way = (index: number) => (index < 500 ? next() * 100 : 0);
    const standing: number[] = [];
    hear(tone({ seconds: 120, way }), {
      seconds: 120,
      each: ({ standing: { behind } }) => standing.push(behind ?? 0),
    });
    const at = (second: number) => msOf(standing[Math.floor((second * RATE) / 512)] ?? 0);
    expect(at(10)).toBeGreaterThan(90);
    expect(at(119)).toBeLessThan(50);
  });

  it('plays nothing old after a stall', () => {
    const stalled = (index: number) => index >= 250 && index < 300;
    const way = (index: number) => (stalled(index) ? (300 - index) * 20 : 0);
    const { player, samples } = hear(tone({ seconds: 12, way }), { seconds: 12 });
    expect(msOf(player.standing.behind ?? 0)).toBeLessThan(20 + 11 + 8 + 400);
    expect(msOf(player.counts.concealed)).toBeLessThan(1_050);
    expect(largestStep(samples)).toBeLessThan(slopeOf(440) * 2);
  });
});

describe('clocks that differ', () => {
  const CLOCKS = [
    { rate: 48_008, minutes: 60 },
    { rate: 47_992, minutes: 5 },
  ];
  for (const { rate, minutes } of CLOCKS) {
    const title = `are followed for ${minutes} minutes: ${rate} samples a second`;
    it(title, { timeout: 120_000 }, () => {
      const seconds = 60 * minutes;
      const behind: number[] = [];
      const { player } = hear(tone({ seconds, rate, hz: 400 }), {
        seconds,
        each: (one, frame) => {
          // Where the source is by now, against where it is heard.
          const made = (frame * rate) / RATE;
          const { frame: asked, behind: by } = one.standing;
          if (frame > RATE * 15 && frame % 512_000 === 0) behind.push(made - asked + (by ?? 0));
        },
      });
      expect(player.counts.concealed / player.counts.played).toBeLessThan(0.000_05);
      expect(msOf(Math.max(...behind))).toBeLessThan(60);
      expect(msOf(Math.min(...behind))).toBeGreaterThan(20);
    });
  }
});

describe('what begins anew', () => {
  it('gives another publisher’s sound without a click, and nothing of the one before', () => {
    const first = tone({ seconds: 3 });
    const start = samplesOf(5_000);
    const second = tone({ seconds: 3, fromMs: 5_000, start, hz: 660 });
    const { player, samples } = hear([...first, ...second], { seconds: 8 });
    expect(player.counts.gaps).toBe(0);
    expect(largestStep(samples)).toBeLessThan(slopeOf(660) * 2);
    expect(strengthOf(440, samples.subarray(...seconds(4, 8)))).toBeLessThan(0.01);
    expect(strengthOf(660, samples.subarray(...seconds(7, 7.05)))).toBeCloseTo(LOUD, 2);
  });

  it('does so too where the one before has not ended', () => {
    const first = tone({ seconds: 3 });
    const start = samplesOf(2_950);
    const second = tone({ seconds: 3, fromMs: 2_990, start, hz: 660 });
    const { samples } = hear([...first, ...second], { seconds: 6 });
    expect(largestStep(samples)).toBeLessThan(slopeOf(660) * 2);
    expect(strengthOf(440, samples.subarray(...seconds(3.2, 5)))).toBeLessThan(0.01);
  });

  it('counts silence that was not sent as none that is missing', () => {
    const first = tone({ seconds: 1 });
    const second = tone({ seconds: 1, fromMs: 3_000, start: samplesOf(3_000) });
    const told = second.map((one) => ({ ...one, chunk: { ...one.chunk, restart: false } }));
    const { player, samples } = hear([...first, ...told], { seconds: 5 });
    expect(player.counts).toMatchObject({ concealed: 0, gaps: 0, late: 0 });
    expect(largestStep(samples)).toBeLessThan(slopeOf(440) * 2);
  });

  it('begins at now when the browser slept', () => {
    // For two seconds it asked for nothing, and its count is that much behind.
    const sent = tone({ seconds: 6 }).flatMap(({ chunk, at }, index) => {
      if (index < 100) return [{ chunk, at }];
      return index < 200 ? [] : [{ chunk, at: at - samplesOf(2_000) }];
    });
    const { player } = hear(sent, { seconds: 3 });
    const { behind } = player.standing;
    expect(msOf(behind ?? 0) + 2_000).toBeLessThan(60);
  });
});

describe('the picture’s wish', () => {
  it('is granted: further behind at once, and closer again slowly', () => {
    const standing: number[] = [];
    const { samples, player } = hear(tone({ seconds: 40 }), {
      seconds: 40,
      each: (one, frame) => {
        one.least = frame > 5 * RATE && frame < 10 * RATE ? samplesOf(120) : null;
        standing.push(one.standing.behind ?? 0);
      },
    });
    const at = (second: number) => msOf(standing[Math.floor((second * RATE) / 512)] ?? 0);
    expect(at(4.9)).toBeLessThan(45);
    expect(at(5.5)).toBeGreaterThanOrEqual(119);
    expect(at(5.5)).toBeLessThan(140);
    expect(at(39)).toBeLessThan(45);
    expect(player.counts.concealed).toBe(0);
    expect(largestStep(samples)).toBeLessThan(slopeOf(440) * 1.5);
  });

  it('is forgotten with the times that it was of', () => {
    // The browser begins to count anew, as it were: two seconds are between its count and the line's.
    const sent = tone({ seconds: 6 }).flatMap(({ chunk, at }, index) => {
      if (index < 100) return [{ chunk, at }];
      return index < 200 ? [] : [{ chunk, at: at - samplesOf(2_000) }];
    });
    const { samples } = hear(sent, {
      seconds: 4,
      each: (one, frame) => {
        if (frame < RATE) one.least = samplesOf(120);
      },
    });
    expect(strengthOf(440, samples.subarray(...seconds(3, 3.05)))).toBeCloseTo(LOUD, 1);
  });
});
