// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeMediaStream } from './fake.ts';
import { StreamSound } from './stream-sound.ts';

let elements: HTMLAudioElement[] = [];
let refuses = false;
let blocked: boolean[] = [];
let sound: StreamSound;

const stream = () => new FakeMediaStream() as unknown as MediaStream;
/** What is heard of each connection: its stream, and how loud. */
const heard = () =>
  elements.filter(({ srcObject }) => srcObject !== null).map(({ volume }) => volume);

beforeEach(() => {
  vi.useFakeTimers();
  elements = [];
  blocked = [];
  refuses = false;
  const create = document.createElement.bind(document);
  vi.spyOn(document, 'createElement').mockImplementation((name: string) => {
    const element = create(name) as HTMLAudioElement;
    let source: MediaProvider | null = null;
    Object.defineProperty(element, 'srcObject', {
      get: () => source,
      set: (value: MediaProvider | null) => {
        source = value;
      },
    });
    element.play = async () => {
      if (refuses) throw new DOMException('', 'NotAllowedError');
    };
    element.pause = () => undefined;
    elements.push(element);
    return element;
  });
  sound = new StreamSound({ onBlocked: (now) => blocked.push(now) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('plays nothing that nobody wants to hear', () => {
  sound.stream = stream();
  expect(elements).toHaveLength(0);
  expect(sound.on).toBe(false);
});

it('comes and goes without a click', async () => {
  sound.stream = stream();
  sound.wish = { on: true, volume: 0.5 };
  const volumes: number[] = [];
  for (let step = 0; step < 6; step += 1) {
    volumes.push(heard()[0] ?? -1);
    await vi.advanceTimersByTimeAsync(8);
  }
  expect(volumes[0]).toBe(0);
  expect(heard()).toEqual([0.25]);
  for (const [at, volume] of volumes.slice(1).entries()) {
    expect(volume - (volumes[at] ?? 0)).toBeLessThan(0.06);
  }
  sound.wish = { on: false, volume: 0.5 };
  expect(heard()).toEqual([0.25]);
  await vi.advanceTimersByTimeAsync(100);
  expect(heard()).toEqual([]);
});

it('has one connection heard at a time', async () => {
  sound.wish = { on: true, volume: 1 };
  sound.stream = stream();
  await vi.advanceTimersByTimeAsync(100);
  sound.stream = stream();
  await vi.advanceTimersByTimeAsync(100);
  expect(elements).toHaveLength(2);
  expect(heard()).toEqual([1]);
});

it('says that the browser wants a gesture, and plays at one', async () => {
  refuses = true;
  sound.stream = stream();
  sound.wish = { on: true, volume: 1 };
  await vi.advanceTimersByTimeAsync(1);
  expect(blocked).toEqual([true]);
  refuses = false;
  sound.wish = { on: true, volume: 1 };
  await vi.advanceTimersByTimeAsync(1);
  expect(blocked).toEqual([true, false]);
});
