// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import type { Sample } from '../../publish/history.ts';
import { DEFAULT_QUALITY } from '../../publish/quality.ts';
import { type HostStatus, NO_COUNTS } from '../../publish/status.ts';
import { speak } from '../../words/language.ts';
import { Figures } from './Figures.tsx';

afterEach(() => {
  cleanup();
  speak('en');
});

const STATUS = {
  state: 'live',
  motion: 'moving',
  quality: DEFAULT_QUALITY,
  picture: null,
  players: 12,
  rttMs: 2.4,
  rates: { fpsSent: 30, bitsPerSecond: 1_200_000, encodeMs: 7.25 },
  counts: { ...NO_COUNTS, keyframeRequests: 4, keyframesSent: 5 },
} as HostStatus;

function sample(atMs: number, fps: number): Sample {
  return { atMs, fps, bitsPerSecond: 900_000, encodeMs: 7, rttMs: 2, players: 12 };
}

const HISTORY = [
  ...[0, 5_000, 10_000].map((ms) => sample(ms, 12)),
  // The panel was out of sight here.
  ...[200_000, 201_000, 202_000].map((ms) => sample(ms, 30)),
];

const lineOf = (name: string) => screen.getByRole('img', { name: new RegExp(`^${name}`) });
const said = (name: string) => lineOf(name).getAttribute('aria-label');
const drawn = (name: string) => lineOf(name).querySelectorAll('polyline').length;

it('shows the last minute, or the last five with a gap where nothing is known', () => {
  render(<Figures status={STATUS} history={HISTORY} />);
  expect(said('Frames per second')).toBe(
    'Frames per second over the last minute, between 30 and 30',
  );
  expect(drawn('Frames per second')).toBe(1);
  fireEvent.click(screen.getByRole('radio', { name: '5 min' }));
  expect(said('Frames per second')).toBe(
    'Frames per second over the last five minutes, between 12 and 30',
  );
  expect(drawn('Frames per second')).toBe(2);
  expect(said('Bitrate')).toContain('between 900 kbit/s and 900 kbit/s');
});

it('says nothing of a range before there is one', () => {
  render(<Figures status={STATUS} history={[]} />);
  expect(screen.queryAllByRole('img')).toEqual([]);
  screen.getByText('30');
});

it('speaks German, numbers as well', () => {
  speak('de');
  render(<Figures status={STATUS} history={HISTORY} />);
  screen.getByText('Bilder pro Sekunde');
  expect(screen.getByText('Bitrate').parentElement?.textContent).toContain('1,2 Mbit/s');
  expect(screen.getByText('Kodierzeit').parentElement?.textContent).toContain('7,3 ms');
});
