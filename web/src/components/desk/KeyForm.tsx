import { type FormEvent, useId, useState } from 'react';
import { ApiError, listBroadcasts } from '../../services/api.ts';
import { deskWords } from '../../words/index.ts';

export interface KeyFormProps {
  origin: string;
  /** Why it is asked for again; null: it is the first time. */
  reason: string | null;
  onKey: (key: string) => void;
}

/** Asks for the admin key, and goes on once the relay knows it. */
export function KeyForm({ origin, reason, onKey }: KeyFormProps) {
  const [key, setKey] = useState('');
  const { busy, problem, open } = useOpening(origin, onKey);
  const words = deskWords();
  const shown = problem ?? reason;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void open(key.trim());
  };
  return (
    <form className="card key-form" onSubmit={submit} autoComplete="off">
      <h1>{words.enter}</h1>
      <p className="soft">{words.lead}</p>
      <KeyField value={key} onType={setKey} />
      {shown !== null && (
        <p className="problem" role="alert">
          {shown}
        </p>
      )}
      <button type="submit" className="button button-primary" disabled={busy || key.trim() === ''}>
        {busy ? words.opening : words.open}
      </button>
    </form>
  );
}

/**
 * A text that is drawn as dots: nobody logs in with it, so no password manager should offer to keep it,
 * as they do with what is of the type `password` whatever its attributes say.
 */
function KeyField({ value, onType }: { value: string; onType: (key: string) => void }) {
  const id = useId();
  const [plain, setPlain] = useState(false);
  const words = deskWords();
  return (
    <div className="key-field">
      <label htmlFor={id}>{words.key}</label>
      <input
        id={id}
        className={plain ? 'field' : 'field field-dotted'}
        type="text"
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        data-1p-ignore=""
        data-lpignore="true"
        data-bwignore="true"
        aria-describedby={`${id}-about`}
        value={value}
        onChange={(event) => onType(event.target.value)}
      />
      <label className="check">
        <input type="checkbox" checked={plain} onChange={() => setPlain(!plain)} />
        {words.showKey}
      </label>
      <div id={`${id}-about`} className="faint">
        <p>{words.keyWhere}</p>
        <p>{words.keyKept}</p>
      </div>
    </div>
  );
}

function useOpening(origin: string, onKey: (key: string) => void) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const open = async (key: string) => {
    setBusy(true);
    setProblem(null);
    try {
      await listBroadcasts(origin, key, null);
      onKey(key);
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
    }
  };
  return { busy, problem, open };
}

function explain(error: unknown): string {
  const words = deskWords();
  if (!(error instanceof ApiError)) return String(error);
  if (error.code === 'unauthorized') return words.wrongKey;
  return error.kind === 'offline' ? words.offline : error.message;
}
