import { describe, expect, it } from 'vitest';
import { Race, type TransportName } from './race.ts';

const BOTH = ['webtransport', 'whep'] as const;

/** What runs at a time, the kept one marked. */
function running(race: Race, nowMs: number): string {
  const { run, kept } = race.plan(nowMs);
  return run.map((name) => (name === kept ? `${name}!` : name)).join(' + ');
}

describe('a first join', () => {
  it('keeps the first transport when it opens within its head start', () => {
    const race = new Race(BOTH, 0);
    expect(running(race, 0)).toBe('webtransport');
    race.tell('webtransport', 'opening', 40);
    expect(race.plan(40)).toEqual({ run: ['webtransport'], kept: null, againMs: 540 });
    race.tell('webtransport', 'open', 120);
    expect(race.plan(120)).toEqual({ run: ['webtransport'], kept: 'webtransport', againMs: null });
    expect(running(race, 9_000)).toBe('webtransport!');
  });

  it('starts the second 500 ms after the first began, and keeps the one that opens', () => {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'opening', 40);
    expect(running(race, 539)).toBe('webtransport');
    expect(running(race, 540)).toBe('webtransport + whep');
    race.tell('whep', 'opening', 560);
    expect(race.plan(600).againMs).toBeNull();
    race.tell('whep', 'open', 700);
    expect(running(race, 700)).toBe('whep!');
  });

  it('lets the first still win after the second has started', () => {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'opening', 0);
    race.plan(500);
    race.tell('webtransport', 'open', 520);
    expect(running(race, 520)).toBe('webtransport!');
    race.tell('whep', 'open', 530);
    expect(running(race, 530), 'ended, and too late').toBe('webtransport!');
  });

  it('starts the second at the first failure', () => {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'opening', 10);
    race.tell('webtransport', 'failed', 60);
    expect(running(race, 60)).toBe('webtransport + whep');
  });

  it('starts no second transport while the relay answers nobody', () => {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'down', 20);
    expect(race.plan(60_000)).toEqual({ run: ['webtransport'], kept: null, againMs: null });
    race.tell('webtransport', 'opening', 61_000);
    expect(race.plan(61_000).againMs).toBe(61_500);
  });

  it('does not wait for one that never says a word', () => {
    const race = new Race(BOTH, 0);
    expect(race.plan(0).againMs).toBe(2_000);
    expect(running(race, 2_000)).toBe('webtransport + whep');
  });

  it('knows the one that is possible only', () => {
    const race = new Race(['whep'], 0);
    race.tell('whep', 'opening', 10);
    race.tell('whep', 'failed', 20);
    expect(race.plan(9_000)).toEqual({ run: ['whep'], kept: null, againMs: null });
  });

  it('goes over to the other at once when one turns out to be impossible', () => {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'impossible', 30);
    expect(running(race, 30)).toBe('whep');
    race.tell('whep', 'impossible', 80);
    expect(race.plan(80)).toEqual({ run: [], kept: null, againMs: null });
  });

  it('ends for both when the broadcast is over', () => {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'opening', 0);
    race.plan(500);
    race.tell('whep', 'over', 600);
    expect(race.plan(600)).toEqual({ run: ['whep'], kept: 'whep', againMs: null });
    expect(race.plan(60_000).run).toEqual(['whep']);
  });

  it('gives a remembered winner the head start', () => {
    const race = new Race(['whep', 'webtransport'], 0);
    race.tell('whep', 'opening', 30);
    expect(running(race, 529)).toBe('whep');
    expect(running(race, 530)).toBe('whep + webtransport');
    race.tell('webtransport', 'open', 600);
    expect(running(race, 600)).toBe('webtransport!');
  });
});

describe('later', () => {
  function kept(): Race {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'opening', 10);
    race.tell('webtransport', 'open', 100);
    race.plan(100);
    return race;
  }

  it('a restarted relay is joined on the transport that was kept', () => {
    const race = kept();
    race.tell('webtransport', 'down', 5_000);
    expect(running(race, 30_000)).toBe('webtransport!');
    race.tell('webtransport', 'opening', 30_000);
    expect(race.plan(30_000).againMs).toBe(32_000);
    race.tell('webtransport', 'open', 31_000);
    expect(race.plan(31_000).againMs).toBeNull();
  });

  it('a network that lets only the other through is noticed', () => {
    const race = kept();
    race.tell('webtransport', 'down', 5_000);
    race.tell('webtransport', 'opening', 5_200);
    expect(running(race, 7_200)).toBe('webtransport! + whep');
    race.tell('webtransport', 'failed', 9_000);
    race.tell('webtransport', 'opening', 10_000);
    expect(running(race, 10_000)).toBe('webtransport! + whep');
    race.tell('whep', 'open', 10_100);
    expect(running(race, 10_100)).toBe('whep!');
    race.tell('whep', 'down', 20_000);
    race.tell('whep', 'opening', 20_100);
    expect(running(race, 22_100)).toBe('whep! + webtransport');
  });

  it('a failed handshake brings the other one at once', () => {
    const race = kept();
    race.tell('webtransport', 'down', 5_000);
    race.tell('webtransport', 'opening', 5_200);
    race.tell('webtransport', 'failed', 5_300);
    expect(running(race, 5_300)).toBe('webtransport! + whep');
    race.tell('webtransport', 'open', 5_400);
    expect(running(race, 5_400)).toBe('webtransport!');
  });
});

describe('a rematch', () => {
  const BEGIN_MS = 60_000;

  function troubled(): Race {
    const race = new Race(BOTH, 0);
    race.tell('webtransport', 'opening', 10);
    race.tell('webtransport', 'open', 100);
    expect(race.rematch(BEGIN_MS)).toBe(true);
    expect(running(race, BEGIN_MS)).toBe('webtransport! + whep');
    return race;
  }

  /** Whether the kept one could be challenged a little before and at a time. */
  function freeFrom(race: Race, ms: number): boolean {
    return !race.rematch(ms - 1) && race.rematch(ms);
  }

  it('keeps the kept one while the other one opens and shows what it can', () => {
    const race = troubled();
    race.tell('whep', 'opening', BEGIN_MS + 50);
    race.tell('whep', 'open', BEGIN_MS + 500);
    expect(race.rival).toMatchObject({ name: 'whep', reason: 'trouble' });
    expect(running(race, BEGIN_MS + 9_000)).toBe('webtransport! + whep');
  });

  it('ends with either, and is not repeated soon', () => {
    const better = troubled();
    better.tell('whep', 'open', BEGIN_MS + 500);
    better.settleRematch('rival', BEGIN_MS + 10_000);
    expect(running(better, BEGIN_MS + 10_000)).toBe('whep!');
    better.tell('whep', 'open', BEGIN_MS + 10_001);
    expect(freeFrom(better, BEGIN_MS + 70_000)).toBe(true);
    const worse = troubled();
    worse.tell('whep', 'open', BEGIN_MS + 500);
    worse.settleRematch('kept', BEGIN_MS + 10_000);
    expect([worse.rival, running(worse, BEGIN_MS + 10_000)]).toEqual([null, 'webtransport!']);
    expect(freeFrom(worse, BEGIN_MS + 70_000)).toBe(true);
  });

  it('is repeated later every time', () => {
    const race = troubled();
    let endMs = BEGIN_MS + 10_000;
    for (const pauseMs of [60_000, 120_000, 240_000, 480_000, 960_000, 1_800_000, 1_800_000]) {
      race.settleRematch('kept', endMs);
      expect(freeFrom(race, endMs + pauseMs), `${pauseMs} ms`).toBe(true);
      endMs += pauseMs;
    }
  });

  it('gives up one that does not open within 10 s, and any that has no end', () => {
    const race = troubled();
    race.tell('whep', 'opening', BEGIN_MS + 50);
    expect(race.plan(BEGIN_MS + 50).againMs).toBe(BEGIN_MS + 10_000);
    expect(running(race, BEGIN_MS + 10_000)).toBe('webtransport!');
    const open = troubled();
    open.tell('whep', 'open', BEGIN_MS + 50);
    expect(running(open, BEGIN_MS + 30_000)).toBe('webtransport!');
  });

  it('is over when the other one fails, and won by it when the kept one does', () => {
    const failed = troubled();
    failed.tell('whep', 'failed', BEGIN_MS + 50);
    expect(running(failed, BEGIN_MS + 50)).toBe('webtransport!');
    const lost = troubled();
    lost.tell('whep', 'open', BEGIN_MS + 50);
    lost.tell('webtransport', 'down', BEGIN_MS + 900);
    expect(running(lost, BEGIN_MS + 900)).toBe('whep!');
  });

  it('ends with the broadcast', () => {
    const race = troubled();
    race.tell('webtransport', 'over', BEGIN_MS + 50);
    expect(running(race, BEGIN_MS + 50)).toBe('webtransport!');
    expect(race.rematch(BEGIN_MS + 900_000)).toBe(false);
  });

  it('leaves the kept one alone when the other one is refused, and is not repeated', () => {
    const race = troubled();
    race.tell('whep', 'opening', BEGIN_MS + 20);
    race.tell('whep', 'over', BEGIN_MS + 50);
    expect(running(race, BEGIN_MS + 50)).toBe('webtransport!');
    expect(race.rematch(BEGIN_MS + 900_000)).toBe(false);
    // That it was told so is no reason to lose this one's way back.
    race.tell('webtransport', 'down', BEGIN_MS + 901_000);
    race.tell('webtransport', 'failed', BEGIN_MS + 902_000);
    expect(running(race, BEGIN_MS + 902_000)).toBe('webtransport! + whep');
  });

  it('needs another transport, and one that is kept and open', () => {
    const alone = new Race(['whep'], 0);
    alone.tell('whep', 'open', 10);
    expect(alone.rematch(9_000)).toBe(false);
    const early = new Race(BOTH, 0);
    expect(early.rematch(100)).toBe(false);
    const down = new Race(BOTH, 0);
    down.tell('webtransport', 'open', 10);
    down.tell('webtransport', 'down', 900);
    expect(down.rematch(1_000)).toBe(false);
  });
});

const ALL = ['webtransport', 'whep', 'websocket'] as const;

describe('with three', () => {
  it('each starts a while after the one before it, as long as none opens', () => {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'opening', 40);
    expect(race.plan(40).againMs).toBe(540);
    expect(running(race, 540)).toBe('webtransport + whep');
    race.tell('whep', 'opening', 560);
    expect(race.plan(560).againMs).toBe(840);
    expect(running(race, 840)).toBe('webtransport + whep + websocket');
    race.tell('websocket', 'opening', 850);
    expect(race.plan(850).againMs).toBeNull();
    race.tell('websocket', 'open', 1_000);
    expect(running(race, 1_000)).toBe('websocket!');
  });

  it('each has more time where the relay is far', () => {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'opening', 900);
    expect(race.plan(900).againMs).toBe(1_800);
    expect(running(race, 1_800)).toBe('webtransport + whep');
    expect(race.plan(1_800).againMs).toBe(2_700);
    const far = new Race(ALL, 0);
    far.tell('webtransport', 'opening', 1_900);
    expect(far.plan(1_900).againMs, 'but not for ever').toBe(3_400);
  });

  it('failures leave no time unused', () => {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'failed', 50);
    race.plan(50);
    race.tell('whep', 'failed', 90);
    expect(running(race, 90)).toBe('webtransport + whep + websocket');
  });

  it('one that is impossible is no reason to start all', () => {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'impossible', 10);
    expect(running(race, 10)).toBe('whep');
    race.tell('whep', 'opening', 20);
    expect(race.plan(20).againMs).toBe(520);
    race.tell('whep', 'impossible', 60);
    expect(running(race, 60)).toBe('websocket');
  });

  it('the remembered one begins, and after it the best', () => {
    const race = new Race(['websocket', 'webtransport', 'whep'], 0);
    race.tell('websocket', 'opening', 20);
    expect(running(race, 520)).toBe('websocket + webtransport');
    race.tell('webtransport', 'opening', 530);
    expect(running(race, 820)).toBe('websocket + webtransport + whep');
  });

  it('a kept one that cannot come back is followed by the others in order', () => {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'open', 100);
    race.tell('webtransport', 'down', 5_000);
    race.tell('webtransport', 'opening', 5_200);
    expect(running(race, 7_200)).toBe('webtransport! + whep');
    race.tell('whep', 'opening', 7_210);
    expect(running(race, 7_500)).toBe('webtransport! + whep + websocket');
    race.tell('websocket', 'open', 7_700);
    expect(running(race, 7_700)).toBe('websocket!');
  });

  it('the one that does badly is compared with the others in turn', () => {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'open', 100);
    const rivals = [10_000, 100_000, 300_000, 700_000].map((nowMs) => {
      expect(race.rematch(nowMs)).toBe(true);
      const rival = race.rival?.name;
      race.settleRematch('kept', nowMs + 10_000);
      return rival;
    });
    expect(rivals).toEqual(['whep', 'websocket', 'whep', 'websocket']);
  });
});

describe('the second best', () => {
  /** Kept since a moment, because nothing else opened. */
  function lesser(name: 'whep' | 'websocket' = 'websocket'): Race {
    const race = new Race([name, ...ALL.filter((other) => other !== name)], 0);
    race.tell(name, 'opening', 10);
    race.tell(name, 'open', 100);
    return race;
  }

  it('tries the better ones after a minute, one after another', () => {
    const race = lesser();
    expect(race.plan(100)).toEqual({ run: ['websocket'], kept: 'websocket', againMs: 60_100 });
    expect(running(race, 60_099)).toBe('websocket!');
    expect(running(race, 60_100)).toBe('websocket! + webtransport');
    expect(race.rival).toEqual({ name: 'webtransport', reason: 'better', longerMs: 0 });
    race.tell('webtransport', 'opening', 60_120);
    race.tell('webtransport', 'failed', 68_000);
    expect(running(race, 68_000)).toBe('websocket! + whep');
    // Silence is an answer as well.
    expect(race.plan(68_000).againMs).toBe(78_000);
    expect(running(race, 78_000)).toBe('websocket!');
  });

  it('does so more and more seldom', () => {
    const race = lesser('whep');
    let atMs = 60_100;
    for (const pauseMs of [60_000, 120_000, 240_000]) {
      expect(running(race, atMs)).toBe('whep! + webtransport');
      race.tell('webtransport', 'failed', atMs + 100);
      atMs += 100 + pauseMs;
      expect(race.plan(atMs - 1)).toEqual({ run: ['whep'], kept: 'whep', againMs: atMs });
    }
  });

  it('stays, and asks no more, when a better one is told that this viewer gets no other session', () => {
    const race = lesser();
    race.plan(60_100);
    race.tell('webtransport', 'opening', 60_120);
    race.tell('webtransport', 'over', 60_200);
    expect(race.plan(60_200)).toEqual({ run: ['websocket'], kept: 'websocket', againMs: null });
    race.networkChanged(90_000);
    expect(running(race, 9_000_000)).toBe('websocket!');
  });

  it('gives way to a better one that does as well, and the best asks for nothing', () => {
    const race = lesser();
    race.plan(60_100);
    race.tell('webtransport', 'open', 60_200);
    expect(running(race, 65_000), 'seen by nobody yet').toBe('websocket! + webtransport');
    race.settleRematch('rival', 70_000);
    expect(race.plan(70_000)).toEqual({
      run: ['webtransport'],
      kept: 'webtransport',
      againMs: null,
    });
  });

  it('tries at once on another network, whatever was tried before', () => {
    const race = lesser('whep');
    for (const atMs of [60_100, 130_000]) {
      race.plan(atMs);
      race.tell('webtransport', 'failed', atMs + 100);
    }
    race.networkChanged(140_000);
    expect(running(race, 140_000)).toBe('whep! + webtransport');
  });

  it('tries when its own session was lost and is back, for that may be another network', () => {
    const race = lesser('whep');
    race.tell('whep', 'down', 5_000);
    race.tell('whep', 'opening', 5_100);
    expect(running(race, 5_100)).toBe('whep!');
    race.tell('whep', 'open', 5_300);
    expect(running(race, 5_300)).toBe('whep! + webtransport');
  });

  it('does not go back and forth: a better one that did worse is left alone on this network', () => {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'open', 100);
    race.rematch(30_000);
    race.tell('whep', 'open', 30_100);
    race.settleRematch('rival', 40_000);
    expect(race.plan(40_000)).toEqual({ run: ['whep'], kept: 'whep', againMs: null });
    race.networkChanged(50_000);
    expect(running(race, 50_000)).toBe('whep! + webtransport');
    race.tell('webtransport', 'open', 50_100);
    race.settleRematch('kept', 60_000);
    expect(race.plan(60_000).againMs).toBeNull();
  });

  it('waits with all that until it has a session', () => {
    const race = lesser('whep');
    race.tell('whep', 'down', 59_000);
    race.networkChanged(59_500);
    expect(running(race, 61_000)).toBe('whep!');
    race.tell('whep', 'open', 62_000);
    expect(running(race, 62_000)).toBe('whep! + webtransport');
  });
});

describe('sessions that break off although the relay is there', () => {
  /** One of the kept one's does, and the relay is asked for the next. */
  function breakOff(race: Race, name: TransportName, nowMs: number): void {
    race.tell(name, 'down', nowMs);
    race.plan(nowMs);
    race.tell(name, 'reopening', nowMs + 100);
  }

  function onWebTransport(): Race {
    const race = new Race(ALL, 0);
    race.tell('webtransport', 'opening', 10);
    race.tell('webtransport', 'open', 100);
    return race;
  }

  /** After two within a minute, on WebSocket since `nowMs`. */
  function onTcp(race = onWebTransport(), nowMs = 30_000): Race {
    breakOff(race, 'webtransport', nowMs - 20_000);
    race.tell('webtransport', 'open', nowMs - 19_000);
    breakOff(race, 'webtransport', nowMs - 200);
    race.tell('websocket', 'opening', nowMs - 50);
    race.tell('websocket', 'open', nowMs);
    return race;
  }

  it('have it tried again after the first, and another one begin after the second', () => {
    const race = onWebTransport();
    breakOff(race, 'webtransport', 5_000);
    expect(running(race, 5_100)).toBe('webtransport!');
    race.tell('webtransport', 'open', 5_400);
    breakOff(race, 'webtransport', 12_000);
    expect(running(race, 12_100)).toBe('websocket');
    race.tell('websocket', 'opening', 12_120);
    race.tell('websocket', 'open', 12_200);
    expect(running(race, 12_200)).toBe('websocket!');
  });

  it('are forgiven where the other one does not open', () => {
    const race = onWebTransport();
    for (const atMs of [5_000, 12_000]) breakOff(race, 'webtransport', atMs);
    race.tell('websocket', 'failed', 12_200);
    expect(running(race, 12_200)).toBe('websocket + whep');
    race.tell('whep', 'failed', 12_300);
    expect(running(race, 12_300)).toBe('websocket + whep + webtransport');
    race.tell('webtransport', 'open', 12_500);
    expect(running(race, 12_500)).toBe('webtransport!');
  });

  it('say nothing where the relay was gone, however often', () => {
    const race = onWebTransport();
    for (const atMs of [5_000, 9_000, 13_000]) {
      race.tell('webtransport', 'down', atMs);
      race.tell('webtransport', 'opening', atMs + 2_000);
      race.tell('webtransport', 'open', atMs + 2_100);
      expect(running(race, atMs + 2_100)).toBe('webtransport!');
    }
  });

  it('are all there is where nothing else is possible', () => {
    const race = new Race(['webtransport'], 0);
    race.tell('webtransport', 'open', 100);
    for (const atMs of [5_000, 9_000, 13_000]) breakOff(race, 'webtransport', atMs);
    expect(running(race, 13_200)).toBe('webtransport!');
  });

  it('have the others tried after a minute, the one that broke off last, and for longer', () => {
    const race = onTcp();
    expect(running(race, 89_999)).toBe('websocket!');
    expect(running(race, 90_000)).toBe('websocket! + whep');
    expect(race.rival?.longerMs).toBe(30_000);
    race.tell('whep', 'failed', 90_100);
    expect(running(race, 90_100)).toBe('websocket! + webtransport');
    race.tell('webtransport', 'open', 90_200);
    expect(running(race, 130_000), 'it still has to show').toBe('websocket! + webtransport');
  });

  it('make the pauses and the trials longer each time that they do so again', () => {
    const race = new Race(['webtransport', 'websocket'], 0);
    race.tell('webtransport', 'open', 100);
    let atMs = 90_000;
    onTcp(race);
    for (const [longerMs, pauseMs] of [
      [30_000, 120_000],
      [60_000, 240_000],
      [120_000, 480_000],
      [120_000, 960_000],
    ] as const) {
      expect(running(race, atMs)).toBe('websocket! + webtransport');
      expect(race.rival?.longerMs).toBe(longerMs);
      race.tell('webtransport', 'open', atMs + 100);
      race.tell('webtransport', 'down', atMs + 20_000);
      expect(running(race, atMs + 20_000)).toBe('websocket!');
      atMs += 20_000 + pauseMs;
      expect(running(race, atMs - 1)).toBe('websocket!');
    }
  });

  it('count one by one after that, and are forgotten on another network', () => {
    const race = new Race(['webtransport', 'websocket'], 0);
    race.tell('webtransport', 'open', 100);
    onTcp(race);
    race.plan(90_000);
    race.tell('webtransport', 'open', 90_100);
    race.settleRematch('rival', 130_000);
    breakOff(race, 'webtransport', 200_000);
    expect(running(race, 200_100)).toBe('websocket');
    race.tell('websocket', 'open', 200_300);
    race.networkChanged(210_000);
    expect(running(race, 210_000)).toBe('websocket! + webtransport');
    expect(race.rival?.longerMs).toBe(0);
    race.tell('webtransport', 'open', 210_100);
    race.settleRematch('rival', 220_000);
    breakOff(race, 'webtransport', 230_000);
    expect(running(race, 230_100)).toBe('webtransport!');
  });
});
