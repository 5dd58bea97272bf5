import { type FormEvent, useEffect, useState } from 'react';
import { WebSocketProvider } from '../../contexts/WebSocketContext.tsx';
import { StreamControlPanel } from './StreamControlPanel.tsx';

export function AdminPage({ room }: { room: string }) {
  const [admin, setAdmin] = useState<boolean | null>(null);
  useEffect(() => {
    void fetch('/api/me').then(({ ok }) => setAdmin(ok));
  }, []);
  if (admin === null) return null;
  if (!admin) return <Login onAdmin={() => setAdmin(true)} />;
  return (
    <WebSocketProvider room={room} as="admin">
      <AdminGamePanel />
    </WebSocketProvider>
  );
}

function AdminGamePanel() {
  const [tab, setTab] = useState<'Stream' | 'Notes'>('Stream');
  const [notes, setNotes] = useState('');
  return (
    <main className="admin">
      <nav>
        <button type="button" onClick={() => setTab('Stream')}>
          Stream
        </button>
        <button type="button" onClick={() => setTab('Notes')}>
          Notes
        </button>
      </nav>
      {tab === 'Stream' && <StreamControlPanel />}
      {tab === 'Notes' && (
        <textarea
          aria-label="Notes of the game"
          value={notes}
          onChange={(event) => setNotes(event.target.value)}
        />
      )}
    </main>
  );
}

function Login({ onAdmin }: { onAdmin: () => void }) {
  const [password, setPassword] = useState('');
  const [refused, setRefused] = useState(false);
  const login = async (event: FormEvent) => {
    event.preventDefault();
    const { ok } = await fetch('/api/login', { method: 'POST', body: password });
    if (ok) onAdmin();
    else setRefused(true);
  };
  return (
    <form className="admin" onSubmit={login}>
      <label>
        Password{' '}
        <input
          type="password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>{' '}
      <button type="submit">Log in</button>
      {refused && <p role="alert">That is not the password.</p>}
    </form>
  );
}
