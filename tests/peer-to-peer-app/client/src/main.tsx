import { createRoot } from 'react-dom/client';
import { AdminPage } from './components/AdminGamePanel/AdminPage.tsx';
import { WatchPage } from './components/StreamPlayer/WatchPage.tsx';
import './main.css';

const room = new URLSearchParams(location.search).get('room') ?? 'lobby';

function Page() {
  switch (location.pathname) {
    case '/admin':
      return <AdminPage room={room} />;
    case '/watch':
      return <WatchPage room={room} />;
    default:
      return <p>There is no such page.</p>;
  }
}

const root = document.querySelector('#root');
if (root !== null) createRoot(root).render(<Page />);
