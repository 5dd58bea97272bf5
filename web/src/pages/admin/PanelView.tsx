import type { LinkKey } from '@steadycast/codec-glue';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useNow } from '../../components/admin/useNow.ts';
import { withheldBadge } from '../../components/admin/words.ts';
import { StreamControlPanel } from '../../components/StreamControlPanel.tsx';
import { missingForHost } from '../../publish/screen.ts';
import { isSharing } from '../../publish/status.ts';
import { AdminScreenShareService } from '../../services/AdminScreenShareService.ts';
import { relayOf } from '../../session/place.ts';
import type { TokenClaims } from '../../session/token.ts';
import { deskWords, sharingWords } from '../../words/index.ts';
import { moment } from '../../words/when.ts';
import { showService } from './diagnostics.ts';
import { PageHeader } from './PageHeader.tsx';
import { toDesk } from './way.ts';

export interface PanelViewProps {
  token: string;
  /** Of a private broadcast's link; null: this browser may have kept it. */
  linkKey: LinkKey | null;
  claims: TokenClaims;
}

/** The panel of the broadcast that a token is for. */
export function PanelView({ token, linkKey, claims }: PanelViewProps) {
  const { broadcast } = claims;
  const missing = missingForHost();
  const [service, setService] = useState<AdminScreenShareService | null>(null);
  useEffect(() => {
    const opened = new AdminScreenShareService({
      origin: relayOf(location.href),
      token,
      broadcast,
      key: linkKey,
    });
    opened.open();
    setService(opened);
    showService(opened);
    return () => opened.close();
  }, [token, linkKey, broadcast]);
  if (service === null) return null;
  return (
    <div className="admin">
      <PanelHeader service={service} expiresMs={claims.expiresMs} />
      <main className="admin-wide">
        {missing !== null && <p className="notice">{missing}</p>}
        <StreamControlPanel
          service={service}
          onNewBroadcast={toDesk}
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
  const nowMs = useNow();
  const words = deskWords();
  const title = broadcast === null || broadcast.title === '' ? null : broadcast.title;
  useEffect(() => {
    const name = title === null ? deskWords().panelTitle : `${title} · Steadycast`;
    document.title = withheld === null ? name : `${withheld} · ${name}`;
  }, [title, withheld]);
  const isGood = nowMs < expiresMs;
  const leave = () => {
    const ends = snapshot.inside && isSharing(snapshot.status?.state ?? 'idle');
    if (!ends || window.confirm(sharingWords().leaveInside)) toDesk();
  };
  return (
    <PageHeader title={title}>
      {title === null && <h1 className="spoken">{words.panelTitle}</h1>}
      <span className={isGood ? 'faint' : 'problem'}>
        {isGood ? words.linkUntil(moment(expiresMs, nowMs)) : words.linkOver}
      </span>
      <button type="button" className="link-button" onClick={leave}>
        {words.all}
      </button>
    </PageHeader>
  );
}
