import { useEffect, useState, useSyncExternalStore } from 'react';
import { NewBroadcast } from '../../components/admin/NewBroadcast.tsx';
import { timeLeft } from '../../components/admin/time.ts';
import { useNow } from '../../components/admin/useNow.ts';
import { StreamControlPanel } from '../../components/StreamControlPanel.tsx';
import { missingForHost } from '../../publish/screen.ts';
import { AdminScreenShareService } from '../../services/AdminScreenShareService.ts';
import { relayOf } from '../../session/place.ts';
import { readToken, type TokenClaims } from '../../session/token.ts';
import { showService } from './diagnostics.ts';

/** The token is the whole fragment, which no server ever sees (PROTOCOL 6.2). */
const readFragment = () => location.hash.slice(1);

function onFragment(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

const newBroadcast = () => location.assign('#');

/** With a publish token the panel, without one the way to get one. */
export function AdminPage() {
  const token = useSyncExternalStore(onFragment, readFragment);
  const claims = readToken(token);
  const missing = missingForHost();
  if (claims?.roles.includes('publish') === true) {
    return <Panel key={token} token={token} claims={claims} missing={missing} />;
  }
  return (
    <div className="admin">
      <Header title={null} />
      <main className="admin-narrow">
        {token !== '' && <WrongLink token={token} claims={claims} />}
        {missing !== null && <p className="notice">{missing}</p>}
        <NewBroadcast
          origin={relayOf(location.href)}
          onCreated={(publishToken) => location.replace(`#${publishToken}`)}
        />
      </main>
    </div>
  );
}

function Panel(props: { token: string; claims: TokenClaims; missing: string | null }) {
  const { token, claims, missing } = props;
  const { broadcast } = claims;
  const [service, setService] = useState<AdminScreenShareService | null>(null);
  useEffect(() => {
    const opened = new AdminScreenShareService({
      origin: relayOf(location.href),
      token,
      broadcast,
    });
    opened.open();
    setService(opened);
    showService(opened);
    return () => opened.close();
  }, [token, broadcast]);
  if (service === null) return null;
  return (
    <div className="admin">
      <PanelHeader service={service} expiresMs={claims.expiresMs} />
      <main className="admin-wide">
        {missing !== null && <p className="notice">{missing}</p>}
        <StreamControlPanel service={service} onNewBroadcast={newBroadcast} />
      </main>
    </div>
  );
}

function PanelHeader(props: { service: AdminScreenShareService; expiresMs: number }) {
  const { service, expiresMs } = props;
  const { broadcast } = useSyncExternalStore(service.subscribe, service.snapshot);
  const leftMs = expiresMs - useNow();
  const title = broadcast === null || broadcast.title === '' ? null : broadcast.title;
  useEffect(() => {
    document.title = title === null ? 'Steadycast sharing' : `${title} · Steadycast`;
  }, [title]);
  return (
    <Header title={title}>
      <span className={leftMs > 0 ? 'faint' : 'problem'}>
        {leftMs > 0 ? `Link valid for ${timeLeft(leftMs)}` : 'This link has expired'}
      </span>
      <button type="button" className="link-button" onClick={newBroadcast}>
        New broadcast
      </button>
    </Header>
  );
}

function Header(props: { title: string | null; children?: React.ReactNode }) {
  return (
    <header className="admin-head">
      <a className="admin-brand" href="/">
        Steadycast
      </a>
      {props.title !== null && <h1>{props.title}</h1>}
      <div className="admin-head-end">{props.children}</div>
    </header>
  );
}

function WrongLink({ token, claims }: { token: string; claims: TokenClaims | null }) {
  if (claims?.roles.includes('play') === true) {
    return (
      <p className="notice">
        <strong>This is a viewer's link.</strong> <a href={`play#${token}`}>Watch the broadcast</a>,
        or create one of your own.
      </p>
    );
  }
  return (
    <p className="notice">
      <strong>This link is not complete.</strong> Copy it again as a whole, or create a new
      broadcast.
    </p>
  );
}
