import '../../styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { markLanguage } from '../../words/language.ts';
import { AdminPage } from './AdminPage.tsx';
import { exposeDiagnostics } from './diagnostics.ts';
import './admin-page.css';

const place = document.querySelector('#root');
if (place !== null) {
  markLanguage(document);
  exposeDiagnostics();
  createRoot(place).render(
    <StrictMode>
      <AdminPage />
    </StrictMode>,
  );
}
