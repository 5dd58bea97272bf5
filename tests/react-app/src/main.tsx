/** A page for each thing that an app may want of the package; what they are opened with is in their address. */

import { type ReactElement, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { Crop } from 'steadycast';
import {
  CaptureHostPage,
  ScreenShareCropper,
  SFUStreamPlayer,
  StreamControlPanel,
  usePlayer,
  useShare,
} from 'steadycast/react';
import './app.css';

const origin: string = import.meta.env['VITE_RELAY'];
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

function Sharing(): ReactElement {
  return (
    <>
      <h1>Share</h1>
      <StreamControlPanel origin={origin} token={token} hostPage="/host" />
    </>
  );
}

/** Of an app that mounts no page for capture windows, and may show something else than the panel. */
function SharingHere(): ReactElement {
  const [elsewhere, setElsewhere] = useState(false);
  return (
    <div style={{ display: 'flex' }}>
      <button type="button" onClick={() => setElsewhere(!elsewhere)}>
        {elsewhere ? 'Back' : 'Elsewhere'}
      </button>
      {!elsewhere && <StreamControlPanel origin={origin} token={token} />}
    </div>
  );
}

function Watching(): ReactElement {
  return (
    <div style={{ height: '100vh' }}>
      <SFUStreamPlayer origin={origin} token={token} title="The map" />
    </div>
  );
}

/** With looks of its own. */
function WatchingBare(): ReactElement {
  const { place, snapshot } = usePlayer({ origin, token });
  return (
    <>
      <div ref={place} style={{ position: 'relative', width: 640, height: 360 }} />
      <output>{`${snapshot.state.kind} ${snapshot.records.picture?.width}`}</output>
    </>
  );
}

/** With buttons of its own. */
function SharingBare(): ReactElement {
  const { service, snapshot, problem } = useShare({ origin, token, hostPage: '/host' });
  const [crop, setCrop] = useState<Crop | null>(null);
  if (service === null) return <p>{problem?.message}</p>;
  return (
    <>
      <button type="button" onClick={() => void service.start()}>
        Begin
      </button>
      <button type="button" onClick={() => service.stop()}>
        End
      </button>
      <ScreenShareCropper service={service} onCropComplete={setCrop} />
      <output>{`${snapshot?.status?.state} ${JSON.stringify(crop)}`}</output>
    </>
  );
}

/** A crop of what the app has captured itself. */
function Cropping(): ReactElement {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [crop, setCrop] = useState<Crop | null>(null);
  const capture = async () => setStream(await navigator.mediaDevices.getDisplayMedia());
  return (
    <>
      <button type="button" onClick={() => void capture()}>
        Capture
      </button>
      <ScreenShareCropper stream={stream} value={crop} onCropComplete={setCrop} />
      <output>{JSON.stringify(crop)}</output>
    </>
  );
}

const PAGES: Record<string, () => ReactElement> = {
  '/share': Sharing,
  '/share-here': SharingHere,
  '/share-bare': SharingBare,
  '/play': Watching,
  '/play-bare': WatchingBare,
  '/crop': Cropping,
  '/host': () => <CaptureHostPage relay={origin} />,
};

const root = document.querySelector('#root');
const Page = PAGES[location.pathname];
if (root !== null && Page !== undefined) {
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
}
