import { relayOf } from '../../session/place.ts';
import '../../styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { CaptureHostPage } from '../../components/capture/CaptureHostPage.tsx';
import { address } from './address.ts';
import { exposeDiagnostics } from './diagnostics.ts';

const place = document.querySelector('#root');
if (place !== null) {
  createRoot(place).render(
    <StrictMode>
      <CaptureHostPage
        relay={relayOf(location.href)}
        address={address}
        onHost={exposeDiagnostics}
      />
    </StrictMode>,
  );
}
