import { useEffect, useState, useSyncExternalStore } from 'react';
import { NewBroadcast } from '../../components/admin/NewBroadcast.tsx';
import { timeLeft } from '../../components/admin/time.ts';
import { useNow } from '../../components/admin/useNow.ts';
import { withheldBadge } from '../../components/admin/words.ts';
import { StreamControlPanel } from '../../components/StreamControlPanel.tsx';
import { missingForHost } from '../../publish/screen.ts';
import { accessOf } from '../../publish/storage.ts';
import { AdminScreenShareService } from '../../services/AdminScreenShareService.ts';
import { tokenFragment } from '../../session/fragment.ts';
import { relayOf } from '../../session/place.ts';
import { readToken, type TokenClaims } from '../../session/token.ts';
import { address } from './address.ts';
import { showService } from './diagnostics.ts';

const newBroadcast = () => location.assign('#');

/** With a publish token the panel, without one the way to get one. */
export function AdminPage() {
  const { token, broadcast } = useSyncExternalStore(address.subscribe, address.opened);
  const claims = readToken(token);
  const missing = missingForHost();
  if (claims?.roles.includes('publish') === true) {
    return <Panel key={token} token={token} claims={claims} missing={missing} />;
  }
  if (token === '' && broadcast !== null) return <Kept key={broadcast} broadcast={broadcast} />;
  return (
    <div className="admin">
      <Header title={null} />
      <main className="admin-narrow">
        {token !== '' && <WrongLink token={token} claims={claims} />}
        {missing !== null && <p className="notice">{missing}</p>}
        <NewBroadcast
          origin={relayOf(location.href)}
          onCreated={(publishToken) => address.open(publishToken)}
        />
      </main>
    </div>
  );
}

/** Without a token in the address: this browser may have kept it. */
function Kept({ broadcast }: { broadcast: string }) {
  const [unknown, setUnknown] = useState(false);
  useEffect(() => {
    let over = false;
    void accessOf(broadcast)
      .load()
      .then(({ token }) => {
        if (over) return;
        if (token === null) setUnknown(true);
        else address.open(token);
      });
    return () => {
      over = true;
    };
  }, [broadcast]);
  if (!unknown) return null;
  return (
    <div className="admin">
      <Header title={null} />
      <main className="admin-narrow">
        <section className="card lost-link">
          <h1>Open your admin link once more</h1>
          <p className="soft">
            This browser does not know the link to the broadcast <strong>{broadcast}</strong>. The
            address of a panel does not hold it, so that nobody sees it when you share your whole
            screen.
          </p>
          <p className="soft">
            Open the link that was made with the broadcast. <em>Copy admin link</em> in a panel that
            is still open copies it; and on the relay&rsquo;s machine{' '}
            <code>steadycast broadcast links {broadcast}</code> prints a new one.
          </p>
          <button type="button" className="button" onClick={newBroadcast}>
            New broadcast
          </button>
        </section>
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
        <StreamControlPanel
          service={service}
          onNewBroadcast={newBroadcast}
          watchOnly={missing !== null}
        />
      </main>
    </div>
  );
}

function PanelHeader(props: { service: AdminScreenShareService; expiresMs: number }) {
  const { service, expiresMs } = props;
  const snapshot = useSyncExternalStore(service.subscribe, service.snapshot);
  const { broadcast } = snapshot;
  const withheld = withheldBadge(snapshot);
  const leftMs = expiresMs - useNow();
  const title = broadcast === null || broadcast.title === '' ? null : broadcast.title;
  useEffect(() => {
    const name = title === null ? 'Steadycast sharing' : `${title} · Steadycast`;
    document.title = withheld === null ? name : `${withheld} · ${name}`;
  }, [title, withheld]);
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
        <strong>This is a viewer's link.</strong>{' '}
        <button
          type="button"
          className="link-button"
          onClick={() => location.assign(`play${tokenFragment(token)}`)}
        >
          Watch the broadcast
        </button>
        , or create one of your own.
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
