import { afterEach, expect, it } from 'vitest';
import type { DeskBroadcast } from '../../services/DeskService.ts';
import { speak } from '../../words/language.ts';
import { rowFacts, rowTone, titleOf } from './facts.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

const one = (change: Partial<DeskBroadcast>): DeskBroadcast => ({
  id: 'a',
  title: 'A',
  phase: 'waiting',
  sinceMs: NOW - HOUR,
  players: 0,
  isPrivate: false,
  playerLink: 'https://relay.example/play#token=t',
  networkLinks: [],
  warnings: [],
  createdMs: NOW - 48 * HOUR,
  lastLiveMs: null,
  over: null,
  ...change,
});

const said = (change: Partial<DeskBroadcast>) =>
  rowFacts(one(change), NOW).map(({ name, text }) => `${name}: ${text}`);

afterEach(() => speak('en'));

it('says when it went live, was live last, or that it never was', () => {
  speak('en');
  const made = 'Made: 2 days ago';
  expect(said({})).toEqual(['Last live: never yet', made]);
  expect(said({ phase: 'live', lastLiveMs: NOW })).toEqual(['Went live: 1 hour ago', made]);
  expect(said({ phase: 'held', lastLiveMs: NOW - HOUR })).toEqual(['Last live: 1 hour ago', made]);
  // After a restart of the relay it waits, and was live all the same.
  expect(said({ lastLiveMs: NOW - 2 * HOUR })[0]).toBe('Last live: 2 hours ago');
  expect(said({ phase: 'live', over: 'here', lastLiveMs: NOW })[0]).toBe('Last live: just now');
  speak('de');
  expect(said({ phase: 'live' })).toEqual(['Live gegangen: vor 1 Stunde', 'Angelegt: vor 2 Tagen']);
});

it('is untitled in the page’s language', () => {
  speak('de');
  expect(['', 'Untitled', 'Spieleabend'].map((title) => titleOf({ title }))).toEqual([
    'Ohne Titel',
    'Ohne Titel',
    'Spieleabend',
  ]);
});

it('is calm about what is over, whatever it was before', () => {
  expect([rowTone(one({ phase: 'live' })), rowTone(one({ phase: 'live', over: 'here' }))]).toEqual([
    'badge-good',
    'badge-plain',
  ]);
});
