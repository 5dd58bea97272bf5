// @vitest-environment jsdom
import { cleanup, render, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import type { AudienceSnapshot } from '../../../services/audience.ts';
import { NO_AUDIENCE } from '../../../services/audience.ts';
import type { TroubledViewer, ViewersFacts } from '../../../services/viewers.ts';
import { speak } from '../../../words/language.ts';
import { Viewers } from './Viewers.tsx';
import { whyOf } from './why.ts';

afterEach(() => {
  cleanup();
  speak('en');
});

const NOBODY: ViewersFacts = {
  count: 0,
  byTransport: { webtransport: 0, webrtc: 0, websocket: 0 },
  byState: { live: 0, behind: 0, light: 0, waiting: 0, away: 0 },
  troubled: [],
};
const ADA: TroubledViewer = {
  session: 3,
  name: 'Ada',
  transport: 'webtransport',
  state: 'light',
  stateSinceUs: 0,
  skips: false,
  undecoded: false,
  carriesKbps: 600,
};

function show(snapshot: Partial<AudienceSnapshot>, still = false): void {
  const all = { ...NO_AUDIENCE, ...snapshot };
  const audience = { subscribe: () => () => undefined, snapshot: () => all };
  render(<Viewers audience={audience} still={still} live />);
}

const lines = () =>
  screen.queryAllByRole('listitem').filter((line) => line.hasAttribute('data-state'));

it('says whose viewers are missing, in both languages', () => {
  show({ facts: NOBODY });
  expect(screen.queryByRole('status')).toBeNull();
  show({ facts: { ...NOBODY, incomplete: ['r1', 'r2'] } });
  screen.getByText('The relays r1 and r2 do not answer. Whoever watches there is missing here.');
  cleanup();
  speak('de');
  show({ facts: { ...NOBODY, incomplete: ['r2'] } });
  screen.getByText('Das Relay r2 antwortet nicht. Wer dort zusieht, fehlt hier.');
});

it('counts viewers, by what they watch over and by how they fare', () => {
  show({
    facts: {
      ...NOBODY,
      count: 1_012,
      byTransport: { webtransport: 1_009, webrtc: 1, websocket: 2 },
      byState: { live: 1_000, behind: 9, light: 2, waiting: 0, away: 1 },
    },
  });
  screen.getByText('1,012');
  screen.getByText('1,009 over WebTransport · 1 over WebRTC · 2 over WebSocket');
  const states = screen.getByRole('list', { name: 'How they fare' });
  expect(
    within(states)
      .getAllByRole('listitem')
      .map((item) => item.textContent),
  ).toEqual(['1,000 live', '9 behind', '2 on a lighter version', '0 without a picture', '1 away']);
});

it('says how late pictures are, of whom that is, and how it has been', () => {
  const latencies = [
    { atMs: 1_000, p50Ms: 50, p95Ms: 420 },
    { atMs: 2_000, p50Ms: 38, p95Ms: 121 },
  ];
  const latency = { p50Ms: 38, p95Ms: 121, viewers: 2 };
  const by = { ...NOBODY.byState, live: 3 };
  show({ facts: { ...NOBODY, count: 3, byState: by, latency }, latencies });
  screen.getByText('38 ms');
  screen.getByText('121 ms');
  screen.getByText('as told by 2 of 3 viewers');
  const chart = screen.getByRole('img');
  expect(chart.getAttribute('aria-label')).toBe(
    'Latency over the last five minutes. Now half of it is within 38 ms, and 95 of 100 within 121 ms. At worst it was 420 ms.',
  );
  expect(chart.querySelectorAll('polyline')).toHaveLength(2);
  // The axis has room for the worst.
  screen.getByText('500 ms');
});

it('says why no latency is known', () => {
  const facts = { ...NOBODY, count: 1, byState: { ...NOBODY.byState, live: 1 } };
  show({ facts }, true);
  expect(screen.getAllByText('not known')).toHaveLength(2);
  screen.getByText('Measured again as soon as the picture moves.');
  cleanup();
  show({ facts }, false);
  screen.getByText(/No viewer has said how late its pictures are/);
  cleanup();
  show({ facts: NOBODY });
  screen.getByText('Nobody watches yet.');
  expect(screen.queryByText('not known')).toBeNull();
  cleanup();
  show({ failed: true });
  screen.getByText('This relay does not say how viewers fare.');
});

it('names those who have less of it, by name or number, with why and how many more', () => {
  const { name: _, ...unnamed } = ADA;
  const late: TroubledViewer = {
    ...unnamed,
    session: 12,
    transport: 'webrtc',
    state: 'behind',
    latencyMs: 900,
    stateSinceUs: (Date.now() - 65_400) * 1_000,
  };
  const byState = { ...NOBODY.byState, live: 1, behind: 4, light: 1 };
  show({ facts: { ...NOBODY, count: 6, byState, troubled: [late, ADA] } });
  const [first, second] = lines();
  expect(first?.textContent).toBe(
    'Viewer 12WebRTC · for 1:05Its pictures come 900 ms late: its network carries 600 kbit/s.',
  );
  expect(second?.textContent).toContain('Ada');
  expect(second?.textContent).toContain(
    'Its network carries 600 kbit/s: it gets a lighter version.',
  );
  screen.getByText('and 3 more');
});

it('says why in each case', () => {
  const { carriesKbps: _, ...untold } = ADA;
  const cases: [TroubledViewer, string][] = [
    [untold, 'Its network is slow: it gets a lighter version.'],
    [{ ...ADA, state: 'behind', undecoded: true, latencyMs: 900 }, 'Pictures reach it, and its'],
    [{ ...untold, state: 'behind', latencyMs: 900 }, 'Its pictures come 900 ms late.'],
    [{ ...untold, state: 'behind', skips: true, latencyMs: 100 }, 'Its network is too slow'],
    [{ ...ADA, state: 'behind', skips: true }, 'Its network carries 600 kbit/s: pictures are left'],
    [{ ...ADA, state: 'waiting' }, 'It has no picture yet'],
    [{ ...ADA, state: 'away' }, 'Its page is hidden'],
  ];
  for (const [viewer, why] of cases) expect(whyOf(viewer)).toContain(why);
});

it('speaks German with its decimal sign', () => {
  speak('de');
  expect(whyOf({ ...ADA, carriesKbps: 1_200 })).toBe(
    'Das Netz schafft 1,2 Mbit/s: Es gibt eine leichtere Fassung.',
  );
});
