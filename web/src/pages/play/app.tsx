import type { LinkKey } from '@steadycast/codec-glue';
import { type ReactNode, StrictMode, useEffect, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { AdminLink } from '../../components/player/AdminLink.tsx';
import { tabTitle, wordsFor } from '../../components/player/words.ts';
import { SFUStreamPlayer } from '../../components/SFUStreamPlayer.tsx';
import type { PlayerState } from '../../play/state.ts';
import type { PlayerStreamService } from '../../services/PlayerStreamService.ts';
import { readTitle } from '../../services/title.ts';
import { tokenFragment } from '../../session/fragment.ts';
import { relayOf } from '../../session/place.ts';
import { readToken } from '../../session/token.ts';
import { playerWords } from '../../words/player.ts';
import { address } from './address.ts';
import { exposeDiagnostics } from './diagnostics.ts';
import '../../styles/base.css';
import '../../components/player/player.css';

function PlayPage({ service }: { service: PlayerStreamService }) {
  const { token, key } = useSyncExternalStore(address.subscribe, address.opened);
  const claims = readToken(token);
  if (claims?.roles.includes('publish') === true && !claims.roles.includes('play')) {
    return <SharersPage token={token} />;
  }
  return <ViewersPage key={token} token={token} linkKey={key} service={service} />;
}

function SharersPage({ token }: { token: string }) {
  useTabTitle(`${playerWords().adminLink.badge} · Steadycast`);
  return (
    <Page name="Steadycast">
      <AdminLink panel={`admin${tokenFragment(token)}`} />
    </Page>
  );
}

interface ViewersPageProps {
  token: string;
  linkKey: LinkKey | null;
  service: PlayerStreamService;
}

function ViewersPage({ token, linkKey, service }: ViewersPageProps) {
  const { state, blocked, slow, broadcast } = useSyncExternalStore(
    service.subscribe,
    service.snapshot,
  );
  const origin = relayOf(location.href);
  const id = broadcast ?? readToken(token)?.broadcast ?? null;
  const title = useTitle(OPEN.has(state.kind) ? id : null, origin, token);
  useTabTitle(tabTitle(state, wordsFor(state, blocked, slow), title));
  return (
    <Page name={title ?? 'Steadycast'}>
      <SFUStreamPlayer
        origin={origin}
        token={token}
        linkKey={linkKey}
        service={service}
        title={title}
        themed
      />
    </Page>
  );
}

/** As the document has it, too. */
function Page({ name, children }: { name: string; children: ReactNode }) {
  return (
    <main className="play">
      <h1 className="spoken">{name}</h1>
      {children}
    </main>
  );
}

/** While it is so the relay has let this viewer in, and nothing that is asked now delays the picture. */
const OPEN: ReadonlySet<PlayerState['kind']> = new Set([
  'live',
  'static',
  'away',
  'paused',
  'waiting',
  'preparing',
  'undecodable',
]);

/** What a broadcast is called; null: not known so far. `broadcast`: null while it is not to be asked for. */
function useTitle(broadcast: string | null, origin: string, token: string): string | null {
  const [title, setTitle] = useState<string | null>(null);
  useEffect(() => {
    if (broadcast === null || title !== null) return;
    let over = false;
    void readTitle(origin, broadcast, token).then((said) => {
      if (!over) setTitle(said);
    });
    return () => {
      over = true;
    };
  }, [broadcast, title, origin, token]);
  return title;
}

function useTabTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Browsers freeze hidden pages that seem to do nothing; one that holds a lock is left running. */
function stayAwake(): void {
  navigator.locks
    ?.request(`steadycast-player-${crypto.randomUUID()}`, () => new Promise(() => undefined))
    .catch(() => undefined);
}

export function showPage(service: PlayerStreamService): void {
  const place = document.querySelector('#root');
  if (place === null) return;
  exposeDiagnostics(service);
  stayAwake();
  createRoot(place).render(
    <StrictMode>
      <PlayPage service={service} />
    </StrictMode>,
  );
}
