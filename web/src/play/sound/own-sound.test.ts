// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from 'vitest';
import type { OutputOptions } from './output.ts';
import { OwnSound } from './own-sound.ts';

/** What plays sound, in the test's hands. */
class FakeOutput {
  readonly options: OutputOptions;
  gain: number;
  resumes = 0;
  closed = false;

  constructor(options: OutputOptions) {
    this.options = options;
    this.gain = options.gain;
    outputs.push(this);
  }
  resume(): void {
    this.resumes += 1;
  }
  close(): void {
    this.closed = true;
  }
}

let outputs: FakeOutput[] = [];
const PORT = {} as MessagePort;
let ports: (MessagePort | null)[] = [];
let sound: OwnSound;

beforeEach(() => {
  outputs = [];
  ports = [];
  const listener = {
    onPort: (port: MessagePort | null) => ports.push(port),
    onHeard: () => undefined,
    onChange: () => undefined,
  };
  sound = new OwnSound('automatic', listener, async () => ({ SoundOutput: FakeOutput }));
});

const loaded = (count = 1) => vi.waitFor(() => expect(outputs).toHaveLength(count));
const LOUD = { on: true, volume: 1 };

it('has nothing that plays until there is sound and somebody wants it', async () => {
  sound.wish = LOUD;
  expect(sound.state).toBe('none');
  sound.there = true;
  expect(sound.state).toBe('starting');
  await loaded();
  outputs[0]?.options.listener.onPort(PORT);
  outputs[0]?.options.listener.onState('on');
  expect(sound.state).toBe('on');
  expect(ports).toEqual([PORT]);
});

it('plays nothing for who has it off, and begins anew for who has it on again', async () => {
  sound.there = true;
  expect(sound.state).toBe('off');
  sound.wish = LOUD;
  await loaded();
  sound.wish = { on: false, volume: 1 };
  expect(sound.state).toBe('off');
  expect(outputs[0]?.closed).toBe(true);
  expect(ports).toEqual([null]);
  // What it says now is of the past.
  outputs[0]?.options.listener.onState('on');
  expect(sound.state).toBe('off');
  sound.wish = LOUD;
  await loaded(2);
});

it('plays nothing that came too late', async () => {
  sound.there = true;
  sound.wish = LOUD;
  sound.wish = { on: false, volume: 1 };
  sound.wish = { on: true, volume: 0.5 };
  await loaded();
  // The first one would have been here by now as well.
  await new Promise((resolve) => setTimeout(resolve));
  expect(outputs).toHaveLength(1);
  expect(outputs[0]?.gain).toBe(0.25);
});

it('says that the browser wants a gesture, and tries again at one', async () => {
  sound.there = true;
  sound.wish = LOUD;
  await loaded();
  outputs[0]?.options.listener.onState('blocked');
  expect(sound.state).toBe('blocked');
  sound.wish = LOUD;
  expect(outputs[0]?.resumes).toBe(1);
});

it('is as loud as is wanted, without beginning anew', async () => {
  sound.there = true;
  sound.wish = LOUD;
  await loaded();
  sound.wish = { on: true, volume: 0.5 };
  expect(outputs.map(({ gain }) => gain)).toEqual([0.25]);
});

it('begins anew for who wants it closer, or smoother', async () => {
  sound.there = true;
  sound.wish = LOUD;
  await loaded();
  sound.mode = 'live';
  await loaded(2);
  expect(outputs.map(({ closed }) => closed)).toEqual([true, false]);
  expect(outputs[1]?.options.mode).toBe('live');
});

it('says that there is none where the browser plays none of this kind', async () => {
  sound.there = true;
  sound.wish = LOUD;
  await loaded();
  outputs[0]?.options.listener.onState('failed');
  expect(sound.state).toBe('none');
});
