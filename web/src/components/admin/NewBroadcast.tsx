import { type FormEvent, useId, useState } from 'react';
import { ApiError, createBroadcast } from '../../services/api.ts';

export interface NewBroadcastProps {
  origin: string;
  onCreated: (publishToken: string) => void;
}

/** Asks for the admin key, which is used once and kept nowhere, and creates a broadcast. */
export function NewBroadcast({ origin, onCreated }: NewBroadcastProps) {
  const ids = { key: useId(), title: useId() };
  const [key, setKey] = useState('');
  const [title, setTitle] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const { publishToken } = await createBroadcast(origin, key.trim(), title.trim());
      onCreated(publishToken);
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };
  return (
    <form className="card new-broadcast" onSubmit={(event) => void submit(event)}>
      <h1>Share your screen with everyone</h1>
      <p className="soft">
        Create a broadcast, send its link to your viewers, and share your screen with one click. It
        goes on when this page is reloaded or closed.
      </p>
      <div className="choice">
        <label htmlFor={ids.key}>Admin key</label>
        <input
          id={ids.key}
          className="field"
          type="password"
          autoComplete="off"
          required
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <span className="faint">
          The relay prints it when it starts, and keeps it in its state directory as{' '}
          <code>admin.key</code>.
        </span>
      </div>
      <div className="choice">
        <label htmlFor={ids.title}>Title, if you like</label>
        <input
          id={ids.title}
          className="field"
          maxLength={120}
          placeholder="Thursday game night"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
      </div>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button button-primary" disabled={busy || key.trim() === ''}>
        {busy ? 'Creating…' : 'Create broadcast'}
      </button>
    </form>
  );
}

function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.code === 'unauthorized') return 'The relay does not know this key.';
  if (error.kind === 'offline') return 'The relay does not answer. Is it running?';
  return error.message;
}
