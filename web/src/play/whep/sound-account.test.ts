import { expect, it } from 'vitest';
import { RelayClock } from '../../session/index.ts';
import type { SoundFigures } from './peer.ts';
import { SoundAccount } from './sound-account.ts';

const FIGURES: SoundFigures = {
  packetsReceived: 0,
  packetsLost: 0,
  samples: 0,
  concealed: 0,
  silent: 0,
  gaps: 0,
};
/** The relay's clock is a day ahead of the page's. */
const DAY_US = 86_400_000_000;

function setUp() {
  let nowMs = 5_000;
  const account = new SoundAccount(() => nowMs);
  const clock = new RelayClock({ sentUs: 0, receivedUs: 0, relayUs: DAY_US }, () => nowMs * 1_000);
  const count = (change: Partial<SoundFigures>) => account.counted({ ...FIGURES, ...change }, null);
  /** A sample that was captured so long ago is given to the output now. */
  const hear = (ageMs: number, atMs = nowMs) => {
    const capturedUs = DAY_US + (nowMs - ageMs) * 1_000;
    const rtpTimestamp = Number(((BigInt(capturedUs) * 6n) / 125n) % 2n ** 32n);
    return account.follow({ rtpTimestamp, atMs }, clock);
  };
  return {
    account,
    clock,
    count,
    hear,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

it('knows that there is sound by what comes, for as long as pauses may last, or by what the relay says', () => {
  const { account, count, pass } = setUp();
  expect(account.there).toBe(false);
  count({ packetsReceived: 1 });
  expect(account.there).toBe(true);
  pass(11_000);
  expect(account.there).toBe(false);
  account.told(true);
  expect(account.there).toBe(true);
  count({ packetsReceived: 2 });
  account.told(false);
  expect(account.there).toBe(false);
});

it('counts what was missing, and no silence that was not sent', () => {
  const { account, count } = setUp();
  // A second with a frame that was lost, and 20 ms of something else.
  count({ packetsReceived: 49, packetsLost: 1, samples: 48_000, concealed: 960, gaps: 1 });
  expect(account.records).toMatchObject({ concealedMs: 20, gaps: 1, framesLost: 1 });
  // A second in which nothing was sent.
  count({ packetsReceived: 49, packetsLost: 1, samples: 96_000, concealed: 48_960, gaps: 2 });
  expect(account.records).toMatchObject({ concealedMs: 20, gaps: 1, playedMs: 2_000 });
});

it('goes on counting with another connection', () => {
  const { account, count } = setUp();
  count({ packetsReceived: 50, samples: 48_000 });
  account.restart();
  count({ packetsReceived: 10, samples: 9_600 });
  expect(account.records).toMatchObject({ framesReceived: 60, playedMs: 1_200 });
});

it('tells how late sound is heard, a little at a time, and all at once where it is elsewhere', () => {
  const { hear, pass } = setUp();
  const first = hear(60) ?? 0;
  expect(first).toBeGreaterThan(60);
  pass(250);
  expect((hear(80) ?? 0) - first).toBeCloseTo(4, 0);
  pass(250);
  expect((hear(300) ?? 0) - first).toBeCloseTo(240, 0);
});

it('changes nothing in pauses of speech, and is silent after a while', () => {
  const { account, clock, hear, pass } = setUp();
  const delayMs = hear(60);
  pass(2_000);
  expect(account.follow(null, clock)).toBe(delayMs);
  pass(2_000);
  expect(account.follow(null, clock)).toBeNull();
});

it('believes the sender’s reports before its timestamps', () => {
  const { account, clock } = setUp();
  const heard = { captureUs: DAY_US + 4_900_000, localUs: 5_000_000 };
  account.counted(FIGURES, heard);
  expect(account.follow({ rtpTimestamp: 7, atMs: 5_000 }, clock)).toBeCloseTo(100);
});
