import { describe, expect, it } from 'vitest';
import { DEFAULT_QUALITY } from '../../publish/quality.ts';
import { DEFAULT_SOUND } from '../../publish/sound/choice.ts';
import { type HostStatus, type LimitFacts, NO_LIMITS } from '../../publish/status.ts';
import type { ShareSnapshot } from '../../services/AdminScreenShareService.ts';
import { ENDED_HERE } from '../../services/api.ts';
import { codecName } from '../codecs.ts';
import { bitrate, duration, milliseconds, wholeFrames } from './time.ts';
import { isUndoKey } from './useCropHistory.ts';
import { cropAfterKey } from './useCropKeys.ts';
import { isDeadLink, startLabel, wordsForHost, wordsForPanel } from './words.ts';

const NONE: ShareSnapshot = {
  host: 'none',
  status: null,
  crop: null,
  quality: DEFAULT_QUALITY,
  sound: DEFAULT_SOUND,
  broadcast: null,
  key: null,
  isKeyOld: false,
  problem: null,
  inside: false,
  hasHostPage: true,
  history: [],
  ignored: 0,
};
/** As far as the words go by it. */
const LIVE = { state: 'live', source: null } as HostStatus;
const BROADCAST = {
  id: 'b',
  title: '',
  phase: 'live' as const,
  sinceMs: 0,
  players: 2,
  isPrivate: false,
  playerLink: 'https://relay.example/play#token=t',
  warnings: [],
};

describe('what the panel offers', () => {
  it('is a broadcast that was ended here, and is told as that', () => {
    const problem = { offline: false, message: 'no such broadcast', code: ENDED_HERE };
    const stopped = { state: 'stopped', source: null } as HostStatus;
    for (const ended of [
      { ...NONE, problem },
      { ...NONE, problem, host: 'present' as const, status: stopped },
    ]) {
      expect(wordsForPanel(ended).title).toBe('You have ended this broadcast');
      expect([isDeadLink(ended), startLabel(ended)]).toEqual([true, null]);
    }
  });

  it('shares, or takes over what is live elsewhere', () => {
    expect(startLabel(NONE)).toBe('Share screen');
    expect(startLabel({ ...NONE, broadcast: BROADCAST })).toBe('Take over from here');
    expect(wordsForPanel({ ...NONE, broadcast: BROADCAST }).badge).toBe('Live elsewhere');
  });

  it('counts the viewers who wait for the picture to go on', () => {
    const held = { ...NONE, broadcast: { ...BROADCAST, phase: 'held' as const } };
    expect(wordsForPanel(held).detail).toContain('2 viewers are connected');
  });

  it('offers nothing while it looks for the host', () => {
    expect(startLabel({ ...NONE, host: 'searching' })).toBeNull();
    expect(startLabel({ ...NONE, host: 'opening' })).toBeNull();
  });

  it('says when a link is of no use any more', () => {
    const gone = { ...NONE, problem: { offline: false, message: '', code: 'unknown_broadcast' } };
    expect(isDeadLink(gone)).toBe(true);
    expect(startLabel(gone)).toBeNull();
    expect(wordsForPanel(gone).tone).toBe('bad');
    const offline = { ...NONE, problem: { offline: true, message: '', code: null } };
    expect(isDeadLink(offline)).toBe(false);
  });
});

describe('what the panel says while the picture is live', () => {
  const said = (limits: Partial<LimitFacts>) => {
    const words = wordsForHost({ ...LIVE, limits: { ...NO_LIMITS, ...limits } });
    return [words.badge, words.title];
  };

  it('is nothing as long as viewers have all of it', () => {
    expect(said({})).toEqual(['Live', null]);
    expect(said({ cheapCodec: true })).toEqual(['Live', null]);
  });

  it('is why they have less', () => {
    expect(said({ uplink: 702_000, frameRate: 12 })).toEqual([
      'Live, slow network',
      'Your network carries 702 kbit/s at present',
    ]);
    expect(said({ frameRate: 12 })[1]).toBe('This computer encodes 12 pictures a second at most');
  });
});

describe('what the panel says when the shared window becomes smaller', () => {
  const crop = { x: 640, y: 360, width: 400, height: 200 };
  const said = (width: number, height: number, surface = 'window') => {
    const source = { width, height, surface, muted: false };
    const { badge, title } = wordsForHost({ ...LIVE, limits: NO_LIMITS, crop, source });
    return [badge, title];
  };

  it('is nothing as long as it has all of the crop', () => {
    expect(said(1_280, 720)).toEqual(['Live', null]);
    expect(said(1_040, 560)).toEqual(['Live', null]);
  });

  it('is that viewers see a part, or nothing new', () => {
    expect(said(800, 720)).toEqual([
      'Live, part of the crop',
      'The shared window has become smaller than the crop',
    ]);
    expect(said(600, 720, 'browser')).toEqual([
      'Live, no picture',
      'The crop lies outside of the shared tab now',
    ]);
  });
});

describe('the key that undoes', () => {
  const key = (facts: Partial<KeyboardEvent>) =>
    isUndoKey({ key: 'z', code: 'KeyZ', ctrlKey: true, metaKey: false, altKey: false, ...facts });

  it('is the Z of the keyboard’s own language, with Ctrl or Cmd', () => {
    expect(key({})).toBe(true);
    expect(key({ key: 'Z', ctrlKey: false, metaKey: true })).toBe(true);
    expect(key({ key: 'z', code: 'KeyY' })).toBe(true);
    expect(key({ key: 'y', code: 'KeyZ' })).toBe(false);
    expect(key({ key: 'я', code: 'KeyZ' })).toBe(true);
    expect(key({ ctrlKey: false })).toBe(false);
    expect(key({ altKey: true })).toBe(false);
  });
});

describe('crop keys', () => {
  const crop = { x: 100, y: 100, width: 400, height: 200 };
  const source = { width: 1_920, height: 1_080 };
  const plain = { shift: false, fine: false };

  it('move with arrows, resize with Shift, finely with Ctrl', () => {
    expect(cropAfterKey('ArrowRight', plain, crop, source, null)).toEqual({ ...crop, x: 116 });
    expect(cropAfterKey('ArrowUp', { shift: false, fine: true }, crop, source, null)).toEqual({
      ...crop,
      y: 98,
    });
    expect(cropAfterKey('ArrowDown', { shift: true, fine: false }, crop, source, null)).toEqual({
      ...crop,
      height: 216,
    });
  });

  it('leave every other key alone', () => {
    expect(cropAfterKey('Tab', plain, crop, source, null)).toBeNull();
  });
});

describe('figures', () => {
  it('read as people say them', () => {
    expect(duration(7_400)).toBe('0:07');
    expect(duration(3_723_000)).toBe('1:02:03');
    expect(bitrate(186_124)).toEqual({ value: '186', unit: 'kbit/s' });
    expect(bitrate(3_000_000)).toEqual({ value: '3.0', unit: 'Mbit/s' });
    expect(milliseconds(0.94)).toBe('0.9');
    expect(milliseconds(null)).toBe('–');
    expect(codecName('avc1.42e028')).toBe('H.264');
    expect(wholeFrames(30.5)).toBe('30');
  });
});
