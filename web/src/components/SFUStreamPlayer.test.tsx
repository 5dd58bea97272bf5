// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PlayerSnapshot } from '../play/messages.ts';
import type { SoundWish } from '../play/sound/wish.ts';
import type { PlayoutMode } from '../play/spread.ts';
import type { PlayerState } from '../play/state.ts';
import { type PlayerService, PlayerStreamService } from '../services/PlayerStreamService.ts';
import { SFUStreamPlayer } from './SFUStreamPlayer.tsx';

class FakeService implements PlayerService {
  readonly places: HTMLElement[] = [];
  resumes = 0;
  stops = 0;
  mode: PlayoutMode = 'automatic';
  #snapshot: PlayerSnapshot = new PlayerStreamService().snapshot();
  readonly #listeners = new Set<() => void>();

  start(place: HTMLElement): void {
    this.places.push(place);
    place.append(document.createElement('video'));
  }
  stop(): void {
    this.stops += 1;
  }
  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = () => this.#snapshot;
  playout = () => this.mode;
  setPlayout(mode: PlayoutMode): void {
    this.mode = mode;
  }
  wish: SoundWish = { on: true, volume: 1 };
  sound = () => this.wish;
  setSound(wish: Partial<SoundWish>): void {
    this.wish = { ...this.wish, ...wish };
    this.tell({});
  }
  redraw(): void {}
  surface = () => null;
  resume(): void {
    this.resumes += 1;
  }

  become(state: PlayerState, framesShown = 0, latencyMs: number | null = null): void {
    const records = { ...this.#snapshot.records, framesShown, latencyMs };
    this.tell({ state, records });
  }

  tell(change: Partial<PlayerSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    act(() => {
      for (const listener of this.#listeners) listener();
    });
  }
}

function show(): FakeService {
  const service = new FakeService();
  render(<SFUStreamPlayer origin="https://relay.test" token="t" service={service} />);
  return service;
}

const spoken = () => document.querySelector('[aria-live]')?.textContent;

afterEach(cleanup);

it('says what is happening in every state', () => {
  const service = show();
  expect(spoken()).toBe('Joining…');
  service.become({ kind: 'preparing' });
  expect(spoken()).toBe('Preparing a version that this browser can show');
  service.become({ kind: 'undecodable', codec: 'av1' });
  expect(spoken()).toBe('This browser cannot show the picture');
  expect(screen.getByText(/The host shares as AV1, and cannot make a version/)).toBeTruthy();
  service.become({ kind: 'waiting' });
  expect(spoken()).toBe('Waiting for the host to start');
  service.become({ kind: 'live' }, 1, 84.4);
  expect(spoken()).toBe('Live');
  expect(screen.getByText('84 ms')).toBeTruthy();
  service.become({ kind: 'static', sinceMs: 0 }, 1, 84.4);
  // No news to who only listens.
  expect(spoken()).toBe('Live');
  expect(document.querySelector('.badge')?.textContent).toBe('Live, screen at rest');
  service.become({ kind: 'away', sinceMs: Date.now() - 65_000 }, 1);
  expect(spoken()).toBe('The host is away');
  expect(screen.getByText(/since .* · 1:05/)).toBeTruthy();
  service.become({ kind: 'reconnecting', sinceMs: Date.now(), covered: false }, 1);
  expect(spoken()).toBe('Connection lost, reconnecting');
  service.become({ kind: 'ended', reason: 'broadcast_ended' }, 1);
  expect(spoken()).toBe('The broadcast has ended');
});

it('leaves the picture alone through all of it', () => {
  const service = show();
  const video = document.querySelector('video');
  service.become({ kind: 'live' }, 1);
  service.become({ kind: 'reconnecting', sinceMs: 0, covered: false }, 1);
  service.become({ kind: 'live' }, 2);
  expect(document.querySelector('video')).toBe(video);
  expect([service.places.length, service.stops]).toEqual([1, 0]);
});

it('gives every start an empty place', () => {
  const service = new FakeService();
  const playing = (token: string) => (
    <StrictMode>
      <SFUStreamPlayer origin="https://relay.test" token={token} service={service} />
    </StrictMode>
  );
  render(playing('t')).rerender(playing('u'));
  expect([service.places.length, service.stops]).toEqual([2, 1]);
  expect(document.querySelectorAll('video')).toHaveLength(1);
});

it('offers a button where the browser waits for a touch', () => {
  const service = show();
  service.tell({ blocked: true });
  expect(spoken()).toBe('Tap to play');
  service.tell({ state: { kind: 'live' }, blocked: true });
  fireEvent.click(screen.getByRole('button', { name: 'Tap to play' }));
  expect(service.resumes).toBe(1);
  service.tell({ blocked: false });
  expect(screen.queryByRole('button', { name: 'Tap to play' })).toBeNull();
  service.tell({ blocked: true, state: { kind: 'ended', reason: 'broadcast_ended' } });
  expect(screen.queryByRole('button', { name: 'Tap to play' })).toBeNull();
});

it('says so where the codec cannot be decoded, with or without a picture', () => {
  const service = show();
  service.tell({ undecodable: 'av01.0.05M.08' });
  expect(screen.getByText(/shares as AV1/)).toBeTruthy();
  service.become({ kind: 'static', sinceMs: 0 }, 9);
  expect(screen.getByText(/shares as AV1/)).toBeTruthy();
  service.become({ kind: 'away', sinceMs: 0 }, 9);
  expect(screen.queryByText(/shares as AV1/)).toBeNull();
});

it('says in words that the network is slow, and takes it back', () => {
  const service = show();
  service.become({ kind: 'live' }, 30, 900);
  service.tell({ slow: { carriesKbps: 400, told: true } });
  expect(spoken()).toBe(
    'Slow network: Your connection carries about 400 kbit/s, less than the picture needs: fewer pictures a second.',
  );
  expect(document.querySelector('.badge')?.textContent).toBe('Slow network');
  expect(screen.getByText('900 ms')).toBeTruthy();
  service.tell({ slow: null });
  expect(spoken()).toBe('Live');
});

it('covers no picture with words before the end', () => {
  const service = show();
  expect(document.querySelector('.player-card')).not.toBeNull();
  service.become({ kind: 'away', sinceMs: 0 }, 1);
  expect(document.querySelector('.player-card')).toBeNull();
  expect(document.querySelector('.player-note')).not.toBeNull();
});

it('is switched by keys, but not while typing', () => {
  const service = show();
  service.become({ kind: 'live' }, 1);
  const fills = () =>
    screen.getByRole('button', { name: 'Fill the window' }).getAttribute('aria-pressed');
  fireEvent.keyDown(document.body, { key: 'z' });
  expect(fills()).toBe('true');
  fireEvent.keyDown(document.body, { key: 'z', ctrlKey: true });
  const field = document.body.appendChild(document.createElement('input'));
  fireEvent.keyDown(field, { key: 'z' });
  expect(fills()).toBe('true');
});

it('lets a note over the picture be put aside, until there is another one', () => {
  const service = show();
  service.become({ kind: 'live' }, 1);
  service.become({ kind: 'away', sinceMs: 1_000 }, 1);
  const note = () => document.querySelector('.player-note');
  fireEvent.click(screen.getByRole('button', { name: 'Put this note aside' }));
  expect(note()).toBeNull();
  expect(document.querySelector('.badge')?.textContent).toBe('Host away');
  service.become({ kind: 'away', sinceMs: 1_000 }, 2);
  expect(note()).toBeNull();
  // Whoever would read it again asks the badge.
  fireEvent.click(screen.getByRole('button', { name: 'Host away' }));
  expect(note()).not.toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Put this note aside' }));
  service.become({ kind: 'live' }, 3);
  service.become({ kind: 'away', sinceMs: 90_000 }, 3);
  expect(note()).not.toBeNull();
});

it('cannot put the end aside', () => {
  const service = show();
  service.become({ kind: 'ended', reason: 'broadcast_ended' }, 1);
  expect(screen.queryByRole('button', { name: 'Put this note aside' })).toBeNull();
});

describe('a bar that is hidden', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const isHidden = () => document.querySelector('.player')?.getAttribute('data-idle') === 'true';

  it('is shown by a touch, which presses none of its buttons', () => {
    const service = show();
    service.become({ kind: 'live' }, 1);
    act(() => vi.advanceTimersByTime(4_000));
    expect(isHidden()).toBe(true);
    const details = screen.getByRole('button', { name: 'Details' });
    const press = () => {
      fireEvent.pointerDown(details);
      const focuses = fireEvent.mouseDown(details);
      fireEvent.click(details, { detail: 1 });
      return focuses;
    };
    expect(press()).toBe(false);
    expect([isHidden(), details.getAttribute('aria-pressed')]).toEqual([false, 'false']);
    expect(press()).toBe(true);
    expect(details.getAttribute('aria-pressed')).toBe('true');
  });

  it('is pressed by keys all the same', () => {
    const service = show();
    service.become({ kind: 'live' }, 1);
    act(() => vi.advanceTimersByTime(4_000));
    fireEvent.pointerDown(document.querySelector('.player-view') as Element);
    const details = screen.getByRole('button', { name: 'Details' });
    fireEvent.click(details, { detail: 0 });
    expect(details.getAttribute('aria-pressed')).toBe('true');
  });
});

describe('the screen', () => {
  let asked: string[] = [];
  let held: { released: boolean; release: () => Promise<void> }[] = [];

  beforeEach(() => {
    asked = [];
    held = [];
    const wakeLock = {
      request: async (kind: string) => {
        asked.push(kind);
        const lock = {
          released: false,
          release: async () => {
            lock.released = true;
          },
        };
        held.push(lock);
        return lock;
      },
    };
    Object.defineProperty(navigator, 'wakeLock', { configurable: true, value: wakeLock });
  });
  afterEach(() => {
    Reflect.deleteProperty(navigator, 'wakeLock');
  });

  const lit = () => held.filter(({ released }) => !released).length;

  it('stays lit while the picture is live, moving or not, and no longer', async () => {
    const service = show();
    expect(asked).toEqual([]);
    service.become({ kind: 'live' }, 1);
    await act(async () => undefined);
    service.become({ kind: 'static', sinceMs: 0 }, 2);
    await act(async () => undefined);
    expect([asked, lit()]).toEqual([['screen'], 1]);
    service.become({ kind: 'away', sinceMs: 0 }, 2);
    await act(async () => undefined);
    expect(lit()).toBe(0);
  });

  it('is lit again when the page is seen again', async () => {
    const service = show();
    service.become({ kind: 'live' }, 1);
    await act(async () => undefined);
    document.dispatchEvent(new Event('visibilitychange'));
    await act(async () => undefined);
    expect(asked).toHaveLength(1);
    // As the browser does with a page that is hidden.
    for (const lock of held) lock.released = true;
    document.dispatchEvent(new Event('visibilitychange'));
    document.dispatchEvent(new Event('visibilitychange'));
    await act(async () => undefined);
    expect([asked.length, lit()]).toEqual([2, 1]);
    cleanup();
    await act(async () => undefined);
    expect(lit()).toBe(0);
  });
});

it('lets the viewer choose between live and smooth, by keys alone', () => {
  const service = show();
  service.become({ kind: 'live' }, 1);
  fireEvent.keyDown(document.body, { key: 'S' });
  expect(document.activeElement).toBe(screen.getByRole('radio', { name: /^Automatic/ }));
  fireEvent.click(screen.getByRole('radio', { name: /^Smooth/ }));
  expect(service.mode).toBe('smooth');
  fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Escape' });
  expect(screen.queryByRole('radio')).toBeNull();
  expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Motion: Smooth' }));
});

it('opens the choices at what was chosen before', () => {
  const service = new FakeService();
  service.mode = 'live';
  render(<SFUStreamPlayer origin="https://relay.test" token="t" service={service} />);
  fireEvent.click(screen.getByRole('button', { name: 'Motion: Closest to live' }));
  const live = screen.getByRole<HTMLInputElement>('radio', { name: /^Closest to live/ });
  expect([live.checked, document.activeElement === live]).toEqual([true, true]);
});

it('shows the figures on request', () => {
  const service = show();
  service.become({ kind: 'live' }, 77);
  fireEvent.click(screen.getByRole('button', { name: 'Details' }));
  expect(screen.getByText('0 / 0 / 77')).toBeTruthy();
  service.tell({ transport: 'whep' });
  expect(screen.getByText('WebRTC')).toBeTruthy();
  service.tell({ transport: 'webtransport' });
  expect(screen.getByText('WebTransport')).toBeTruthy();
});

describe('for who uses keys and ears', () => {
  beforeEach(() => {
    localStorage.clear();
    // jsdom has dialogs, but no way to open them.
    Object.assign(HTMLDialogElement.prototype, {
      showModal(this: HTMLDialogElement) {
        this.open = true;
        this.querySelector('input')?.focus();
      },
      close(this: HTMLDialogElement) {
        this.open = false;
        this.dispatchEvent(new Event('close'));
      },
    });
  });

  const pictured = (service: FakeService) => {
    const { records } = service.snapshot();
    const picture = { width: 640, height: 360, codec: 'vp8' };
    service.tell({ state: { kind: 'live' }, records: { ...records, framesShown: 9, picture } });
  };
  const opened = () => document.querySelector('dialog')?.open;
  const press = (key: string, target: Element = document.body) =>
    fireEvent.keyDown(target, { key });
  /** Observers are told in a moment. */
  const settle = () => act(() => Promise.resolve());

  it('says each state once, and nothing while only figures change', async () => {
    const service = show();
    const region = document.querySelector('[aria-live]');
    const said: string[] = [];
    const observer = new MutationObserver(() => said.push(region?.textContent ?? ''));
    observer.observe(region ?? document, { subtree: true, childList: true, characterData: true });
    const states: PlayerState[] = [
      { kind: 'waiting' },
      { kind: 'live' },
      { kind: 'static', sinceMs: 0 },
      { kind: 'live' },
      { kind: 'paused', sinceMs: 0 },
      { kind: 'live' },
    ];
    for (const state of states) {
      service.become(state, 1, 20);
      await settle();
      service.become(state, 2, 40);
      await settle();
    }
    observer.disconnect();
    expect(said).toEqual([
      'Waiting for the host to start',
      'Live',
      'The host has paused the picture',
      'Live',
    ]);
  });

  it('gives the picture a name', () => {
    const service = show();
    expect(screen.queryByRole('img')).toBeNull();
    pictured(service);
    expect(screen.getByRole('img', { name: 'Shared screen' }).tabIndex).toBe(0);
  });

  it('lists the keys, and switches them off but on the picture', () => {
    const service = show();
    pictured(service);
    press('?');
    expect(opened()).toBe(true);
    expect(screen.getByRole('heading', { name: 'Keyboard shortcuts' })).toBeTruthy();
    fireEvent.click(screen.getByRole('checkbox', { name: /Single keys work everywhere/ }));
    press('?', screen.getByRole('heading', { name: 'Keyboard shortcuts' }));
    expect(opened()).toBe(true);
    fireEvent.click(screen.getByRole('button', { name: 'Close' }));
    expect(opened()).toBe(false);
    press('i');
    expect(document.querySelector('.player-details')).toBeNull();
    expect(screen.getByRole('button', { name: 'Details' }).title).toBe('Details');
    press('i', screen.getByRole('img'));
    expect(document.querySelector('.player-details')).not.toBeNull();
    cleanup();
    // The browser keeps it.
    pictured(show());
    press('i');
    expect(document.querySelector('.player-details')).toBeNull();
  });

  it('reaches nothing that lies under the list', () => {
    pictured(show());
    press('?');
    press('i', screen.getByRole('heading', { name: 'Keyboard shortcuts' }));
    expect(document.querySelector('.player-details')).toBeNull();
    press('?', screen.getByRole('heading', { name: 'Keyboard shortcuts' }));
    expect(opened()).toBe(false);
  });

  it('has the focus somewhere whatever goes', async () => {
    const service = show();
    pictured(service);
    service.tell({ state: { kind: 'away', sinceMs: 0 } });
    const aside = screen.getByRole('button', { name: 'Put this note aside' });
    aside.focus();
    fireEvent.click(aside);
    await settle();
    expect(document.activeElement?.textContent).toBe('Host away');
    fireEvent.click(screen.getByRole('button', { name: 'Host away' }));
    await settle();
    expect(document.activeElement).toBe(
      screen.getByRole('button', { name: 'Put this note aside' }),
    );
    service.tell({ state: { kind: 'live' } });
    await settle();
    expect(document.activeElement).toBe(screen.getByRole('img'));
    screen.getByRole('button', { name: 'Details' }).focus();
    service.tell({ state: { kind: 'ended', reason: 'broadcast_ended' } });
    await settle();
    expect(document.activeElement).toBe(screen.getByRole('region', { name: 'Broadcast' }));
  });
});

it('offers light and dark only where the page leaves that to it', () => {
  const service = show();
  service.become({ kind: 'live' }, 1);
  fireEvent.keyDown(document, { key: 'i' });
  expect(screen.getByText('Picture')).toBeTruthy();
  expect(screen.queryByLabelText('Theme')).toBeNull();
  cleanup();
  render(<SFUStreamPlayer origin="https://relay.test" token="t" service={service} themed />);
  fireEvent.keyDown(document, { key: 'i' });
  expect(screen.getByLabelText('Theme')).toBeTruthy();
});

it('takes what is typed in a field of a shadow root for no shortcut', () => {
  show().become({ kind: 'live' }, 1);
  const host = document.body.appendChild(document.createElement('div'));
  const field = host.attachShadow({ mode: 'open' }).appendChild(document.createElement('input'));
  const typed = { key: 'i', bubbles: true, composed: true };
  fireEvent.keyDown(field, typed);
  expect(screen.queryByText('Picture')).toBeNull();
  fireEvent.keyDown(host, typed);
  expect(screen.getByText('Picture')).toBeTruthy();
  host.remove();
});

describe('sound', () => {
  const button = () => screen.queryByRole('button', { name: 'Sound' });
  const slider = () => screen.getByRole<HTMLInputElement>('slider', { name: 'Volume' });
  const key = (name: string, target: Element = document.body) =>
    fireEvent.keyDown(target, { key: name });

  function hear(state: PlayerSnapshot['sound']['state']): FakeService {
    const service = show();
    service.become({ kind: 'live' }, 1);
    service.tell({ sound: { state } });
    return service;
  }

  it('has no button where there is none', () => {
    hear('none');
    expect(button()).toBeNull();
    expect(screen.queryByRole('slider')).toBeNull();
  });

  it('is muted and heard again as loud as it was, by the button and by a key', () => {
    const service = hear('on');
    service.setSound({ volume: 0.6 });
    expect(button()?.getAttribute('aria-pressed')).toBe('true');
    expect(slider().value).toBe('60');
    fireEvent.click(button() as Element);
    expect(service.wish).toEqual({ on: false, volume: 0.6 });
    service.tell({ sound: { state: 'off' } });
    expect(button()?.getAttribute('aria-pressed')).toBe('false');
    expect(slider().value).toBe('0');
    key('m');
    expect(service.wish).toEqual({ on: true, volume: 0.6 });
  });

  it('becomes louder and quieter by the slider and by keys', () => {
    const service = hear('on');
    fireEvent.change(slider(), { target: { value: '35' } });
    expect(service.wish).toEqual({ on: true, volume: 0.35 });
    key('ArrowUp');
    expect(service.wish.volume).toBe(0.45);
    key('ArrowDown');
    key('ArrowDown');
    expect(service.wish.volume).toBe(0.25);
    // The slider's own keys are the browser's matter, and the others go on working.
    key('ArrowUp', slider());
    expect(service.wish.volume).toBe(0.25);
    key('m', slider());
    expect(service.wish.on).toBe(false);
  });

  it('asks for a tap where the browser wants one, and only while it does', () => {
    const service = hear('blocked');
    fireEvent.click(screen.getByRole('button', { name: 'Tap for sound' }));
    expect(service.wish).toEqual({ on: true, volume: 1 });
    service.tell({ sound: { state: 'on' } });
    expect(screen.queryByRole('button', { name: 'Tap for sound' })).toBeNull();
  });

  it('comes with a touch of the picture, and shows how loud it will be', () => {
    const service = hear('blocked');
    service.setSound({ on: true, volume: 0.4 });
    expect(slider().value).toBe('40');
    service.wish = { on: false, volume: 0.4 };
    fireEvent.pointerUp(screen.getByRole('region'));
    expect(service.wish).toEqual({ on: true, volume: 0.4 });
  });

  it('can be turned off while there is none for a while', () => {
    const service = hear('on');
    service.tell({ sound: { state: 'none' } });
    expect(button()?.getAttribute('aria-pressed')).toBe('true');
    fireEvent.click(button() as Element);
    expect(service.wish.on).toBe(false);
  });

  it('does not ask while the picture itself waits for a tap', () => {
    const service = hear('blocked');
    service.tell({ blocked: true });
    expect(screen.queryByRole('button', { name: 'Tap for sound' })).toBeNull();
    expect(screen.getByRole('button', { name: 'Tap to play' })).toBeTruthy();
  });
});
