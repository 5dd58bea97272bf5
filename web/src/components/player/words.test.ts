import { afterEach, expect, it } from 'vitest';
import { NO_TOKEN, type PlayerState } from '../../play/state.ts';
import { speak } from '../../words/language.ts';
import { codecName } from '../codecs.ts';
import { elapsed, fileName, tabTitle, wordsFor } from './words.ts';

afterEach(() => speak('en'));

it('counts seconds, minutes, hours', () => {
  const times = [-5, 0, 8_900, 60_000, 185_000, 3_729_000];
  expect(times.map(elapsed)).toEqual(['0 s', '0 s', '8 s', '1:00', '3:05', '1:02:09']);
});

it('names codecs as people do', () => {
  const codecs = ['av01.0.05M.08', 'AV1', 'avc1.42e01f', 'H264', 'vp09.00.10.08', 'VP8', 'hev1.1'];
  expect(codecs.map(codecName)).toEqual(['AV1', 'AV1', 'H.264', 'H.264', 'VP9', 'VP8', 'hev1.1']);
});

it('says what a slow network means, while there is a picture to be slow', () => {
  const slow = (kind: 'live' | 'waiting', carriesKbps: number | null) =>
    wordsFor({ kind }, false, { carriesKbps, told: true });
  expect(slow('live', 387)).toMatchObject({
    badge: 'Slow network',
    detail:
      'Your connection carries about 390 kbit/s, less than the picture needs: fewer pictures a second.',
    passing: true,
  });
  expect(slow('live', 1_240).detail).toContain('about 1.2 Mbit/s');
  expect(slow('live', null).detail).toContain('carries less than the picture needs: fewer');
  expect(slow('waiting', 300).badge).toBe('Waiting');
});

it('does not blame a link where there is none', () => {
  const refused = (message: string) =>
    wordsFor({ kind: 'refused', reason: 'unauthorized', message }).title;
  expect(refused(NO_TOKEN)).toBe('Open your link once more');
  expect(refused('bad signature')).toBe('This link does not open a broadcast');
});

it('takes the last picture from those who may no longer see it, and from nobody else', () => {
  const hides = (reason: 'revoked' | 'kicked' | 'token_expired' | 'internal') =>
    wordsFor({ kind: 'refused', reason, message: '' }).withdrawn;
  expect([hides('revoked'), hides('kicked'), hides('token_expired')]).toEqual([true, true, true]);
  expect(hides('internal')).toBe(false);
  const ends = (reason: 'broadcast_ended' | 'held_too_long') => wordsFor({ kind: 'ended', reason });
  expect(ends('broadcast_ended')).toMatchObject({ final: true, withdrawn: true });
  expect(ends('held_too_long')).toMatchObject({ final: true, withdrawn: false });
  expect(wordsFor({ kind: 'paused', sinceMs: 0 })).toMatchObject({ final: false, withdrawn: true });
  const lost = (covered: boolean) => wordsFor({ kind: 'reconnecting', sinceMs: 0, covered });
  expect([lost(true).withdrawn, lost(false).withdrawn]).toEqual([true, false]);
});

it('names the tab by the state and the broadcast', () => {
  const named = (state: PlayerState, title: string | null = 'Game night') =>
    tabTitle(state, wordsFor(state), title);
  expect(named({ kind: 'connecting', attempt: 1 }, null)).toBe('Joining · Steadycast');
  expect(named({ kind: 'live' })).toBe('Live · Game night');
  // A screen at rest is no news.
  expect(named({ kind: 'static', sinceMs: 0 })).toBe('Live · Game night');
  expect(named({ kind: 'away', sinceMs: 0 })).toBe('Host away · Game night');
  expect(named({ kind: 'ended', reason: 'broadcast_ended' })).toBe('Ended · Game night');
  const slow = wordsFor({ kind: 'static', sinceMs: 0 }, false, { carriesKbps: 90, told: true });
  expect(tabTitle({ kind: 'static', sinceMs: 0 }, slow, 'x')).toBe('Slow network · x');
});

it('gives saved pictures names that every system takes', () => {
  const at = new Date(2026, 10, 30, 9, 5, 7);
  expect(fileName('Game night', at)).toBe('Game night 2026-11-30 09.05.07.png');
  expect(fileName(null, at)).toBe('Steadycast 2026-11-30 09.05.07.png');
  expect(fileName('../a\\b: "c"?\u202E\n', at)).toBe('a b c 2026-11-30 09.05.07.png');
});

it('speaks German with the numbers of German', () => {
  speak('de');
  expect(wordsFor({ kind: 'away', sinceMs: 0 }).badge).toBe('Host abwesend');
  const slow = wordsFor({ kind: 'live' }, false, { carriesKbps: 1_240, told: true });
  expect(slow.detail).toContain('etwa 1,2 Mbit/s, weniger, als das Bild braucht');
});
