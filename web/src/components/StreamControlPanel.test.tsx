// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { statusOf } from '../publish/fake-status.ts';
import type { Crop } from '../publish/geometry.ts';
import { DEFAULT_QUALITY, type Quality } from '../publish/quality.ts';
import { DEFAULT_SOUND, type SoundChoice } from '../publish/sound/choice.ts';
import type { Levels } from '../publish/sound/facts.ts';
import type { HostState, RenditionFacts } from '../publish/status.ts';
import type { ShareService, ShareSnapshot } from '../services/AdminScreenShareService.ts';
import type { BroadcastFacts } from '../services/api.ts';
import { NO_AUDIENCE } from '../services/audience.ts';
import { speak } from '../words/language.ts';
import { StreamControlPanel } from './StreamControlPanel.tsx';

const STATUS = statusOf({
  sinceMs: Date.now(),
  picture: { width: 1_920, height: 1_080, codec: 'av01.0.08M.08' },
  players: 12,
});

const FACTS: BroadcastFacts = {
  id: 'b',
  title: '',
  phase: 'live',
  sinceMs: 1,
  players: 1,
  isPrivate: false,
  playerLink: 'https://relay.example/play#token=t',
  warnings: [],
};

class FakeService implements ShareService {
  start = vi.fn<ShareService['start']>(async () => undefined);
  stop = vi.fn();
  goLive = vi.fn();
  moveOut = vi.fn(() => true);
  pause = vi.fn<(paused: boolean) => void>();
  setSound = vi.fn<(sound: SoundChoice) => void>();
  setQuality = vi.fn<(quality: Quality) => void>();
  endBroadcast = vi.fn(async () => undefined);
  renewPlayerLink = vi.fn(async () => undefined);
  timedPlayerLink = vi.fn(async (_ttlS: number) => 'https://relay.example/play#token=timed');
  adminLink = () => 'https://relay.example/admin#token=own';
  newAdminLink = vi.fn(async () => 'https://relay.example/admin#token=new');
  watchLevels = (watcher: (levels: Levels) => void) => {
    this.levels = watcher;
    return () => undefined;
  };
  /** How loud sources are, as the host says. */
  levels: (levels: Levels) => void = () => undefined;
  watchPreview = () => () => undefined;
  audience = { subscribe: () => () => undefined, snapshot: () => NO_AUDIENCE };
  #snapshot: ShareSnapshot = {
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
  readonly #listeners = new Set<() => void>();

  setCrop = (crop: Crop | null) => this.become({ crop });
  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = () => this.#snapshot;

  become(change: Partial<ShareSnapshot>): void {
    act(() => {
      this.#snapshot = { ...this.#snapshot, ...change };
      for (const listener of this.#listeners) listener();
    });
  }
}

function show(state: HostState | null): FakeService {
  const service = new FakeService();
  render(<StreamControlPanel service={service} />);
  if (state !== null) service.become({ host: 'present', status: { ...STATUS, state } });
  return service;
}

const cropArea = () => screen.getByRole('button', { name: /^Crop:/ });

/** Tests have no layout, and no pointer to capture: the source lies on the screen at half of its size. */
function layOut(): void {
  const stage = document.querySelector<HTMLElement>('.stage-touch');
  if (stage === null) throw new Error('no stage');
  stage.setPointerCapture = () => undefined;
  stage.getBoundingClientRect = () => ({ left: 0, top: 0, width: 960, height: 540 }) as DOMRect;
}

interface Point {
  x: number;
  y: number;
}

/** Pointer events are mouse events with more to them, which tests have not. */
function point(type: string, target: Element, { x, y }: Point): void {
  const facts = { bubbles: true, cancelable: true, clientX: x, clientY: y, button: 0 };
  fireEvent(target, new MouseEvent(type, facts));
}

/** The pointer goes down at one place and comes to another. */
function grab(target: Element, from: Point, to: Point): void {
  point('pointerdown', target, from);
  point('pointermove', target, { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 });
  point('pointermove', target, to);
}

function drag(target: Element, from: Point, to: Point): void {
  grab(target, from, to);
  point('pointerup', target, to);
}

function press(key: KeyboardEventInit, target: Element = document.body): void {
  fireEvent.keyDown(target, key);
}

/** What the line under the crop says. */
function said(): string {
  return document.querySelector('.crop-said')?.textContent ?? '';
}

function chosenShape(): string | null {
  return document.querySelector('.segments [data-chosen="true"]')?.textContent ?? null;
}

afterEach(cleanup);

it('starts with one click and stops with one', () => {
  const service = show(null);
  fireEvent.click(screen.getByRole('button', { name: 'Share screen' }));
  expect(service.start).toHaveBeenCalledTimes(1);
  service.become({ host: 'present', status: STATUS });
  fireEvent.click(screen.getByRole('button', { name: 'Stop sharing' }));
  expect(service.stop).toHaveBeenCalledTimes(1);
});

it('has the focus somewhere when the button that had it is gone', async () => {
  const service = show(null);
  screen.getByRole('button', { name: 'Share screen' }).focus();
  service.become({ host: 'present', status: { ...STATUS, state: 'live' } });
  await act(() => Promise.resolve());
  expect(document.activeElement).toBe(document.querySelector('.panel'));
});

it('speaks German', () => {
  speak('de');
  const service = show(null);
  expect(screen.getByRole('button', { name: 'Bildschirm teilen' })).toBeTruthy();
  service.become({ host: 'present', status: { ...STATUS, state: 'live' } });
  expect(screen.getByRole('button', { name: 'Bild anhalten' })).toBeTruthy();
  expect(screen.getByLabelText('Auflösung')).toBeTruthy();
  speak('en');
});

it('shows the state and the figures while live', () => {
  show('live');
  expect(screen.getByText('Live')).toBeTruthy();
  expect(screen.getByText('12')).toBeTruthy();
  expect(screen.getByText('AV1, 1920 × 1080')).toBeTruthy();
});

it('offers to take a broadcast back', () => {
  const service = show('superseded');
  fireEvent.click(screen.getByRole('button', { name: 'Take back' }));
  expect(service.start).toHaveBeenCalledTimes(1);
});

it('says that the picture depends on this page where it does', () => {
  const service = show('live');
  expect(screen.queryByText(/This page itself is sharing/)).toBeNull();
  service.become({ inside: true });
  expect(screen.getByText(/This page itself is sharing/)).toBeTruthy();
});

it('says what keeps the pictures of a tool from viewers', () => {
  const service = show(null);
  service.become({ broadcast: { ...FACTS, warnings: ['The publisher sends B-frames.'] } });
  expect(screen.getByText('The publisher sends B-frames.')).toBeTruthy();
  service.become({ broadcast: FACTS });
  expect(screen.queryByText('The publisher sends B-frames.')).toBeNull();
});

it('crops from the keyboard', () => {
  const service = show('live');
  fireEvent.keyDown(cropArea(), { key: 'ArrowLeft', shiftKey: true });
  expect(service.snapshot().crop).toEqual({ x: 0, y: 0, width: 1_904, height: 1_080 });
  fireEvent.keyDown(cropArea(), { key: 'ArrowRight' });
  expect(service.snapshot().crop).toMatchObject({ x: 16, width: 1_904 });
  // A key that is pressed by mistake, and never a way to show everything.
  fireEvent.keyDown(cropArea(), { key: 'Escape' });
  expect(service.snapshot().crop).toMatchObject({ x: 16, width: 1_904 });
});

it('crops in numbers, in a locked shape, and back', () => {
  const service = show('live');
  fireEvent.click(screen.getByRole('radio', { name: '1:1' }));
  expect(service.snapshot().crop).toEqual({ x: 420, y: 0, width: 1_080, height: 1_080 });
  const width = screen.getByRole('spinbutton', { name: 'Width' });
  fireEvent.change(width, { target: { value: '500' } });
  fireEvent.keyDown(width, { key: 'Enter' });
  expect(service.snapshot().crop).toEqual({ x: 420, y: 0, width: 500, height: 500 });
  fireEvent.click(screen.getByRole('button', { name: 'Reset crop' }));
  expect(service.snapshot().crop).toBeNull();
});

it('moves the edge that is typed, and shows what holds where that is something else', () => {
  const service = show('live');
  const type = (label: string, text: string) => {
    const field = screen.getByRole<HTMLInputElement>('spinbutton', { name: label });
    fireEvent.change(field, { target: { value: text } });
    fireEvent.keyDown(field, { key: 'Enter' });
    return field;
  };
  const left = type('Left', '100');
  expect(service.snapshot().crop).toEqual({ x: 100, y: 0, width: 1_820, height: 1_080 });
  expect(left.value).toBe('100');
  // There is no room for more: the number goes back to what it is.
  const width = type('Width', '1900');
  expect(service.snapshot().crop).toEqual({ x: 100, y: 0, width: 1_820, height: 1_080 });
  expect(width.value).toBe('1820');
});

it('draws a crop on a picture that has none', () => {
  const service = show('live');
  layOut();
  drag(cropArea(), { x: 96, y: 54 }, { x: 480, y: 270 });
  expect(service.snapshot().crop).toEqual({ x: 192, y: 108, width: 768, height: 432 });
});

it('takes a drag back on Escape, what viewers have seen of it as well', () => {
  const service = show('live');
  const crop = { x: 400, y: 200, width: 800, height: 400 };
  service.become({ crop });
  layOut();
  grab(cropArea(), { x: 300, y: 150 }, { x: 400, y: 200 });
  // Viewers follow it already.
  expect(service.snapshot().crop).not.toEqual(crop);
  // No other key has a say meanwhile.
  fireEvent.keyDown(cropArea(), { key: 'ArrowRight' });
  fireEvent.keyDown(cropArea(), { key: 'Escape' });
  expect(service.snapshot().crop).toEqual(crop);
  point('pointermove', cropArea(), { x: 500, y: 220 });
  point('pointerup', cropArea(), { x: 500, y: 220 });
  expect(service.snapshot().crop).toEqual(crop);
  press({ key: 'z', ctrlKey: true });
  expect(service.snapshot().crop).toEqual(crop);
});

it('takes a small drag beside the crop for a slip', () => {
  const service = show('live');
  const crop = { x: 400, y: 200, width: 800, height: 400 };
  service.become({ crop });
  layOut();
  const stage = document.querySelector('.stage-picture');
  if (stage === null) throw new Error('no picture');
  drag(stage, { x: 20, y: 20 }, { x: 26, y: 24 });
  drag(stage, { x: 20, y: 20 }, { x: 300, y: 50 });
  expect(service.snapshot().crop).toEqual(crop);
  drag(stage, { x: 20, y: 20 }, { x: 52, y: 52 });
  expect(service.snapshot().crop).toEqual({ x: 40, y: 40, width: 64, height: 64 });
});

it('undoes every kind of change, does it again, and says so', () => {
  const service = show('live');
  layOut();
  const crop = () => service.snapshot().crop;
  drag(cropArea(), { x: 100, y: 100 }, { x: 500, y: 300 });
  const drawn = { x: 200, y: 200, width: 800, height: 400 };
  expect(crop()).toEqual(drawn);
  drag(cropArea(), { x: 300, y: 200 }, { x: 310, y: 200 });
  fireEvent.keyDown(cropArea(), { key: 'ArrowDown', shiftKey: true });
  fireEvent.keyDown(cropArea(), { key: 'ArrowDown', shiftKey: true, repeat: true });
  const left = screen.getByRole('spinbutton', { name: 'Left' });
  fireEvent.input(left, { target: { value: '300' } });
  // Not yet a change of the crop, so the browser's to undo.
  press({ key: 'z', ctrlKey: true }, left);
  fireEvent.keyDown(left, { key: 'Enter' });
  fireEvent.click(screen.getByRole('radio', { name: '1:1' }));
  fireEvent.click(screen.getByRole('button', { name: 'Reset crop' }));
  expect(crop()).toBeNull();

  const seen = (forward = false) => {
    press({ key: forward ? 'Z' : 'z', ctrlKey: true, shiftKey: forward });
    return [crop(), said()];
  };
  const square = { x: 484, y: 200, width: 432, height: 432 };
  expect(seen()).toEqual([
    square,
    'Undone: resetting the crop. The crop is 432 × 432 again, 484 from the left and 200 from the top.',
  ]);
  expect(chosenShape()).toBe('1:1');
  const typed = { x: 300, y: 200, width: 800, height: 432 };
  expect(seen()).toEqual([typed, expect.stringContaining('choosing the shape 1:1')]);
  expect(chosenShape()).toBe('Free');
  expect(seen()).toEqual([{ ...typed, x: 220 }, expect.stringContaining('typing the number Left')]);
  expect(seen()).toEqual([{ ...drawn, x: 220 }, expect.stringContaining('resizing the crop')]);
  expect(seen()).toEqual([drawn, expect.stringContaining('moving the crop')]);
  expect(seen()).toEqual([null, 'Undone: drawing a new crop. The whole picture is shared again.']);
  expect(seen()[0]).toBeNull();
  expect(seen(true)).toEqual([drawn, expect.stringMatching(/^Redone: drawing a new crop/)]);
  // On a Mac it is Cmd.
  press({ key: 'z', metaKey: true });
  expect(crop()).toBeNull();
  // What is done next is what can be undone, and nothing can be done again any more.
  fireEvent.keyDown(cropArea(), { key: 'ArrowLeft', shiftKey: true });
  expect(said()).toBe('');
  expect(seen(true)).toEqual([{ x: 0, y: 0, width: 1_904, height: 1_080 }, '']);
  expect(seen()[0]).toBeNull();
});

it('undoes nothing that another panel has changed since', () => {
  const service = show('live');
  fireEvent.keyDown(cropArea(), { key: 'ArrowLeft', shiftKey: true });
  const elsewhere = { x: 0, y: 0, width: 320, height: 180 };
  service.become({ crop: elsewhere });
  press({ key: 'z', ctrlKey: true });
  expect(service.snapshot().crop).toEqual(elsewhere);
});

it('keeps the crop where the source becomes smaller, and shows what is left of it', () => {
  const service = show('live');
  const crop = { x: 400, y: 200, width: 800, height: 400 };
  const become = (width: number, height: number) =>
    service.become({
      crop,
      status: { ...STATUS, crop, source: { width, height, surface: 'window', muted: false } },
    });
  become(1_000, 1_080);
  expect(cropArea().getAttribute('aria-label')).toContain('600 by 400 pixels, 400 from the left');
  expect(screen.getByText(/Viewers see what is left of the crop/)).toBeTruthy();
  become(390, 1_080);
  expect(screen.queryByRole('button', { name: /^Crop:/ })).toBeNull();
  expect(screen.getByText(/Viewers keep the last picture until the window is larger/)).toBeTruthy();
  expect(service.snapshot().crop).toEqual(crop);
  become(1_920, 1_080);
  expect(cropArea().getAttribute('aria-label')).toContain('800 by 400 pixels, 400 from the left');
  expect(screen.queryByText(/what is left of the crop/)).toBeNull();
});

it('takes what is left of a crop for no wish to show everything', () => {
  const service = show('live');
  const crop = { x: 0, y: 0, width: 800, height: 400 };
  const source = { width: 600, height: 300, surface: 'window', muted: false };
  service.become({ crop, status: { ...STATUS, crop, source } });
  // The left edges are those of the small window: there is nothing to resize to.
  fireEvent.keyDown(cropArea(), { key: 'ArrowRight', shiftKey: true });
  expect(service.snapshot().crop).toEqual(crop);
});

it('changes the quality at once', () => {
  const service = show('live');
  fireEvent.change(screen.getByRole('combobox', { name: 'Codec' }), { target: { value: 'vp8' } });
  expect(service.setQuality).toHaveBeenCalledWith({ ...DEFAULT_QUALITY, codec: 'vp8' });
});

it('ends the broadcast only after a second thought', () => {
  const service = show('live');
  fireEvent.click(screen.getByRole('button', { name: 'End broadcast…' }));
  expect(service.endBroadcast).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole('button', { name: 'End broadcast' }));
  expect(service.endBroadcast).toHaveBeenCalledTimes(1);
});

it('replaces the viewers’ link only after a second thought, and says that it has', async () => {
  const service = show('live');
  service.become({ broadcast: FACTS });
  fireEvent.click(screen.getByRole('button', { name: 'Replace this link…' }));
  expect(screen.getByRole('alertdialog', { name: 'Replace the link' }).textContent).toContain(
    'Everyone who watches now is disconnected',
  );
  expect(service.renewPlayerLink).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole('button', { name: 'Replace link' }));
  expect(await screen.findByText(/This is the new link/)).toBeTruthy();
  expect(service.renewPlayerLink).toHaveBeenCalledTimes(1);
});

it('goes on with the link when the relay makes no other, and says why', async () => {
  const service = show('live');
  service.become({ broadcast: FACTS });
  service.renewPlayerLink.mockRejectedValue(new Error('The relay does not answer.'));
  fireEvent.click(screen.getByRole('button', { name: 'Replace this link…' }));
  fireEvent.click(screen.getByRole('button', { name: 'Replace link' }));
  expect((await screen.findByRole('alert')).textContent).toBe('The relay does not answer.');
});

it.each([
  ['Copy admin link', 'https://relay.example/admin#token=own'],
  ['Copy a new admin link', 'https://relay.example/admin#token=new'],
])('does what it says: %s', async (name, link) => {
  const writeText = vi.fn(async () => undefined);
  vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } });
  show('live');
  fireEvent.click(screen.getByRole('button', { name }));
  expect(await screen.findByText(/Copied/)).toBeTruthy();
  expect(writeText).toHaveBeenCalledWith(link);
  vi.unstubAllGlobals();
});

it('says which other versions it sends, for whom, and which it cannot', () => {
  const service = show('live');
  expect(screen.queryByRole('list', { name: 'Other versions' })).toBeNull();
  const h264 = {
    codec: 'h264',
    players: 2,
    bitsPerSecond: 1_200_000,
    fps: 30,
    maxKbps: null,
    refused: null,
  };
  const vp9 = {
    codec: 'vp9',
    players: 0,
    bitsPerSecond: 0,
    fps: 0,
    maxKbps: null,
    refused: 'no encoder',
  };
  const { status } = service.snapshot();
  if (status === null) throw new Error('no status');
  service.become({ status: { ...status, renditions: [h264, vp9] as RenditionFacts[] } });
  const sentence = 'Also sending H.264 for 2 viewers whose browsers cannot show AV1.';
  expect(screen.getByText(sentence)).toBeTruthy();
  expect(screen.getByText('30 fps · 1.2 Mbit/s')).toBeTruthy();
  expect(
    screen.getByText(/cannot show AV1, and VP9 cannot be made for them: no encoder/),
  ).toBeTruthy();
  const one = [{ ...h264, players: 1 }] as RenditionFacts[];
  service.become({ status: { ...status, renditions: one } });
  expect(screen.getByText(/for 1 viewer whose browser cannot show AV1/)).toBeTruthy();
  service.become({
    status: { ...status, renditions: [{ ...h264, players: 0 }] as RenditionFacts[] },
  });
  expect(screen.getByText(/Still sending H.264 for a moment/)).toBeTruthy();
});

it('pauses the picture by a press and by a key, and shows it again', () => {
  const service = show('live');
  fireEvent.click(screen.getByRole('button', { name: 'Pause the picture' }));
  expect(service.pause).toHaveBeenLastCalledWith(true);
  service.become({ status: { ...STATUS, state: 'paused', paused: true } });
  expect(screen.getAllByText(/Viewers see a card/).length).toBeGreaterThan(1);
  fireEvent.keyDown(window, { code: 'KeyP', key: 'π', altKey: true });
  expect(service.pause).toHaveBeenLastCalledWith(false);
  expect(screen.getByRole('button', { name: 'Show the picture again' })).toBeTruthy();
  // Without Alt it is a letter.
  fireEvent.keyDown(window, { code: 'KeyP', key: 'p' });
  expect(service.pause).toHaveBeenCalledTimes(2);
});

it('tries once more for the admin alone what was to be so', () => {
  const service = show(null);
  service.become({
    host: 'present',
    status: { ...STATUS, state: 'cancelled', standby: true },
  });
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(service.start).toHaveBeenLastCalledWith({ standby: true });
  service.become({ host: 'present', status: { ...STATUS, state: 'stopped' } });
  fireEvent.click(screen.getByRole('button', { name: 'Share again' }));
  expect(service.start).toHaveBeenLastCalledWith({ standby: false });
});
