import { useEffect, useState } from 'react';
import type { CaptureHost } from '../../publish/host.ts';
import { missingForHost } from '../../publish/screen.ts';
import type { PageAddress } from '../../session/address.ts';
import { captureWords } from '../../words/capture.ts';
import { CaptureWindow } from './CaptureWindow.tsx';
import { findToken, hostOf } from './capture-begin.ts';
import { Notice } from './Notice.tsx';
import '../admin/admin.css';
import './capture.css';

export interface CaptureHostPageProps {
  /** The relay's origin, as in `https://relay.example:4443`: the page's own word, never its address's. */
  relay: string;
  address: PageAddress;
  /** Told of the host once there is one. */
  onHost?: (host: CaptureHost) => void;
}

/** All of a capture window's page: finds what it was opened for, captures, and says how that goes. */
export function CaptureHostPage({ relay, address, onHost }: CaptureHostPageProps) {
  const found = useHost(relay, address, onHost);
  useAnew(address);
  const words = captureWords();
  const missing = missingForHost();
  if (missing !== null) return <Notice title={words.unable} detail={missing} />;
  if (found === 'looking') return null;
  if (found === null) return <Notice title={words.wrongLink} detail={words.wrongLinkDetail} />;
  return <CaptureWindow host={found} />;
}

function useHost(
  relay: string,
  address: PageAddress,
  onHost: ((host: CaptureHost) => void) | undefined,
): CaptureHost | 'looking' | null {
  const [host, setHost] = useState<CaptureHost | 'looking' | null>('looking');
  useEffect(() => {
    if (missingForHost() !== null) return;
    let over = false;
    void findToken(address).then((opened) => {
      if (over) return;
      const found = hostOf(relay, opened);
      setHost(found);
      if (found !== null) onHost?.(found);
    });
    return () => {
      over = true;
    };
  }, [relay, address, onHost]);
  return host;
}

/** Another link is another host; and a page from the back/forward cache has lost its capture. */
function useAnew(address: PageAddress): void {
  useEffect(() => {
    const onShow = ({ persisted }: PageTransitionEvent) => {
      if (persisted) location.reload();
    };
    addEventListener('pageshow', onShow);
    const unsubscribe = address.subscribe(() => location.reload());
    return () => {
      removeEventListener('pageshow', onShow);
      unsubscribe();
    };
  }, [address]);
}
