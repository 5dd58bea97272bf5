import { beforeEach, expect, it, vi } from 'vitest';
import type { Lane } from './lane.ts';
import { DEFAULT_QUALITY } from './quality.ts';
import { type LaneEvents, Renditions } from './renditions.ts';
import { SessionUplinks } from './uplinks.ts';

interface FakeLane {
  codec: string;
  events: LaneEvents;
  connect: ReturnType<typeof vi.fn>;
  setQuality: ReturnType<typeof vi.fn>;
  limit: ReturnType<typeof vi.fn>;
  wantKeyframe: ReturnType<typeof vi.fn>;
  close: ReturnType<typeof vi.fn>;
}

let lanes: FakeLane[];
const onRefused = vi.fn();

function setUp(): { renditions: Renditions; uplinks: SessionUplinks } {
  const renditions = new Renditions({
    onReady: vi.fn(),
    onError: vi.fn(),
    onRefused,
    createLane: (codec, events) => {
      const lane = {
        codec,
        events,
        connect: vi.fn(),
        setQuality: vi.fn(),
        limit: vi.fn(),
        wantKeyframe: vi.fn(),
        close: vi.fn(),
      };
      lanes.push(lane);
      return lane as unknown as Lane;
    },
  });
  const carrier = {
    clock: { offsetUs: 0, rttUs: 40_000 },
    welcome: { version: 2 },
    openGroup: () => new Promise<never>(() => undefined),
  };
  const uplinks = new SessionUplinks({
    carrier,
    epoch: 1,
    sealing: null,
    onGiven: vi.fn(),
    onSent: vi.fn(),
    onKeyframeNeeded: vi.fn(),
  });
  renditions.setQuality(DEFAULT_QUALITY);
  renditions.connect(uplinks);
  return { renditions, uplinks };
}

const COMMON = { kind: 'video', maxKbps: null } as const;
const H264 = { ...COMMON, track: 1, codec: 'h264', players: 2 } as const;
const VP8 = { ...COMMON, track: 2, codec: 'vp8', players: 1 } as const;
const NARROW = { ...COMMON, track: 5, codec: 'h264', maxKbps: 800, players: 1 } as const;

beforeEach(() => {
  lanes = [];
  onRefused.mockClear();
});

it('begins what is wanted, in its codec, on its track', () => {
  const { renditions, uplinks } = setUp();
  renditions.want([H264]);
  expect(lanes.map(({ codec }) => codec)).toEqual(['h264']);
  expect(lanes[0]?.connect).toHaveBeenCalledWith(uplinks.of(1));
  expect(lanes[0]?.setQuality).toHaveBeenCalledWith({ ...DEFAULT_QUALITY, codec: 'h264' });
  expect(renditions.facts(0)).toMatchObject([{ codec: 'h264', players: 2, refused: null }]);
});

it('goes on with what it has when only the number of viewers changes', () => {
  const { renditions } = setUp();
  renditions.want([H264]);
  renditions.want([{ ...H264, players: 0 }, VP8]);
  expect(lanes).toHaveLength(2);
  expect(lanes[0]?.close).not.toHaveBeenCalled();
  expect(renditions.facts(0).map(({ players }) => players)).toEqual([0, 1]);
});

it('ends what is wanted no more, and begins it again where it was', () => {
  const { renditions, uplinks } = setUp();
  renditions.want([H264]);
  const uplink = uplinks.of(1);
  const rest = vi.spyOn(uplink, 'rest');
  renditions.want([]);
  expect(lanes[0]?.close).toHaveBeenCalledTimes(1);
  expect(rest).toHaveBeenCalledTimes(1);
  renditions.want([H264]);
  expect(lanes[1]?.connect).toHaveBeenCalledWith(uplink);
});

it('says which it cannot encode, and why, until the relay asks again', () => {
  const { renditions } = setUp();
  renditions.want([H264]);
  lanes[0]?.events.onUnable('no encoder');
  expect(onRefused).toHaveBeenCalledWith(1, 'no encoder');
  renditions.want([VP8]);
  expect(renditions.facts(0)).toMatchObject([
    { codec: 'vp8', refused: null },
    { codec: 'h264', refused: 'no encoder' },
  ]);
  renditions.want([H264]);
  expect(renditions.facts(0)).toMatchObject([{ codec: 'h264', refused: null }]);
});

it('refuses once, and not what was ended meanwhile', () => {
  const { renditions } = setUp();
  renditions.want([H264]);
  renditions.want([]);
  lanes[0]?.events.onUnable('too late');
  expect(onRefused).not.toHaveBeenCalled();
});

it('sends no layers and otherwise what the admin wishes', () => {
  const { renditions } = setUp();
  renditions.want([H264]);
  renditions.setQuality({ ...DEFAULT_QUALITY, bitrate: 900_000, codec: 'av1', layers: 3 });
  const wish = { ...DEFAULT_QUALITY, bitrate: 900_000, codec: 'h264', layers: 1 };
  expect(lanes[0]?.setQuality).toHaveBeenLastCalledWith(wish);
});

it('wants nothing before a session says so, and nothing after it', () => {
  const { renditions } = setUp();
  renditions.want([H264]);
  renditions.requestKeyframe(1);
  expect(lanes[0]?.wantKeyframe).toHaveBeenCalledTimes(1);
  renditions.connect(null);
  expect(lanes[0]?.close).toHaveBeenCalledTimes(1);
  renditions.want([H264]);
  renditions.requestKeyframe(1);
  expect(lanes).toHaveLength(1);
  expect(renditions.facts(0)).toEqual([]);
});

it('counts what it sends', () => {
  const { renditions } = setUp();
  renditions.want([H264]);
  const frame = { bytes: 25_000, keyframe: false, refinement: false, group: 1 };
  renditions.sent(1, frame, 100);
  renditions.sent(7, frame, 100);
  expect(renditions.facts(200)).toMatchObject([{ bitsPerSecond: 100_000, fps: 0.5 }]);
});

it('makes one for narrow paths beside one in the same codec, and follows its limit', () => {
  const { renditions } = setUp();
  renditions.want([H264, NARROW]);
  expect(lanes.map(({ codec }) => codec)).toEqual(['h264', 'h264']);
  const wished = { ...DEFAULT_QUALITY, codec: 'h264' };
  const narrow = { ...wished, bitrate: 640_000, frameRate: 18 };
  expect(lanes[1]?.setQuality).toHaveBeenLastCalledWith(narrow);
  renditions.want([H264, { ...NARROW, maxKbps: 400 }]);
  expect(lanes).toHaveLength(2);
  const narrower = { ...wished, bitrate: 320_000, frameRate: 10 };
  expect(lanes[1]?.setQuality).toHaveBeenLastCalledWith(narrower);
  expect(lanes[0]?.setQuality).toHaveBeenCalledTimes(1);
  expect(renditions.facts(0).map(({ maxKbps }) => maxKbps)).toEqual([null, 400]);
});

it('begins anew on a track that is wanted in another codec', () => {
  const { renditions } = setUp();
  renditions.want([NARROW]);
  renditions.want([{ ...NARROW, codec: 'vp8' }]);
  expect(lanes.map(({ codec }) => codec)).toEqual(['h264', 'vp8']);
  expect(lanes[0]?.close).toHaveBeenCalledTimes(1);
  lanes[0]?.events.onUnable('too late');
  expect(onRefused).not.toHaveBeenCalled();
});
