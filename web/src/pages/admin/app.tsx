import '../../styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { AdminPage } from './AdminPage.tsx';
import { exposeDiagnostics } from './diagnostics.ts';
import './admin-page.css';

const place = document.querySelector('#root');
if (place !== null) {
  exposeDiagnostics();
  createRoot(place).render(
    <StrictMode>
      <AdminPage />
    </StrictMode>,
  );
}
