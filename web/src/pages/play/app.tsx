import { StrictMode, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { SFUStreamPlayer } from '../../components/SFUStreamPlayer.tsx';
import type { PlayerStreamService } from '../../services/PlayerStreamService.ts';
import { relayOf } from '../../session/place.ts';
import { exposeDiagnostics } from './diagnostics.ts';
import '../../styles/base.css';
import './play.css';

/** The token is the whole fragment, which no server ever sees (PROTOCOL 6.2). */
const readToken = () => location.hash.slice(1);

function onFragment(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

function PlayPage({ service }: { service: PlayerStreamService }) {
  const token = useSyncExternalStore(onFragment, readToken);
  return <SFUStreamPlayer origin={relayOf(location.href)} token={token} service={service} />;
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
