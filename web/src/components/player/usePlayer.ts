import { type RefCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { NOTHING_YET, type PlayerSnapshot } from '../../play/messages.ts';
import {
  type PlayerService,
  PlayerStreamService,
  type PlayOptions,
} from '../../services/PlayerStreamService.ts';

export interface UsePlayerOptions extends PlayOptions {
  /** The service to play with; one of its own when left out. */
  service?: PlayerService | undefined;
}

export interface Player<Service extends PlayerService = PlayerStreamService> {
  /** The `ref` of the element to play in: it is emptied first, and should be positioned. */
  place: RefCallback<HTMLElement>;
  service: Service;
  snapshot: PlayerSnapshot;
}

/** Plays a broadcast in the element that `place` is the `ref` of, for as long as that is there. */
export function usePlayer(options: PlayOptions): Player;
export function usePlayer(options: UsePlayerOptions): Player<PlayerService>;
export function usePlayer(options: UsePlayerOptions): Player<PlayerService> {
  const { origin, token, key = null, playout, service: given } = options;
  const service = useMemo(() => given ?? new PlayerStreamService(), [given]);
  const snapshot = useSyncExternalStore(service.subscribe, service.snapshot, () => NOTHING_YET);
  const [stage, place] = useState<HTMLElement | null>(null);

  useEffect(() => {
    if (stage === null) return;
    service.start(stage, { origin, token, key, ...(playout !== undefined && { playout }) });
    return () => {
      service.stop();
      stage.replaceChildren();
    };
  }, [service, stage, origin, token, key, playout]);

  return { place, service, snapshot };
}
