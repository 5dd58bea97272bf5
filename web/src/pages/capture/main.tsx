import { relayOf } from '../../session/place.ts';
import '../../styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { CaptureHost } from '../../publish/host.ts';
import { missingForHost } from '../../publish/screen.ts';
import { readToken } from '../../session/token.ts';
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
  const reload = isReload();
  if (reload && !(await host.wasSharing())) host.idle();
  else await host.share({ resume: reload });
}

function render(root: ReturnType<typeof createRoot>): void {
  const token = location.hash.slice(1);
  const claims = readToken(token);
  const missing = missingForHost();
  if (missing !== null) {
    root.render(<Notice title="This browser cannot share the screen" detail={missing} />);
    return;
  }
  if (claims?.roles.includes('publish') !== true) {
    root.render(
      <Notice
        title="This link cannot share"
        detail="Open the sharing page with the admin's link, and start from there."
      />,
    );
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
if (place !== null) render(createRoot(place));
// Another link is another host; and a page from the back/forward cache has lost its capture.
addEventListener('hashchange', () => location.reload());
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});
