import { beforeEach, describe, expect, it } from 'vitest';
import { type Footing, NO_FOOTING } from './footing.ts';
import { Journey, type Progress } from './journey.ts';

const HOME = 'https://a.example';
const B = 'https://b.example';
const C = 'https://c.example';

const OPEN: Footing = { ...NO_FOOTING, session: 'open', others: [B, C] };
const SILENT: Footing = { ...OPEN, silent: true };

function footing(session: Footing['session']): Footing {
  return { ...OPEN, session };
}

function progress(change: Partial<Progress> & { session?: Footing['session'] } = {}): Progress {
  const { session = 'open', ...rest } = change;
  return { footing: footing(session), pictured: false, blank: false, over: false, ...rest };
}

let journey: Journey;
let nowMs: number;

beforeEach(() => {
  nowMs = 10_000;
  journey = new Journey(HOME, nowMs);
  journey.told(OPEN, nowMs);
});

/** How things stand after so long. */
function after(ms: number, told: Footing | null = null) {
  nowMs += ms;
  if (told !== null) journey.told(told, nowMs);
  return journey.plan(nowMs);
}

function tell(told: Progress) {
  journey.progress(told, nowMs);
  return journey.plan(nowMs);
}

it('stays while all is well', () => {
  expect(after(3_600_000, OPEN)).toEqual({ kept: HOME, tried: null, againMs: null });
});

it('tries another one beside a relay that is silent, and keeps it once it has a picture', () => {
  expect(after(0, SILENT)).toMatchObject({ kept: HOME, tried: B });
  expect(tell(progress({ session: 'opening' }))).toMatchObject({ kept: HOME, tried: B });
  expect(tell(progress())).toMatchObject({ kept: HOME, tried: B });
  expect(tell(progress({ pictured: true }))).toMatchObject({ kept: B, tried: null });
});

it('stays where it is when the relay is heard again first', () => {
  after(0, SILENT);
  expect(tell(progress())).toMatchObject({ tried: B });
  expect(after(200, OPEN)).toEqual({ kept: HOME, tried: B, againMs: nowMs + 500 });
  // A word alone may be one from before.
  expect(after(400, SILENT)).toMatchObject({ tried: B });
  expect(after(100, OPEN)).toMatchObject({ tried: B });
  expect(after(500, OPEN)).toEqual({ kept: HOME, tried: null, againMs: null });
});

it('stays at the new one when the old one is back', () => {
  after(0, SILENT);
  tell(progress({ pictured: true }));
  expect(after(1_000, { ...OPEN, others: [HOME, C] })).toMatchObject({ kept: B, tried: null });
  expect(journey.others).toEqual([HOME, C]);
});

describe('how soon', () => {
  it.each([
    ['absent', 0],
    ['full', 0],
    ['broken', 300],
    ['blocked', 3_000],
  ] as const)('%s: after %d ms', (session, ms) => {
    const course = after(0, footing(session));
    if (ms > 0) {
      expect(course).toMatchObject({ tried: null, againMs: nowMs + ms });
      expect(after(ms - 1, footing(session)).tried).toBeNull();
      expect(after(1, footing(session)).tried).toBe(B);
    } else expect(course.tried).toBe(B);
  });

  it('a relay that opens no first session is not waited for alone', () => {
    journey = new Journey(HOME, nowMs);
    journey.told({ ...NO_FOOTING, others: [B] }, nowMs);
    expect(journey.plan(nowMs).tried).toBeNull();
    expect(after(3_000).tried).toBe(B);
  });
});

it('leaves a relay that goes, although it plays, and not before the other one has a picture', () => {
  const leaving = { ...OPEN, leaves: true };
  expect(after(0, leaving).tried).toBe(B);
  tell(progress());
  expect(after(4_900, leaving)).toMatchObject({ kept: HOME, tried: B });
  expect(tell(progress({ pictured: true }))).toMatchObject({ kept: B });
});

it('waits for no picture where the broadcast has none', () => {
  after(0, footing('absent'));
  expect(tell(progress({ blank: true }))).toMatchObject({ kept: HOME });
  after(1_500);
  expect(tell(progress({ blank: true }))).toMatchObject({ kept: B });
});

describe('one that does no better', () => {
  it('is given up for the next when it opens no session', () => {
    after(0, footing('absent'));
    expect(after(1_499).tried).toBe(B);
    expect(after(1).tried).toBe(C);
  });

  it('is given up at once when it takes nobody', () => {
    after(0, footing('absent'));
    expect(tell(progress({ session: 'full' })).tried).toBe(C);
  });

  it('is given up when it shows nothing although there is something', () => {
    after(0, footing('absent'));
    tell(progress());
    expect(after(4_999).tried).toBe(B);
    expect(after(1).tried).toBe(C);
  });

  it('is passed over for a while when it lets this player not in', () => {
    after(0, footing('absent'));
    expect(tell(progress({ over: true })).tried).toBe(C);
    expect(tell(progress({ session: 'full' })).tried).toBeNull();
    // The next round is without it.
    expect(after(30_000).tried).toBe(C);
  });
});

it('tries all of them again, later each time, and gives them longer', () => {
  const refuse = () => {
    while (tell(progress({ session: 'absent' })).tried !== null);
    return journey.plan(nowMs).againMs ?? 0;
  };
  expect(after(0, footing('absent')).tried).toBe(B);
  const pauses = [2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
  for (const pauseMs of pauses) {
    expect(refuse() - nowMs).toBe(pauseMs);
    expect(after(pauseMs - 1).tried).toBeNull();
    expect(after(1).tried).toBe(B);
  }
  expect(after(11_999).tried).toBe(B);
  expect(after(1).tried).toBe(C);
});

it('passes over one that has not answered', () => {
  journey.passOver(B, nowMs);
  expect(after(0, footing('absent')).tried).toBe(C);
});

it('goes nowhere where it knows of no other', () => {
  journey = new Journey(HOME, nowMs);
  journey.told({ ...NO_FOOTING, session: 'absent' }, nowMs);
  expect(journey.seeks(nowMs)).toBe(true);
  expect(journey.plan(nowMs)).toEqual({ kept: HOME, tried: null, againMs: null });
  journey.knows([HOME, C]);
  expect(journey.plan(nowMs).tried).toBe(C);
});
