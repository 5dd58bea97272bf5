import { type ReactElement, useEffect, useState } from 'react';
import { StreamControlPanel } from '../components/StreamControlPanel.tsx';
import { missingForHost } from '../publish/screen.ts';
import { AdminScreenShareService } from '../services/AdminScreenShareService.ts';
import { readToken } from '../session/token.ts';
import { deskWords } from '../words/index.ts';

/** The panel of the broadcast that a publish token is for, with a service of its own. */
export function PanelView({ origin, token }: { origin: string; token: string }): ReactElement {
  const service = useService(origin, token);
  const missing = missingForHost();
  return (
    <>
      {missing !== null && <p className="notice">{missing}</p>}
      {service === 'no token' ? (
        <p className="notice">{deskWords().badLink}</p>
      ) : (
        service !== null && <StreamControlPanel service={service} watchOnly={missing !== null} />
      )}
    </>
  );
}

/** Null for the moment until it is open. */
function useService(origin: string, token: string): AdminScreenShareService | 'no token' | null {
  const [service, setService] = useState<AdminScreenShareService | null>(null);
  const claims = readToken(token);
  const broadcast = claims?.roles.includes('publish') === true ? claims.broadcast : null;
  const open = broadcast !== null && URL.canParse(origin);
  useEffect(() => {
    if (!open || broadcast === null) return;
    const opened = new AdminScreenShareService({ origin, token, broadcast });
    opened.open();
    setService(opened);
    return () => {
      opened.close();
      setService(null);
    };
  }, [open, origin, token, broadcast]);
  return open ? service : 'no token';
}
