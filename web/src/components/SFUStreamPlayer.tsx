import {
  type RefObject,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { PlayoutMode } from '../play/spread.ts';
import { type PlayerService, PlayerStreamService } from '../services/PlayerStreamService.ts';
import { type Control, Controls } from './player/Controls.tsx';
import { Details } from './player/Details.tsx';
import { Overlay } from './player/Overlay.tsx';
import type { PlayoutControl } from './player/PlayoutMenu.tsx';
import { useFullscreen } from './player/useFullscreen.ts';
import { useIdle } from './player/useIdle.ts';
import { usePictureInPicture } from './player/usePictureInPicture.ts';
import { useShortcuts } from './player/useShortcuts.ts';
import { type Words, wordsFor } from './player/words.ts';
import './player/player.css';

export interface SFUStreamPlayerProps {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** A play token (PROTOCOL 6). */
  token: string;
  /** The service to play with; one of its own when left out. */
  service?: PlayerService;
}

const IDLE_MS = 3_000;

/**
 * Shows a broadcast and, in words, what is happening to it. Fills its parent; its shortcuts work
 * anywhere on the page but in a field that is typed in.
 */
export function SFUStreamPlayer({ origin, token, service: given }: SFUStreamPlayerProps) {
  const service = useMemo(() => given ?? new PlayerStreamService(), [given]);
  const snapshot = useSyncExternalStore(service.subscribe, service.snapshot);
  const root = useRef<HTMLElement>(null);
  const place = useStage(service, origin, token);
  const pictured = snapshot.records.framesShown > 0;
  const controls = useControls(service, root, pictured);
  const { idle, stir } = useIdle(IDLE_MS);
  useShortcuts(SHORTCUTS, controls, stir);

  const { state, records, undecodable, blocked, slow, transport } = snapshot;
  const words = wordsFor(state, blocked, slow);
  const watching = pictured && !words.final;
  const latencyMs = state.kind === 'live' || state.kind === 'static' ? records.latencyMs : null;

  return (
    <section
      ref={root}
      className="player"
      aria-label="Broadcast"
      data-state={state.kind}
      data-pictured={pictured}
      data-final={words.final}
      data-withdrawn={words.withdrawn}
      data-fill={controls.fill.active}
      data-idle={idle && watching && !controls.playout.active}
      onPointerMove={stir}
      onPointerDown={stir}
      onDoubleClick={(event) => {
        if (isPicture(event.target)) controls.fullscreen.toggle();
      }}
    >
      <div ref={place} className="player-stage" />
      <Overlay
        words={words}
        pictured={pictured}
        undecodable={undecodable}
        onTap={blocked ? () => service.resume() : null}
      />
      {controls.details.active && <Details records={records} transport={transport} />}
      {!words.final && (
        <Controls badge={<Badge words={words} />} latencyMs={latencyMs} {...controls} />
      )}
      <p className="spoken" aria-live="polite">
        {words.title ?? words.badge}
        {words.passing && `: ${words.detail}`}
      </p>
    </section>
  );
}

function isPicture(target: EventTarget): boolean {
  return target instanceof Element && target.matches('.player-picture');
}

function Badge({ words }: { words: Words }) {
  return (
    <span className={`badge badge-${words.tone}`} title={words.detail ?? undefined}>
      {words.badge}
    </span>
  );
}

/** Starts the service in the element that this gives, and stops it with the component. */
function useStage(service: PlayerService, origin: string, token: string) {
  const place = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const stage = place.current;
    if (stage === null) return;
    service.start(stage, { origin, token });
    return () => {
      service.stop();
      stage.replaceChildren();
    };
  }, [service, origin, token]);

  return place;
}

type ControlName = 'fill' | 'playout' | 'details' | 'pictureInPicture' | 'fullscreen';
type ControlsByName = Record<ControlName, Control> & { playout: PlayoutControl };

function useControls(
  service: PlayerService,
  root: RefObject<HTMLElement | null>,
  pictured: boolean,
): ControlsByName {
  const redraw = useCallback(() => service.redraw(), [service]);
  const surface = useCallback(() => service.surface(), [service]);
  const fullscreen = useFullscreen(root, surface, pictured);
  const pictureInPicture = usePictureInPicture(surface, redraw, pictured);
  const fill = useSwitch();
  const details = useSwitch();
  const playout = usePlayout(service);
  return { fill, playout, details, pictureInPicture, fullscreen };
}

function usePlayout(service: PlayerService): PlayoutControl {
  const [mode, setMode] = useState(() => service.playout());
  const choose = (chosen: PlayoutMode) => {
    setMode(chosen);
    service.setPlayout(chosen);
  };
  return { ...useSwitch(), mode, choose };
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
};
