import { describe, expect, it } from 'vitest';
import { reachOf } from '../../../links/reach.ts';
import { statusOf } from '../../../publish/fake-status.ts';
import { DEFAULT_QUALITY } from '../../../publish/quality.ts';
import { type HostStatus, NO_LIMITS } from '../../../publish/status.ts';
import type { ViewersFacts } from '../../../services/viewers.ts';
import { Steady } from './steady.ts';
import { type Trouble, troublesOf } from './troubles.ts';

const STATUS = statusOf({ quality: { ...DEFAULT_QUALITY, frameRate: 30 }, rttMs: 20 });

function viewers(states: Partial<ViewersFacts['byState']>): ViewersFacts {
  const byState = { live: 0, behind: 0, light: 0, waiting: 0, away: 0, ...states };
  const count = Object.values(byState).reduce((sum, some) => sum + some, 0);
  return {
    count,
    byTransport: { webtransport: count, webrtc: 0, websocket: 0 },
    byState,
    troubled: [],
  };
}

function found(status: Partial<HostStatus>, facts: ViewersFacts | null = null): string[] {
  const playerLink = 'https://relay.example/play#token=t';
  const given = { status: { ...STATUS, ...status }, viewers: facts, playerLink };
  return troublesOf(given).map(({ title, detail }) => `${title}. ${detail}`);
}

const rates = (change: Partial<HostStatus['rates']>) => ({
  rates: { ...STATUS.rates, ...change },
});

describe('what is wrong', () => {
  it('is nothing where all is well, and nothing is sent of what is not live', () => {
    expect(found({}, viewers({ live: 10, light: 2, away: 1 }))).toEqual([]);
    const limits = { ...NO_LIMITS, uplink: 300_000 };
    expect(found({ state: 'reconnecting', limits })).toEqual([]);
  });

  it('is an upload that is too narrow, with what it carries and what is sent', () => {
    const limits = { ...NO_LIMITS, uplink: 1_200_000 };
    expect(found({ limits, ...rates({ fpsSent: 12 }) })).toEqual([
      'Your upload carries 1.2 Mbit/s. The picture is sent at 12 of 30 frames a second, and coarser, so that it is not late. It mends itself when the network does.',
    ]);
    expect(found({ limits })[0]).toContain('The picture is sent coarser');
    // At rest few frames are sent for other reasons.
    expect(found({ limits, motion: 'still', ...rates({ fpsSent: 0 }) })[0]).toContain('coarser');
  });

  it('is UDP that does not get through, be it here or at the server, which is no harm by itself', () => {
    const [said] = found({ carrier: 'websocket' });
    expect(said).toContain('Over TCP: UDP to the server did not get through');
    expect(said).toContain('from here, or at the server’s firewall');
    const given = { status: statusOf({ carrier: 'websocket' }), viewers: null, playerLink: null };
    expect(troublesOf(given).map(({ tone }) => tone)).toEqual(['plain']);
  });

  it('is a computer that cannot encode as many', () => {
    const limits = { ...NO_LIMITS, frameRate: 14 };
    expect(found({ limits, ...rates({ encodeMs: 61.2, fpsIn: 14 }) })).toEqual([
      'This computer encodes 14 frames a second at most. 30 are asked for, and one takes 61 ms. A smaller resolution, or fewer programs, leave room for more.',
    ]);
  });

  it('is a capture that gives fewer than are asked for, unless little moves', () => {
    const few = 'The browser captures 18 frames a second, 30 are asked for';
    expect(found(rates({ fpsIn: 18 }))[0]).toContain(few);
    expect(found(rates({ fpsIn: 22 }))).toEqual([]);
    expect(found(rates({ fpsIn: 3 }))).toEqual([]);
    const source = { width: 800, height: 600, surface: 'browser', muted: false };
    expect(found({ source, ...rates({ fpsIn: 18 }) })).toEqual([]);
  });

  it('is a window that gives nothing, and a relay that is far', () => {
    const source = { width: 800, height: 600, surface: 'window', muted: true };
    const [muted, far] = found({ source, rttMs: 181.4 });
    expect(muted).toContain('The shared window gives no pictures at present');
    expect(far).toContain('The relay is far away: 181 ms there and back');
    expect(far).toContain('about 91 ms to get there');
    expect(found({ rttMs: 149 })).toEqual([]);
  });

  it('is that many viewers are behind, and that one has no picture', () => {
    expect(found({}, viewers({ live: 7, behind: 3 }))[0]).toContain('3 of 10 viewers are behind');
    expect(found({}, viewers({ live: 9, behind: 1 }))).toEqual([]);
    expect(found({}, viewers({ behind: 1 }))[0]).toContain('The only viewer is behind');
    const both = found({}, viewers({ live: 2, behind: 1, waiting: 1 }));
    expect(both[0]).toContain('1 of 4 viewers has no picture');
    expect(both[1]).toContain('1 of 4 viewers is behind');
  });

  it('is a link that nobody elsewhere can open, while nobody watches', () => {
    const given = { status: STATUS, playerLink: 'http://localhost:4433/play#token=t' };
    const names = (facts: ViewersFacts | null) =>
      troublesOf({ ...given, viewers: facts }).map(({ name }) => name);
    expect(names(viewers({}))).toEqual(['unreachable']);
    expect(names(viewers({ live: 1 }))).toEqual([]);
    expect(names(null)).toEqual([]);
    const isLocal = (link: string) => reachOf(link) === 'own-machine';
    const local = ['http://127.0.0.1/', 'http://[::1]:80/', 'http://a.localhost/'];
    expect(local.map(isLocal)).toEqual([true, true, true]);
    const reached = ['https://192.0.2.1/', 'https://localhost.example/', 'http://127.example/'];
    expect(reached.map(isLocal)).toEqual([false, false, false]);
  });
});

describe('what is shown of it', () => {
  const trouble = (name: Trouble['name'], title: string = name): Trouble => ({
    name,
    tone: 'wait',
    title,
    detail: '',
  });
  const names = (troubles: Trouble[]) => troubles.map(({ title }) => title);

  it('appears when it has lasted, and goes when it has stayed away', () => {
    const steady = new Steady();
    const far = trouble('far');
    expect(steady.take(0, [far])).toEqual([]);
    expect(steady.take(1_000, [far])).toEqual([]);
    expect(names(steady.take(2_000, [far]))).toEqual(['far']);
    expect(names(steady.take(4_000, []))).toEqual(['far']);
    expect(names(steady.take(4_500, [far]))).toEqual(['far']);
    expect(steady.take(7_500, [])).toEqual([]);
    expect(steady.take(8_000, [far])).toEqual([]);
  });

  it('is nothing that comes and goes within a moment', () => {
    const steady = new Steady();
    for (let ms = 0; ms < 10_000; ms += 1_000) {
      expect(steady.take(ms, ms % 2_000 === 0 ? [trouble('far')] : [])).toEqual([]);
    }
  });

  it('is in order, and as it was found last', () => {
    const steady = new Steady();
    steady.take(0, [trouble('far', 'before'), trouble('muted')]);
    const shown = steady.take(2_000, [trouble('far', 'now'), trouble('muted')]);
    expect(names(shown)).toEqual(['muted', 'now']);
  });
});
