import { type ComponentProps, type FormEvent, useId, useState } from 'react';
import { ApiError, createBroadcast } from '../../services/api.ts';

export interface NewBroadcastProps {
  origin: string;
  onCreated: (publishToken: string) => void;
}

/** Asks for the admin key, which is used once and kept nowhere, and creates a broadcast. */
export function NewBroadcast({ origin, onCreated }: NewBroadcastProps) {
  const [key, setKey] = useState('');
  const [title, setTitle] = useState('');
  const { busy, problem, create } = useCreate(origin, onCreated);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void create(key.trim(), title.trim());
  };
  return (
    <form className="card new-broadcast" onSubmit={submit}>
      <h1>Share your screen with everyone</h1>
      <p className="soft">
        Create a broadcast, send its link to your viewers, and share your screen with one click. It
        goes on when this page is reloaded or closed.
      </p>
      <TextField label="Admin key" type="password" required value={key} onType={setKey}>
        It is in the relay&rsquo;s state directory, in the file <code>admin.key</code>, unless its
        settings name another.
      </TextField>
      <TextField
        label="Title, if you like"
        placeholder="Thursday game night"
        maxLength={120}
        value={title}
        onType={setTitle}
      />
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

function useCreate(origin: string, onCreated: (publishToken: string) => void) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const create = async (key: string, title: string) => {
    setBusy(true);
    setProblem(null);
    try {
      onCreated((await createBroadcast(origin, key, title)).publishToken);
    } catch (error) {
      setProblem(explain(error));
    }
    setBusy(false);
  };
  return { busy, problem, create };
}

interface TextFieldProps extends Omit<ComponentProps<'input'>, 'id' | 'onChange'> {
  label: string;
  onType: (value: string) => void;
}

function TextField({ label, onType, children, ...input }: TextFieldProps) {
  const id = useId();
  return (
    <div className="choice">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field"
        autoComplete="off"
        onChange={(event) => onType(event.target.value)}
        {...input}
      />
      {children !== undefined && <span className="faint">{children}</span>}
    </div>
  );
}

function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.code === 'unauthorized') return 'The relay does not know this key.';
  if (error.kind === 'offline') return 'The relay does not answer. Is it running?';
  return error.message;
}
