// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeMediaStream } from './fake.ts';
import { frame, seen, stubVideos, tell } from './fake-video.ts';
import { Screen } from './screen.ts';

let place = document.createElement('div');

beforeEach(() => {
  vi.useFakeTimers();
  stubVideos();
  place = document.createElement('div');
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function open() {
  const isCurrent = vi.fn(() => true);
  const listener = { isCurrent, onFrame: vi.fn(), onShown: vi.fn(), onBlocked: vi.fn() };
  const stream = () => new FakeMediaStream() as unknown as MediaStream;
  return { screen: new Screen(place, listener), listener, first: stream(), second: stream() };
}

/** The elements from bottom to top. */
const layers = () => [...place.children] as HTMLVideoElement[];

it('plays muted, inline and by itself', () => {
  const { screen, first } = open();
  screen.bring(first);
  const [video] = layers();
  expect([video?.muted, video?.autoplay, video?.playsInline]).toEqual([true, true, true]);
  expect(screen.surface, 'nothing to see yet').toBeNull();
});

it('shows a stream from its first frame on', () => {
  const { screen, listener, first } = open();
  screen.bring(first);
  frame(layers()[0] ?? null);
  expect(screen.surface).toBe(layers()[0]);
  expect(listener.onShown).toHaveBeenCalledWith(first);
  frame(screen.surface, 77);
  expect(listener.onFrame.mock.calls.at(-1)?.[1]).toMatchObject({ rtpTimestamp: 77, width: 640 });
});

it('keeps the old picture on top until the new one is there', () => {
  const { screen, listener, first, second } = open();
  screen.bring(first);
  frame(layers()[0] ?? null);
  const old = screen.surface;
  screen.bring(second);
  expect(layers()[1]).toBe(old);
  frame(old);
  expect(listener.onFrame, 'the old one goes on meanwhile').toHaveBeenCalledTimes(2);
  frame(layers()[0] ?? null);
  expect(layers()).toEqual([screen.surface]);
  expect(screen.surface).not.toBe(old);
  expect(listener.onShown.mock.calls).toEqual([[first], [second]]);
});

it('does not take black for a picture, unless there is nothing else for a second', () => {
  const { screen, listener, first, second } = open();
  screen.bring(first);
  frame(layers()[0] ?? null);
  const old = screen.surface;
  screen.bring(second);
  seen.value = 0;
  frame(layers()[0] ?? null);
  expect(screen.surface).toBe(old);
  vi.advanceTimersByTime(1_000);
  expect(screen.surface).not.toBe(old);
  expect(listener.onShown).toHaveBeenCalledTimes(2);
});

it('shows of a rush the last frame only', () => {
  const { screen, listener, first, second } = open();
  screen.bring(first);
  frame(layers()[0] ?? null);
  const old = screen.surface;
  screen.bring(second);
  listener.isCurrent.mockReturnValue(false);
  const next = layers()[0] ?? null;
  for (let turn = 0; turn < 5; turn += 1) {
    frame(next);
    vi.advanceTimersByTime(16);
  }
  expect(screen.surface).toBe(old);
  listener.isCurrent.mockReturnValue(true);
  frame(next, 77);
  expect(screen.surface).toBe(next);
  expect(listener.onFrame.mock.calls.at(-1)?.[1]).toMatchObject({ rtpTimestamp: 77 });
});

it('takes the last frame for current when no other comes, or when the rush takes too long', () => {
  for (const [everyMs, turns] of [
    [250, 1],
    [50, 20],
  ] as const) {
    const { screen, listener, first, second } = open();
    screen.bring(first);
    frame(layers()[0] ?? null);
    screen.bring(second);
    listener.isCurrent.mockReturnValue(false);
    const next = layers()[0] ?? null;
    for (let turn = 0; turn < turns; turn += 1) {
      expect(screen.surface).not.toBe(next);
      frame(next);
      vi.advanceTimersByTime(everyMs);
    }
    expect(screen.surface).toBe(next);
    place.replaceChildren();
  }
});

it('never goes back to an older picture, while the one before it brings newer ones', () => {
  const { screen, listener, first, second } = open();
  screen.bring(first);
  const old = layers()[0] ?? null;
  frame(old, 9_000);
  screen.bring(second);
  const next = layers()[0] ?? null;
  // The relay's clock is not known well enough: everything seems to be current, or nothing.
  for (const current of [true, false]) {
    listener.isCurrent.mockReturnValue(current);
    frame(next, 6_000);
    vi.advanceTimersByTime(200);
    expect(screen.surface).toBe(old);
  }
  frame(old, 12_000);
  frame(next, 9_000);
  expect(screen.surface).toBe(old);
  listener.isCurrent.mockReturnValue(true);
  frame(next, 12_000);
  expect(screen.surface, 'caught up').toBe(next);
});

it('waits on a copy for a connection that stays behind', () => {
  const { screen, first, second } = open();
  screen.bring(first);
  const old = layers()[0] ?? null;
  screen.bring(second);
  const next = layers()[0] ?? null;
  let time = 2 ** 32 - 20_000;
  const both = () => {
    time = (time + 3_000) % 2 ** 32;
    frame(old, time);
    frame(next, (time - 9_000 + 2 ** 32) % 2 ** 32);
    vi.advanceTimersByTime(33);
  };
  frame(old, time);
  for (let turn = 0; turn < 30; turn += 1) both();
  expect(screen.surface).toBe(old);
  expect(place.lastElementChild).toBe(old);
  const waits: unknown[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    both();
    waits.push(place.lastElementChild?.nodeName);
  }
  expect(waits, 'the old one stands still until the new one is there').toContain('CANVAS');
  expect(layers()).toEqual([next]);
});

it('shows what is older when there is nothing else for two seconds', () => {
  const { screen, first, second } = open();
  screen.bring(first);
  frame(layers()[0] ?? null, 9_000);
  screen.bring(second);
  const next = layers()[0] ?? null;
  frame(next, 6_000);
  vi.advanceTimersByTime(1_900);
  expect(screen.surface).not.toBe(next);
  vi.advanceTimersByTime(100);
  expect(screen.surface).toBe(next);
});

it('holds a copy of the picture over a connection that ends', () => {
  const { screen, listener, first, second } = open();
  screen.bring(first);
  frame(layers()[0] ?? null);
  screen.part(first);
  expect(place.lastElementChild).toBeInstanceOf(HTMLCanvasElement);
  frame(layers()[0] ?? null);
  expect(listener.onFrame, 'black, as browsers draw it then').toHaveBeenCalledTimes(1);
  screen.bring(second);
  frame(layers()[0] ?? null);
  expect(layers()).toEqual([screen.surface]);
});

it('looks at a picture only once there is one to look at, and ever after', () => {
  const { screen, first } = open();
  screen.bring(first);
  seen.value = 0;
  tell(layers()[0] ?? null);
  expect(screen.surface, 'told of').toBe(layers()[0]);
  expect(screen.look()).toBeNull();
  screen.freeze();
  expect(place.lastElementChild, 'no copy of nothing').toBe(screen.surface);
  frame(screen.surface);
  expect(screen.look(), 'it is black').toBe(true);
});

it('forgets a stream that never had a picture', () => {
  const { screen, first, second } = open();
  screen.bring(first);
  screen.bring(second);
  screen.part(second);
  expect(layers()).toHaveLength(1);
});

it('says when the browser wants a gesture, and plays at one', async () => {
  let allowed = false;
  vi.restoreAllMocks();
  stubVideos(async () => {
    if (!allowed) throw new DOMException('', 'NotAllowedError');
  });
  const { screen, listener, first } = open();
  screen.bring(first);
  await vi.advanceTimersByTimeAsync(0);
  expect(listener.onBlocked).toHaveBeenLastCalledWith(true);
  allowed = true;
  screen.resume();
  await vi.advanceTimersByTimeAsync(0);
  expect(listener.onBlocked).toHaveBeenLastCalledWith(false);
});

it('goes on in the floating window of the picture that it replaces', async () => {
  const { screen, first, second } = open();
  screen.bring(first);
  frame(layers()[0] ?? null);
  const old = screen.surface;
  Object.defineProperty(document, 'pictureInPictureElement', { configurable: true, value: old });
  const float = vi.fn(async () => undefined);
  Object.assign(HTMLVideoElement.prototype, { requestPictureInPicture: float });
  screen.bring(second);
  frame(layers()[0] ?? null);
  expect(float.mock.contexts).toEqual([screen.surface]);
  expect(layers(), 'until the window has changed over').toContain(old);
  await vi.advanceTimersByTimeAsync(0);
  expect(layers()).toEqual([screen.surface]);
  Reflect.deleteProperty(document, 'pictureInPictureElement');
});

it('counts on the first data where frames are not told of', () => {
  Reflect.deleteProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback');
  const { screen, first } = open();
  screen.bring(first);
  layers()[0]?.dispatchEvent(new Event('loadeddata'));
  expect(screen.surface).toBe(layers()[0]);
});
