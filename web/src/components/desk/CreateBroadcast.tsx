import { type FormEvent, useId, useState } from 'react';
import type { Desk } from '../../services/DeskService.ts';
import { deskWords } from '../../words/index.ts';
import { titleOf } from './facts.ts';

/** The relay's longest title, in characters. */
const TITLE_MAX = 120;

/** Makes a broadcast, which is in the list then. */
export function CreateBroadcast({ desk }: { desk: Desk }) {
  const id = useId();
  const privateId = useId();
  const [title, setTitle] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const { busy, problem, created, create } = useCreate(desk);
  const words = deskWords();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await create(title.trim(), isPrivate)) setTitle('');
  };
  return (
    <form className="card create-broadcast" onSubmit={(event) => void submit(event)}>
      <label htmlFor={id}>{words.newTitle}</label>
      <div className="create-broadcast-row">
        <input
          id={id}
          className="field"
          autoComplete="off"
          maxLength={TITLE_MAX}
          placeholder={words.newExample}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <button type="submit" className="button button-primary" disabled={busy}>
          {busy ? words.creating : words.create}
        </button>
      </div>
      <div className="create-broadcast-private">
        <input
          id={privateId}
          type="checkbox"
          checked={isPrivate}
          onChange={(event) => setPrivate(event.target.checked)}
        />
        <label htmlFor={privateId}>{words.private}</label>
      </div>
      {isPrivate && <p className="faint">{words.privateWhat}</p>}
      <p className="faint" role="status">
        {created === null ? '' : words.created(created)}
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

function useCreate(desk: Desk) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [created, setCreated] = useState<string | null>(null);
  const create = async (title: string, isPrivate: boolean): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    setCreated(null);
    try {
      await desk.create(title, isPrivate);
      setCreated(titleOf({ title }));
      return true;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, created, create };
}
