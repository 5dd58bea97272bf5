import { describe, expect, it } from 'vitest';
import { type Sample, Watch } from './watch.ts';

const START: Sample = {
  atMs: 0,
  connection: 'connected',
  bytesReceived: 0,
  framesReceived: 0,
  framesDecoded: 0,
  framesShown: 0,
  framesSent: 0,
  eventsSilentMs: 100,
  eventsCut: false,
  hidden: false,
};

/** Samples a second apart; each changes what is given, counts by so much. Returns all verdicts. */
class Script {
  readonly watch = new Watch();
  #sample = START;

  constructor() {
    this.watch.judge(START);
  }

  /** What happens in every second for `seconds`; stops at the first fault and says when. */
  run(seconds: number, change: Partial<Sample>, afterMs = 1_000): string {
    for (let second = 1; second <= seconds; second += 1) {
      this.#sample = { ...next(this.#sample, change), atMs: this.#sample.atMs + afterMs };
      const verdict = this.watch.judge(this.#sample);
      if (verdict.kind !== 'ok') return `${verdict.kind} after ${second} s: ${verdict.reason}`;
    }
    return 'ok';
  }
}

const COUNTS = [
  'bytesReceived',
  'framesReceived',
  'framesDecoded',
  'framesShown',
  'framesSent',
] as const;

function next(sample: Sample, change: Partial<Sample>): Sample {
  const counts = COUNTS.map((name) => [
    name,
    change[name] === null ? null : (sample[name] ?? 0) + (change[name] ?? 0),
  ]);
  return { ...sample, ...change, ...Object.fromEntries(counts) };
}

const UNSHOWN = { bytesReceived: 50_000, framesReceived: 30, framesDecoded: 30, framesSent: 30 };
const MOVING = { ...UNSHOWN, framesShown: 30 };

/** A connection that has shown pictures. */
function watching(): Script {
  const script = new Script();
  expect(script.run(3, MOVING)).toBe('ok');
  return script;
}

describe('no fault', () => {
  it('a moving picture', () => expect(watching().run(60, MOVING)).toBe('ok'));

  it('a static screen: nothing is sent, nothing comes', () => {
    expect(watching().run(600, {})).toBe('ok');
  });

  it('a static screen with a rare frame, decoded a sample later than it came', () => {
    const script = watching();
    for (let round = 0; round < 5; round += 1) {
      expect(script.run(1, { bytesReceived: 900, framesReceived: 1, framesSent: 1 })).toBe('ok');
      expect(script.run(1, { framesDecoded: 1, framesShown: 1 })).toBe('ok');
      expect(script.run(9, {})).toBe('ok');
    }
  });

  it('frames of which the relay tells after they have arrived, the last before a rest', () => {
    const script = watching();
    expect(script.run(1, { ...MOVING, framesSent: 0 })).toBe('ok');
    expect(script.run(1, { framesSent: 30 })).toBe('ok');
    expect(script.run(60, {})).toBe('ok');
  });

  it('a packet that comes twice before a rest', () => {
    const script = watching();
    expect(script.run(1, { bytesReceived: 1_100 })).toBe('ok');
    expect(script.run(60, {})).toBe('ok');
  });

  it('a large keyframe over a narrow path, which the relay goes on sending: 300 kB at 150 kbit/s', () => {
    const script = watching();
    for (let keyframe = 0; keyframe < 3; keyframe += 1) {
      expect(script.run(16, { bytesReceived: 19_000 })).toBe('ok');
      expect(script.run(1, { ...MOVING, framesReceived: 1, framesDecoded: 1, framesSent: 1 })).toBe(
        'ok',
      );
    }
  });

  it('a keyframe of which the relay sent all, but which loses packets', () => {
    const script = watching();
    expect(script.run(5, { bytesReceived: 30_000, framesSent: 1 })).toBe('ok');
    expect(script.run(1, MOVING)).toBe('ok');
  });

  it('a first picture over a narrow path, which a new connection would only begin again', () => {
    const script = new Script();
    expect(script.run(60, { bytesReceived: 7_000 })).toBe('ok');
    expect(script.run(1, MOVING)).toBe('ok');
  });

  it('a first picture of which the relay has sent more than came so far', () => {
    const script = new Script();
    expect(script.run(25, { bytesReceived: 20_000, framesSent: 1 })).toBe('ok');
    expect(script.run(1, MOVING)).toBe('ok');
  });

  it('a short interruption', () => {
    const script = watching();
    expect(script.run(2, { connection: 'disconnected', eventsSilentMs: 2_000 })).toBe('ok');
    expect(script.run(9, { ...MOVING, connection: 'connected', eventsSilentMs: 100 })).toBe('ok');
  });

  it('pictures that come while the event stream is cut', () => {
    expect(watching().run(30, { ...MOVING, eventsCut: true, eventsSilentMs: 30_000 })).toBe('ok');
  });

  it('a hidden page that is not given its frames', () => {
    const script = watching();
    const held = { bytesReceived: 50_000, framesReceived: 30, framesSent: 30, hidden: true };
    expect(script.run(60, held)).toBe('ok');
    expect(script.run(5, { ...MOVING, hidden: false })).toBe('ok');
  });

  it('a page that is not drawn, or cannot tell what it shows', () => {
    const script = watching();
    expect(script.run(60, { ...UNSHOWN, framesShown: null })).toBe('ok');
    expect(script.run(2, UNSHOWN)).toBe('ok');
    expect(script.run(5, MOVING)).toBe('ok');
  });

  it('frames that are shown seldom, and a last one a sample after it was decoded', () => {
    const script = watching();
    for (let round = 0; round < 10; round += 1) {
      expect(script.run(2, UNSHOWN)).toBe('ok');
      expect(script.run(1, { ...UNSHOWN, framesShown: 1 })).toBe('ok');
    }
    expect(script.run(1, UNSHOWN)).toBe('ok');
    expect(script.run(1, { framesShown: 1 })).toBe('ok');
    expect(script.run(60, {})).toBe('ok');
  });

  it('a machine that slept', () => {
    const script = watching();
    expect(script.run(1, { eventsSilentMs: 100 }, 600_000)).toBe('ok');
    expect(script.run(3, {})).toBe('ok');
  });

  it('a relay that does not say what it sends', () => {
    const script = watching();
    expect(script.run(60, { framesSent: null })).toBe('ok');
  });
});

describe('failed', () => {
  it('at once when the browser gives up', () => {
    expect(watching().run(9, { connection: 'failed' })).toMatch(/^failed after 1 s/);
    expect(watching().run(9, { connection: 'closed' })).toMatch(/^failed after 1 s/);
  });

  it('when it is disconnected for 2 s', () => {
    const verdict = watching().run(9, { connection: 'disconnected' });
    expect(verdict).toBe('failed after 3 s: connection interrupted');
  });

  it('when nothing at all is heard for 3 s', () => {
    const script = watching();
    script.run(1, { eventsSilentMs: 1_000 });
    script.run(1, { eventsSilentMs: 2_000 });
    expect(script.run(1, { eventsSilentMs: 3_000 })).toMatch(/^failed.*nothing heard/);
  });

  it('when the events are cut and nothing comes', () => {
    const verdict = watching().run(9, { eventsCut: true, eventsSilentMs: 500 });
    expect(verdict).toBe('failed after 2 s: the relay is gone');
  });

  it('counts interruptions one by one', () => {
    const script = watching();
    for (let round = 0; round < 5; round += 1) {
      expect(script.run(2, { connection: 'disconnected' })).toBe('ok');
      expect(script.run(1, { connection: 'connected' })).toBe('ok');
    }
  });
});

describe('frozen', () => {
  it('when frames come and are not decoded', () => {
    const verdict = watching().run(9, {
      bytesReceived: 50_000,
      framesReceived: 30,
      framesSent: 30,
    });
    expect(verdict).toBe('frozen after 4 s: frames come but are not decoded');
  });

  it('when the first frames are never decoded', () => {
    const verdict = new Script().run(9, { bytesReceived: 50_000, framesReceived: 30 });
    expect(verdict).toMatch(/^frozen after 4 s/);
  });

  it('when frames are decoded but not shown', () => {
    expect(watching().run(9, UNSHOWN)).toBe('frozen after 4 s: frames are decoded but not shown');
  });

  it('when the first frames are never shown', () => {
    expect(new Script().run(9, UNSHOWN)).toMatch(/^frozen after 4 s: frames are decoded but/);
  });

  it('when packets never make a frame', () => {
    const verdict = watching().run(20, { bytesReceived: 50_000, framesSent: 30 });
    expect(verdict).toBe('frozen after 7 s: packets come but make no frame');
  });

  it('when packets never make a frame, and the relay does not say what it sends', () => {
    const untold = { bytesReceived: 50_000, framesSent: null };
    expect(watching().run(40, untold)).toMatch(/^frozen after 3. s: packets come/);
  });

  it('when what the relay sends does not arrive', () => {
    expect(watching().run(9, { framesSent: 30 })).toBe(
      'frozen after 5 s: what the relay sends does not arrive',
    );
  });

  it('when a single frame that the relay has sent does not arrive', () => {
    const script = watching();
    expect(script.run(9, {})).toBe('ok');
    expect(script.run(1, { framesSent: 1 })).toBe('ok');
    expect(script.run(9, {})).toMatch(/^frozen after 2 s/);
  });
});
