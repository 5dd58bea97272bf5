import type { LinkKey } from '@steadycast/codec-glue';
import {
  type FocusEvent,
  type MouseEvent,
  type RefObject,
  useCallback,
  useRef,
  useState,
} from 'react';
import type { PlayoutMode } from '../play/spread.ts';
import type { PlayerService } from '../services/PlayerStreamService.ts';
import { playerWords } from '../words/player.ts';
import { Announcer } from './player/Announcer.tsx';
import { type Control, Controls } from './player/Controls.tsx';
import { Details } from './player/Details.tsx';
import { Overlay } from './player/Overlay.tsx';
import type { PlayoutControl } from './player/PlayoutMenu.tsx';
import { ShortcutList } from './player/ShortcutList.tsx';
import { TapForSound } from './player/Sound.tsx';
import { keepSingleKeys, singleKeys } from './player/single-keys.ts';
import { useFullscreen } from './player/useFullscreen.ts';
import { useIdle } from './player/useIdle.ts';
import { useKeptFocus } from './player/useKeptFocus.ts';
import { usePictureInPicture } from './player/usePictureInPicture.ts';
import { usePlayer } from './player/usePlayer.ts';
import { useSaving } from './player/useSaving.ts';
import { useShortcuts } from './player/useShortcuts.ts';
import { type SoundControl, useSound, waysToHear } from './player/useSound.ts';
import { type Looking, useView } from './player/useView.ts';
import { useWakeLock } from './player/useWakeLock.ts';
import type { Size } from './player/view.ts';
import { announcement, type Words, wordsFor } from './player/words.ts';
import './player/player.css';

export interface SFUStreamPlayerProps {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** A play token (PROTOCOL 6). */
  token: string;
  /** What opens a private broadcast, from its link; left out: it is not private. */
  linkKey?: LinkKey | null | undefined;
  /** The service to play with; one of its own when left out. */
  service?: PlayerService | undefined;
  /** What the broadcast is called, for files; null, or left out: not known. */
  title?: string | null | undefined;
  /** Offers light and dark, for the whole page; left out: that is the page's own matter. */
  themed?: boolean | undefined;
}

const IDLE_MS = 3_000;

/**
 * Shows a broadcast and, in words, what is happening to it. Fills its parent; its shortcuts work
 * anywhere on the page but in a field that is typed in.
 */
export function SFUStreamPlayer(props: SFUStreamPlayerProps) {
  const { origin, token, linkKey = null, service: given, title = null, themed = false } = props;
  const { place, service, snapshot } = usePlayer({
    origin,
    token,
    key: linkKey,
    ...(given !== undefined && { service: given }),
  });
  const { state, records, undecodable, blocked, slow, transport, privacy } = snapshot;
  const words = wordsFor(state, blocked, slow, privacy !== null && privacy.meddled !== null);
  const live = state.kind === 'live' || state.kind === 'static';
  const pictured = records.framesShown > 0;
  const picture = pictured && !words.final ? records.picture : null;

  const root = useRef<HTMLElement>(null);
  const view = useRef<HTMLDivElement>(null);
  const ring = useRing();
  const fill = useSwitch();
  const looking = useView(view, picture, fill.active);
  const sound = useSound(service, snapshot.sound);
  const controls = useControls({ service, root, pictured, picture, title, looking, fill, sound });
  const note = useNote(words);
  useWakeLock(live && pictured);
  const { idle, stir } = useIdle(IDLE_MS);
  const single = useSingleKeys();
  useShortcuts(SHORTCUTS, controls, stir, single.on);
  useKeptFocus(root);
  const hidden = idle && pictured && !words.final && !controls.playout.active;
  const waking = useWaking(hidden, stir);

  return (
    <section
      ref={root}
      tabIndex={-1}
      className="player"
      aria-label={playerWords().region}
      data-state={state.kind}
      data-pictured={pictured}
      data-final={words.final}
      data-withdrawn={words.withdrawn}
      data-idle={hidden}
      onPointerMove={stir}
      onPointerUp={({ target }) => sound.state === 'blocked' && isPicture(target) && sound.toggle()}
      {...waking}
    >
      <div
        ref={view}
        className="player-view"
        data-larger={looking.larger}
        {...ring}
        {...(picture !== null && { role: 'img', 'aria-label': playerWords().picture(title) })}
        tabIndex={picture === null ? -1 : 0}
      >
        <div ref={place} className="player-stage" style={looking.style} />
      </div>
      {!note.aside && (
        <Overlay
          words={words}
          pictured={pictured}
          undecodable={undecodable}
          onTap={blocked ? () => service.resume() : null}
          onAside={note.put}
        />
      )}
      {!words.final && (
        <div className="player-foot">
          {sound.state === 'blocked' && !blocked && <TapForSound onTap={sound.toggle} />}
          {controls.details.active && (
            <Details
              records={records}
              transport={transport}
              linkKey={privacy?.lock === 'open' ? linkKey : null}
              capturedMs={privacy?.capturedMs ?? null}
              shortcuts={controls.shortcuts}
              themed={themed}
            />
          )}
          <Controls
            badge={<Badge words={words} onPress={note.aside ? note.bring : null} />}
            latencyMs={live ? records.latencyMs : null}
            encrypted={privacy?.lock === 'open'}
            zoom={looking.zoom}
            keyed={single.on}
            {...controls}
          />
        </div>
      )}
      <ShortcutList control={controls.shortcuts} single={single.on} onSingle={single.choose} />
      <Announcer text={announcement(state, words, undecodable)} />
    </section>
  );
}

/**
 * Shows that the picture has the focus to who came by keys: who came by a touch or a click, and presses keys
 * then, wants to see the picture alone.
 */
function useRing() {
  const [ringed, setRinged] = useState(false);
  return {
    'data-ringed': ringed,
    onFocus: ({ currentTarget }: FocusEvent<HTMLElement>) =>
      setRinged(currentTarget.matches(':focus-visible')),
    onBlur: () => setRinged(false),
  };
}

/** `onPress`: brings back the note that was put aside; null: there is none. */
function Badge({ words, onPress }: { words: Words; onPress: (() => void) | null }) {
  const className = `badge badge-${words.tone}`;
  if (onPress === null) {
    return (
      <span className={className} title={words.detail ?? undefined}>
        {words.badge}
      </span>
    );
  }
  return (
    <button
      type="button"
      className={className}
      title={playerWords().buttons.bring}
      onClick={onPress}
    >
      {words.badge}
    </button>
  );
}

/** Whether the viewer has put the note over the picture aside: until there is another one to be read. */
function useNote({ title, sinceMs }: Words) {
  const [read, setRead] = useState<string | null>(null);
  const newest = `${title} ${sinceMs}`;
  return {
    aside: read === newest && title !== null,
    put: () => setRead(newest),
    bring: () => setRead(null),
  };
}

/**
 * While the bar is hidden a touch or a click shows it, and does nothing besides: nobody means to press
 * what they do not see. By the time of the click it is seen already.
 */
function useWaking(hidden: boolean, stir: () => void) {
  const woke = useRef(false);
  return {
    onPointerDownCapture: () => {
      woke.current = hidden;
      stir();
    },
    // Or a button that was not seen would have the focus, and the bar would stay for it.
    onMouseDownCapture: (event: MouseEvent) => {
      if (woke.current) event.preventDefault();
    },
    onClickCapture: (event: MouseEvent) => {
      // Keys make clicks too, which count as none.
      if (!woke.current || event.detail === 0) return;
      event.stopPropagation();
      event.preventDefault();
    },
  };
}

type ControlName =
  | 'fill'
  | 'sound'
  | 'playout'
  | 'details'
  | 'save'
  | 'pictureInPicture'
  | 'fullscreen'
  | 'whole'
  | 'closer'
  | 'farther'
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'shortcuts';
type ControlsByName = Record<ControlName, Control> & {
  playout: PlayoutControl;
  sound: SoundControl;
};

interface ControlsOptions {
  service: PlayerService;
  root: RefObject<HTMLElement | null>;
  pictured: boolean;
  /** Its size; null: there is none to be looked at. */
  picture: Size | null;
  title: string | null;
  looking: Looking;
  fill: Control;
  sound: SoundControl;
}

function useControls(options: ControlsOptions): ControlsByName {
  const { service, root, pictured, picture, title, looking, fill, sound } = options;
  const redraw = useCallback(() => service.redraw(), [service]);
  const surface = useCallback(() => service.surface(), [service]);
  const fullscreen = useFullscreen(root, surface, pictured);
  const pictureInPicture = usePictureInPicture(surface, redraw, pictured);
  const save = useSaving(surface, picture, title);
  const details = useSwitch();
  const playout = usePlayout(service);
  const ways = waysToLook(looking, picture !== null);
  const { louder, quieter } = waysToHear(sound);
  // A picture that is as large as the window has nowhere to go: the keys are free.
  const loudness = looking.larger ? {} : { up: louder, down: quieter };
  const shortcuts = { ...useSwitch(), modal: true };
  const windows = { pictureInPicture, fullscreen };
  return { fill, sound, playout, details, save, shortcuts, ...windows, ...ways, ...loudness };
}

/** What keys do to the view. */
function waysToLook({ magnify, walk, whole, zoom, larger }: Looking, pictured: boolean) {
  const way = (toggle: () => void, available: boolean): Control => ({
    active: false,
    toggle,
    available: pictured && available,
    repeats: true,
  });
  return {
    whole: way(whole, zoom > 1),
    closer: way(() => magnify(1), true),
    farther: way(() => magnify(-1), zoom > 1),
    left: way(() => walk(-1, 0), larger),
    right: way(() => walk(1, 0), larger),
    up: way(() => walk(0, -1), larger),
    down: way(() => walk(0, 1), larger),
  };
}

function usePlayout(service: PlayerService): PlayoutControl {
  const [mode, setMode] = useState(() => service.playout());
  const choose = (chosen: PlayoutMode) => {
    setMode(chosen);
    service.setPlayout(chosen);
  };
  return { ...useSwitch(), mode, choose };
}

function useSingleKeys() {
  const [on, setOn] = useState(singleKeys);
  const choose = (wanted: boolean) => {
    setOn(wanted);
    keepSingleKeys(wanted);
  };
  return { on, choose };
}

function useSwitch(): Control {
  const [active, setActive] = useState(false);
  return { active, toggle: () => setActive(!active), available: true };
}

const SHORTCUTS: Record<string, ControlName> = {
  f: 'fullscreen',
  p: 'pictureInPicture',
  z: 'fill',
  s: 'playout',
  i: 'details',
  d: 'save',
  m: 'sound',
  '+': 'closer',
  '=': 'closer',
  '-': 'farther',
  '0': 'whole',
  arrowleft: 'left',
  arrowright: 'right',
  arrowup: 'up',
  arrowdown: 'down',
  '?': 'shortcuts',
};

/** Whether a touch is meant for nothing in particular: it may have the browser play. */
function isPicture(target: EventTarget): boolean {
  return target instanceof Element && target.closest('button, input, a, select') === null;
}
