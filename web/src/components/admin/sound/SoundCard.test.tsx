// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { statusOf } from '../../../publish/fake-status.ts';
import { DEFAULT_SOUND, type SoundChoice } from '../../../publish/sound/choice.ts';
import { type Levels, NO_SOUND, type SoundFacts } from '../../../publish/sound/facts.ts';
import type { HostState } from '../../../publish/status.ts';
import type { ShareService } from '../../../services/AdminScreenShareService.ts';
import { speak } from '../../../words/language.ts';
import { SoundCard } from './SoundCard.tsx';

const TAB = { kind: 'tab', lacks: null } as const;
const DESK = { id: 'd', label: 'Desk' };
const VOICE = { label: 'Desk', problem: null };

function muted(...names: ('shared' | 'microphone')[]): SoundChoice {
  return {
    shared: { gain: 1, muted: names.includes('shared') },
    microphone: { gain: 1, muted: names.includes('microphone'), device: DESK },
  };
}

let levels: ((levels: Levels) => void)[] = [];
const setSound = vi.fn<(sound: SoundChoice) => void>();
const service = {
  setSound,
  watchLevels: (watcher: (all: Levels) => void) => {
    levels.push(watcher);
    return () => undefined;
  },
} as unknown as ShareService;

function show(state: HostState | null, sound: Partial<SoundFacts> = {}): void {
  const facts = { ...NO_SOUND, ...sound };
  const status = state === null ? null : statusOf({ state, sound: facts });
  render(<SoundCard service={service} choice={facts.choice} status={status} />);
}

const said = () => screen.getAllByRole('status')[0]?.textContent;

/** The computer's microphones, as the browser tells of them. */
function plug(labels: readonly string[], getUserMedia?: () => Promise<unknown>): void {
  const devices = labels.map((label) => ({
    kind: 'audioinput',
    deviceId: label.toLowerCase().slice(0, 1),
    label,
  }));
  Object.defineProperty(navigator, 'mediaDevices', {
    configurable: true,
    value: Object.assign(new EventTarget(), {
      enumerateDevices: async () => devices,
      getUserMedia: getUserMedia ?? (async () => ({ getTracks: () => [] })),
    }),
  });
}

beforeEach(() => {
  levels = [];
  setSound.mockClear();
  plug([]);
});
afterEach(() => {
  cleanup();
  speak('en');
});

describe('what viewers hear', () => {
  it.each<[HostState | null, Partial<SoundFacts>, string]>([
    [null, {}, 'Leave the sound switched on'],
    ['live', {}, 'Viewers hear nothing.'],
    ['live', { shared: TAB }, 'Viewers hear the tab’s sound.'],
    ['live', { microphone: VOICE }, 'Viewers hear your microphone.'],
    [
      'live',
      { shared: TAB, microphone: VOICE },
      'Viewers hear the tab’s sound and your microphone.',
    ],
    [
      'live',
      { shared: TAB, microphone: VOICE, choice: muted('shared') },
      'Viewers hear your microphone.',
    ],
    ['live', { shared: TAB, choice: muted('shared') }, 'All sound is muted: viewers hear nothing.'],
    ['paused', { shared: TAB }, 'Viewers hear the tab’s sound, also while the picture is paused.'],
    ['standby', { shared: TAB }, 'Once you are live, viewers hear the tab’s sound.'],
    ['standby', {}, 'Viewers will hear nothing.'],
  ])('%s: %o', (state, sound, text) => {
    show(state, sound);
    expect(said()).toContain(text);
  });

  it('is said in the language of the page', () => {
    speak('de');
    show('live', { shared: TAB, microphone: VOICE });
    expect(said()).toBe('Zuschauer hören den Ton des Tabs und dein Mikrofon.');
  });

  it('is said with the reason where the tab was shared without its sound', () => {
    show('live', { shared: { kind: null, lacks: 'unticked' } });
    expect(said()).toBe('Viewers hear nothing.');
    expect(screen.getByText(/Share it again, and leave its sound switched on/)).toBeTruthy();
  });

  it('comes with how many it is sent to', () => {
    show('live', { shared: TAB, listeners: 2 });
    expect(screen.getByText('Sent to 2 viewers')).toBeTruthy();
  });
});

describe('a microphone that is chosen', () => {
  const WORDS = /^Your microphone goes live with it/;
  const before = (choice: SoundChoice) =>
    render(<SoundCard service={service} choice={choice} status={null} />);

  it('is said to go live, and is muted, before anything is shared', () => {
    const { rerender } = before(muted());
    expect(screen.getByText(WORDS)).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Mute: Microphone' }));
    expect(setSound).toHaveBeenLastCalledWith(muted('microphone'));
    rerender(<SoundCard service={service} choice={muted('microphone')} status={null} />);
    expect(screen.queryByText(WORDS)).toBeNull();
    expect(screen.getByRole('button', { name: 'Unmute: Microphone' })).toBeTruthy();
  });

  it('is not spoken of where none is chosen', () => {
    before(DEFAULT_SOUND);
    expect(screen.queryByText(WORDS)).toBeNull();
    expect(screen.queryByRole('button', { name: 'Mute: Microphone' })).toBeNull();
  });
});

describe('a source', () => {
  it('is muted and heard again by one button', () => {
    show('live', { shared: TAB });
    fireEvent.click(screen.getByRole('button', { name: 'Mute: The tab’s sound' }));
    expect(setSound).toHaveBeenLastCalledWith({
      ...DEFAULT_SOUND,
      shared: { gain: 1, muted: true },
    });
    cleanup();
    show('live', { shared: TAB, choice: muted('shared') });
    fireEvent.click(screen.getByRole('button', { name: 'Unmute: The tab’s sound' }));
    expect(setSound).toHaveBeenLastCalledWith(muted());
  });

  it('is made louder and softer', () => {
    show('live', { shared: TAB });
    const slider = screen.getByRole('slider', { name: 'Loudness: The tab’s sound' });
    fireEvent.change(slider, { target: { value: '0.5' } });
    expect(setSound.mock.lastCall?.[0].shared.gain).toBe(0.5);
  });

  it('has its level shown', () => {
    show('live', { shared: TAB, microphone: VOICE });
    act(() => {
      for (const tell of levels) tell({ shared: 0.5, microphone: 0.25 });
    });
    const shown = (name: string) => (screen.getByRole('meter', { name }) as HTMLMeterElement).value;
    expect([shown('Level: The tab’s sound'), shown('Level: Microphone')]).toEqual([50, 25]);
  });
});

describe('the microphone', () => {
  it('is asked for where the admin sees it, and then chosen from all that there are', async () => {
    show('live');
    const asked = vi.fn(async () => {
      plug(['Desk', 'Headset']);
      return { getTracks: () => [] };
    });
    plug([], asked);
    fireEvent.click(screen.getByRole('button', { name: 'Use a microphone…' }));
    await vi.waitFor(() => expect(setSound).toHaveBeenCalledTimes(1));
    expect(asked).toHaveBeenCalledTimes(1);
    expect(setSound.mock.lastCall?.[0].microphone.device).toEqual(DESK);
    const choice = await screen.findByRole('combobox', { name: 'Microphone' });
    fireEvent.change(choice, { target: { value: 'h' } });
    expect(setSound.mock.lastCall?.[0].microphone.device).toEqual({ id: 'h', label: 'Headset' });
    fireEvent.change(choice, { target: { value: 'none' } });
    expect(setSound.mock.lastCall?.[0].microphone.device).toBeNull();
  });

  it('that the browser refuses is said', async () => {
    plug([], () => Promise.reject(Object.assign(new Error('no'), { name: 'NotAllowedError' })));
    show('live');
    fireEvent.click(screen.getByRole('button', { name: 'Use a microphone…' }));
    expect(await screen.findByText(/does not let this page listen/)).toBeTruthy();
    expect(setSound).not.toHaveBeenCalled();
  });

  it('that is gone is said, with the one that is used instead', async () => {
    const choice = muted();
    show('live', { choice, microphone: { label: 'Headset', problem: 'unplugged' } });
    expect(screen.getByText('The microphone was unplugged. Headset is used instead.')).toBeTruthy();
    const chosen = await screen.findByRole('combobox', { name: 'Microphone' });
    expect((chosen as HTMLSelectElement).selectedOptions[0]?.textContent).toBe('Desk');
  });
});
