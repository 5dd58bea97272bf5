import { useEffect, useSyncExternalStore } from 'react';
import { BroadcastDesk } from '../../components/desk/BroadcastDesk.tsx';
import { relayOf } from '../../session/place.ts';
import { readToken } from '../../session/token.ts';
import { deskWords } from '../../words/index.ts';
import { address } from './address.ts';
import { KeptPanel } from './KeptPanel.tsx';
import { PageHeader } from './PageHeader.tsx';
import { PanelView } from './PanelView.tsx';
import { WrongLink } from './WrongLink.tsx';

/** With a publish token the panel, without one the desk, from which one comes to panels. */
export function AdminPage() {
  const { token, broadcast, key } = useSyncExternalStore(address.subscribe, address.opened);
  const claims = readToken(token);
  if (claims?.roles.includes('publish') === true) {
    return <PanelView key={token} token={token} linkKey={key} claims={claims} />;
  }
  if (token === '' && broadcast !== null)
    return <KeptPanel key={broadcast} broadcast={broadcast} />;
  return <DeskView>{token !== '' && <WrongLink token={token} claims={claims} />}</DeskView>;
}

function DeskView({ children }: { children: React.ReactNode }) {
  useEffect(() => {
    document.title = deskWords().pageTitle;
  }, []);
  return (
    <div className="admin">
      <PageHeader title={null} />
      <main className="admin-desk">
        {children}
        <BroadcastDesk
          origin={relayOf(location.href)}
          onOpen={(publishToken) => address.enter(publishToken)}
        />
      </main>
    </div>
  );
}
