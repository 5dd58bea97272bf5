import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusOf } from './fake-status.ts';
import {
  fromHost,
  fromPanel,
  type HostMessage,
  type PanelMessage,
  parseHostMessage,
  parsePanelMessage,
} from './messages.ts';
import { DEFAULT_QUALITY } from './quality.ts';
import { DEFAULT_SOUND } from './sound/choice.ts';
import { NO_SOUND } from './sound/facts.ts';
import { NO_COUNTS, NO_LIMITS } from './status.ts';

const STATUS = statusOf({
  sinceMs: 1_700_000_000_000,
  crop: { x: 0, y: 0, width: 640, height: 360 },
  picture: { width: 640, height: 360, codec: 'av01.0.08M.08' },
  renditions: [
    { codec: 'h264', maxKbps: null, players: 2, bitsPerSecond: 900_000, fps: 30, refused: null },
  ],
  players: 3,
  group: 2,
  rttMs: 1.5,
});

const PANEL: PanelMessage[] = [
  { type: 'start', host: 'h' },
  { type: 'crop', host: 'h', crop: { x: 2, y: 4, width: 64, height: 64 } },
  { type: 'crop', host: 'h', crop: null },
  { type: 'quality', host: 'h', quality: DEFAULT_QUALITY },
  {
    type: 'sound',
    host: 'h',
    sound: {
      shared: { gain: 0.5, muted: true },
      microphone: { gain: 2, muted: false, device: { id: 'd', label: 'Desk' } },
    },
  },
  { type: 'stop', host: 'h' },
  { type: 'status', host: null, preview: true },
];
const SIZE = { width: 640, height: 360 };
const HOST: HostMessage[] = [
  { type: 'hello', host: 'h', startedMs: 1 },
  { type: 'status', host: 'h', startedMs: 1, status: STATUS },
  { type: 'preview', host: 'h', size: SIZE, source: SIZE, data: Uint8Array.of(1) },
  { type: 'levels', host: 'h', levels: { shared: 0.5, microphone: 1 } },
  { type: 'bye', host: 'h' },
];

/** As a channel delivers it. */
const sent = (message: object): unknown => structuredClone(message);

describe('channel messages', () => {
  it('arrive as they were sent', () => {
    for (const message of PANEL) {
      expect(parsePanelMessage(sent(fromPanel(message)))).toMatchObject({
        kind: 'message',
        message,
      });
    }
    for (const message of HOST) {
      expect(parseHostMessage(sent(fromHost(message)))).toMatchObject({ kind: 'message', message });
    }
  });

  it('from one’s own side are told from bad ones', () => {
    expect(parsePanelMessage(sent(fromHost({ type: 'bye', host: 'h' })))).toEqual({
      kind: 'other',
    });
    expect(parseHostMessage(sent(fromPanel({ type: 'stop', host: 'h' })))).toEqual({
      kind: 'other',
    });
  });

  it.each([
    ['of no side', { type: 'stop', host: 'h' }],
    ['of an unknown type', { side: 'panel', type: 'explode', host: 'h' }],
    ['of a type that only objects have', { side: 'panel', type: 'constructor', host: 'h' }],
    ['without a host', { side: 'panel', type: 'stop' }],
    ['for a host that is no text', { side: 'panel', type: 'stop', host: 7 }],
    [
      'with a crop of no size',
      fromPanel({ type: 'crop', host: 'h', crop: { x: 0, y: 0, width: 0, height: 9 } }),
    ],
    [
      'with a crop beyond all screens',
      fromPanel({ type: 'crop', host: 'h', crop: { x: 1e9, y: 0, width: 9, height: 9 } }),
    ],
    [
      'with a crop that is no number',
      fromPanel({ type: 'crop', host: 'h', crop: { x: Number.NaN, y: 0, width: 9, height: 9 } }),
    ],
    [
      'with a bitrate out of bounds',
      fromPanel({ type: 'quality', host: 'h', quality: { ...DEFAULT_QUALITY, bitrate: 1e12 } }),
    ],
    [
      'with an unknown codec',
      { side: 'panel', type: 'quality', host: 'h', quality: { ...DEFAULT_QUALITY, codec: 'h266' } },
    ],
    [
      'with sound that is louder than there is',
      fromPanel({
        type: 'sound',
        host: 'h',
        sound: { ...DEFAULT_SOUND, shared: { gain: 100, muted: false } },
      }),
    ],
    [
      'with a microphone that is no device',
      {
        side: 'panel',
        type: 'sound',
        host: 'h',
        sound: { ...DEFAULT_SOUND, microphone: { gain: 1, muted: false, device: 'desk' } },
      },
    ],
    ['that are no objects', 'stop'],
    ['that are nothing', null],
    ['that are a list', [1, 2]],
  ])('%s are bad', (_, message) => {
    expect(parsePanelMessage(message)).toEqual({ kind: 'bad' });
  });

  it('with a status that lacks a count, or has a strange state, are bad', () => {
    const { framesSent: _, ...counts } = NO_COUNTS;
    for (const status of [
      { ...STATUS, counts },
      { ...STATUS, state: 'lively' },
      { ...STATUS, rates: null },
    ]) {
      const message = { side: 'host', type: 'status', host: 'h', startedMs: 1, status };
      expect(parseHostMessage(message)).toEqual({ kind: 'bad' });
    }
  });

  it('are understood as well from a window that was opened before an upgrade', () => {
    const rendition = { codec: 'h264', players: 2, bitsPerSecond: 1, fps: 30, refused: null };
    const { favour: __, ...quality } = DEFAULT_QUALITY;
    const { limits: _, sound: ___, ...older } = { ...STATUS, renditions: [rendition], quality };
    const message = { side: 'host', type: 'status', host: 'h', startedMs: 1, status: older };
    expect(parseHostMessage(message)).toMatchObject({
      kind: 'message',
      message: {
        status: {
          limits: NO_LIMITS,
          sound: NO_SOUND,
          quality: DEFAULT_QUALITY,
          renditions: [{ ...rendition, maxKbps: null }],
        },
      },
    });
    const asked = parsePanelMessage({ side: 'panel', type: 'quality', host: 'h', quality });
    expect(asked).toMatchObject({ kind: 'message', message: { quality: DEFAULT_QUALITY } });
    const wrong = { ...message, status: { ...older, renditions: 'none' } };
    expect(parseHostMessage(wrong)).toEqual({ kind: 'bad' });
  });

  it('of whatever shape never throw', () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom('panel', 'host'), (value, side) => {
        const message = typeof value === 'object' && value !== null ? { ...value, side } : value;
        parsePanelMessage(message);
        parseHostMessage(message);
      }),
      { seed: 3 },
    );
  });
});
