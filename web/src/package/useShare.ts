import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import {
  AdminScreenShareService,
  type OwnShareOptions,
  type ShareOptions,
  type ShareSnapshot,
} from '../services/AdminScreenShareService.ts';
import { putAside, takeBack } from './kept-shares.ts';

export interface Share {
  /** Steers the broadcast; null for the moment until it is open, and where there is a problem. */
  service: AdminScreenShareService | null;
  snapshot: ShareSnapshot | null;
  /** Why there is no service: what `publishToken` threw, or that the token is none; null: there is no such thing. */
  problem: Error | null;
  /** Opens it anew: after a problem, or where a new broadcast is to take the place of one that was ended. */
  again: () => void;
}

/**
 * Steers the broadcast of a publish token, or the one of an admin of the app, for as long as the component is
 * there. A capture window goes on without it, and so does a page that captures itself.
 */
export function useShare(options: ShareOptions | OwnShareOptions): Share {
  const [service, setService] = useState<AdminScreenShareService | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const [times, setTimes] = useState(0);
  const latest = useRef(options);
  latest.current = options;
  const { origin, hostPage, playerPage } = options;
  const who = 'token' in options ? options.token : options.adminId;
  const linkKey = 'token' in options ? (options.key ?? '') : '';

  // biome-ignore lint/correctness/useExhaustiveDependencies: `who` and the others are what the options are told apart by.
  useEffect(() => {
    const key = [origin, hostPage, playerPage, who, linkKey].join(' ');
    let over = false;
    let opened: AdminScreenShareService | null = null;
    setProblem(null);
    openShare(key, latest.current).then(
      (made) => {
        if (over) return putAside(key, made);
        opened = made;
        setService(made);
      },
      (error: unknown) => {
        if (!over) setProblem(error instanceof Error ? error : new Error(String(error)));
      },
    );
    return () => {
      over = true;
      if (opened !== null) putAside(key, opened);
      setService(null);
    };
  }, [origin, hostPage, playerPage, who, linkKey, times]);

  const again = useCallback(() => setTimes((before) => before + 1), []);
  const subscribe = useCallback(
    (listener: () => void) => service?.subscribe(listener) ?? (() => undefined),
    [service],
  );
  const read = () => service?.snapshot() ?? null;
  const snapshot = useSyncExternalStore(subscribe, read, () => null);
  return { service, snapshot, problem, again };
}

async function openShare(
  key: string,
  options: ShareOptions | OwnShareOptions,
): Promise<AdminScreenShareService> {
  const kept = takeBack(key);
  if (kept !== null) return kept;
  if (!('token' in options)) return AdminScreenShareService.createBroadcast(options);
  const service = new AdminScreenShareService(options);
  service.open();
  return service;
}
