import { relayOf } from '../../session/place.ts';
import '../../styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { CaptureHost } from '../../publish/host.ts';
import { missingForHost } from '../../publish/screen.ts';
import { accessOf } from '../../publish/storage.ts';
import { wishOf } from '../../publish/wish.ts';
import { readToken } from '../../session/token.ts';
import { captureWords } from '../../words/capture.ts';
import { address } from './address.ts';
import { CapturePage, Notice } from './CapturePage.tsx';
import { exposeDiagnostics } from './diagnostics.ts';
import '../../components/admin/admin.css';
import './capture.css';

/** Whether this document replaces one that may have been sharing. */
function isReload(): boolean {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return entry?.type === 'reload' || entry?.type === 'back_forward';
}

async function begin(host: CaptureHost): Promise<void> {
  if (!(await host.open())) return;
  const wish = isReload() ? await host.before() : wishOf(location.search);
  if (wish === null) host.idle();
  else await host.share(wish);
}

/** What this window was opened with, or else what this browser keeps of the broadcast. */
async function findToken(): Promise<string> {
  const { token, broadcast } = address.opened();
  if (token !== '' || broadcast === null) return token;
  return (await accessOf(broadcast).load()).token ?? '';
}

function render(root: ReturnType<typeof createRoot>, token: string): void {
  const claims = readToken(token);
  const words = captureWords();
  const missing = missingForHost();
  if (missing !== null) {
    root.render(<Notice title={words.unable} detail={missing} />);
    return;
  }
  if (claims?.roles.includes('publish') !== true) {
    root.render(<Notice title={words.wrongLink} detail={words.wrongLinkDetail} />);
    return;
  }
  const host = new CaptureHost({
    origin: relayOf(location.href),
    token,
    broadcast: claims.broadcast,
    inside: false,
  });
  exposeDiagnostics(host);
  root.render(
    <StrictMode>
      <CapturePage host={host} />
    </StrictMode>,
  );
  void begin(host);
}

const place = document.querySelector('#root');
if (place !== null) {
  const root = createRoot(place);
  void findToken().then((token) => render(root, token));
}
// Another link is another host; and a page from the back/forward cache has lost its capture.
address.subscribe(() => location.reload());
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});
