import { type Frame, type FrameHeader, newLinkKey, Sealer } from '@steadycast/codec-glue';
import { expect, it } from 'vitest';
import { PrivateBroadcast } from './private-broadcast.ts';

const KEY = newLinkKey();
const CONFIG = { width: 4, height: 2, codec: 'vp8', description: new Uint8Array(0), colour: null };
const NOW_US = 1_790_000_000_000_000;

const header = (group: number, index: number): FrameHeader => ({
  keyframe: index === 0,
  refinement: false,
  sealed: true,
  track: 0,
  layer: 0,
  epoch: 1,
  group,
  index,
  captureUs: 5,
  config: index === 0 ? CONFIG : null,
});

/** A host's frames, as they leave it. */
class Host {
  readonly #sealer: Sealer;

  constructor(key = KEY) {
    this.#sealer = new Sealer(key);
  }

  async frame(group: number, index: number): Promise<Frame> {
    const place = header(group, index);
    const capturedUs = NOW_US + group * 1_000_000 + index * 33_000;
    const inside = { capturedUs, distance: Math.min(1, index) };
    const payload = await this.#sealer.picture(place, inside, Uint8Array.of(group, index));
    return { header: place, payload };
  }

  sound(sequence: number): Promise<Uint8Array> {
    return this.#sealer.sound(sequence, NOW_US + sequence * 20_000, Uint8Array.of(0xf8, sequence));
  }
}

const flipped = ({ header, payload }: Frame, at: number): Frame => {
  const changed = payload.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return { header, payload: changed };
};

it('is seen as its host has made it, with the time of that', async () => {
  const [host, seen] = [new Host(), new PrivateBroadcast(KEY)];
  for (const index of [0, 1, 2]) {
    const opening = await seen.picture(1, await host.frame(3, index));
    if (opening.kind !== 'good') throw new Error(opening.kind);
    expect([...opening.frame.payload]).toEqual([3, index]);
  }
  const capturedMs = (NOW_US + 3_066_000) / 1_000;
  expect(seen.facts).toEqual({ lock: 'open', meddled: null, refused: 0, capturedMs });
});

it('is locked to who has no key', async () => {
  const seen = new PrivateBroadcast(null);
  expect(seen.facts).toBeNull();
  expect((await seen.picture(1, await new Host().frame(1, 0))).kind).toBe('late');
  expect(seen.facts?.lock).toBe('locked');
});

it('is foreign to who has another key, and nobody is suspected for that', async () => {
  const seen = new PrivateBroadcast(newLinkKey());
  expect((await seen.picture(1, await new Host().frame(1, 0))).kind).toBe('late');
  expect(seen.facts).toMatchObject({ lock: 'foreign', meddled: null });
});

it('shows nothing that was not sealed to who has a key', async () => {
  const [host, seen] = [new Host(), new PrivateBroadcast(KEY)];
  await seen.picture(1, await host.frame(1, 0));
  const clear = { header: { ...header(2, 0), sealed: false }, payload: Uint8Array.of(1) };
  expect(await seen.picture(2, clear)).toEqual({ kind: 'wrong', how: 'clear' });
});

it('gives a group up where a frame was changed, is told once, and goes on with the next', async () => {
  const [host, seen] = [new Host(), new PrivateBroadcast(KEY)];
  await seen.picture(1, await host.frame(1, 0));
  const changed = flipped(await host.frame(1, 1), 30);
  expect(await seen.picture(1, changed)).toEqual({ kind: 'wrong', how: 'forged' });
  expect((await seen.picture(1, await host.frame(1, 2))).kind).toBe('late');
  expect((await seen.picture(2, await host.frame(2, 0))).kind).toBe('good');
  expect(seen.facts).toMatchObject({ lock: 'open', meddled: 'forged', refused: 1 });
});

it('is foreign once another host goes on with another key, until one with the right key does', async () => {
  const [host, other, seen] = [new Host(), new Host(newLinkKey()), new PrivateBroadcast(KEY)];
  await seen.picture(1, await host.frame(1, 0));
  // A keyframe is asked for: it could be somebody on the way.
  expect(await seen.picture(2, await other.frame(5, 0))).toEqual({ kind: 'wrong', how: 'forged' });
  expect((await seen.picture(2, await other.frame(5, 1))).kind).toBe('late');
  expect(seen.facts).toMatchObject({ lock: 'open', meddled: null });
  expect((await seen.picture(3, await other.frame(6, 0))).kind).toBe('late');
  expect(seen.facts).toMatchObject({ lock: 'foreign', meddled: null, refused: 0 });
  const back = new Host();
  expect((await seen.picture(4, await back.frame(7, 0))).kind).toBe('good');
  expect(seen.facts).toMatchObject({ lock: 'open', meddled: null, refused: 0 });
});

it('is meddled with where what is nobody’s comes between groups of its host again and again', async () => {
  const [host, other, seen] = [new Host(), new Host(newLinkKey()), new PrivateBroadcast(KEY)];
  await seen.picture(1, await host.frame(1, 0));
  for (const round of [2, 3, 4]) {
    // Once or twice it is what a change of keys leaves behind.
    expect(seen.facts).toMatchObject({ lock: 'open', meddled: null });
    await seen.picture(round * 2, await other.frame(round, 0));
    // What was on its way goes on.
    expect((await seen.picture(round * 2 - 1, await host.frame(round, 0))).kind).toBe('good');
    expect((await seen.picture(round * 2 - 1, await host.frame(round, 1))).kind).toBe('good');
  }
  expect(seen.facts).toMatchObject({ lock: 'open', meddled: 'forged' });
});

it('opens nothing in the place of something else', async () => {
  const [host, seen] = [new Host(), new PrivateBroadcast(KEY)];
  const [key, delta] = [await host.frame(1, 0), await host.frame(1, 1)];
  await seen.picture(1, key);
  // The payload of another frame, the config of another picture, and a part of the right one.
  const swapped = { header: delta.header, payload: (await host.frame(2, 1)).payload };
  expect((await seen.picture(1, swapped)).kind).toBe('wrong');
  const wider = { ...key.header, group: 2, config: { ...CONFIG, width: 8 } };
  const opening = await seen.picture(2, {
    header: wider,
    payload: (await host.frame(2, 0)).payload,
  });
  expect(opening).toEqual({ kind: 'wrong', how: 'forged' });
  const whole = await host.frame(3, 0);
  const cut = { header: whole.header, payload: whole.payload.subarray(0, -1) };
  expect((await seen.picture(3, cut)).kind).toBe('wrong');
});

it('is heard with what is repeated beside it, and not with what is not', async () => {
  const [host, seen] = [new Host(), new PrivateBroadcast(KEY)];
  const frames = await Promise.all([7, 8, 9].map((sequence) => host.sound(sequence)));
  const [first = new Uint8Array(0), , frame = new Uint8Array(0)] = frames;
  const packet = { begins: false, sealed: true, epoch: 70, sequence: 900, captureUs: 5 };
  const heard = await seen.sound({ ...packet, repeats: frames.slice(0, 2), frame });
  expect(heard).toMatchObject({ epoch: 1, sequence: 9, sealed: false });
  expect(heard?.repeats.map((repeat) => repeat[1])).toEqual([7, 8]);
  const elsewhere = await seen.sound({ ...packet, repeats: [first], frame });
  expect(elsewhere?.repeats).toEqual([]);
  expect(await seen.sound({ ...packet, sealed: false, repeats: [], frame })).toBeNull();
  const noise = Uint8Array.of(...frame.subarray(0, -1), 0);
  expect(await seen.sound({ ...packet, repeats: [], frame: noise })).toBeNull();
});
