import { type FormEvent, useId, useState } from 'react';
import { linkWords } from '../../words/index.ts';
import { span } from '../../words/when.ts';
import { focusNow } from '../focus.ts';
import { ViewersLink } from './ViewersLink.tsx';

const HOURS = [1, 2, 4, 8, 24, 72, 168];
const USUAL_HOURS = 4;
const HOUR_S = 3_600;

export interface TimedLinkProps {
  /** Makes one by which access ends after so many seconds; throws what went wrong. */
  onMake: (ttlS: number) => Promise<string>;
  /** The addresses at which others reach the relay, for this link: see `ViewersLink`. */
  networkOf: (link: string) => readonly string[];
}

/** One more link, by which access ends at a time that is chosen when it is made. */
export function TimedLink({ onMake, networkOf }: TimedLinkProps) {
  const [open, setOpen] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const words = linkWords();
  if (!open) {
    return (
      <button type="button" className="link-button" onClick={() => setOpen(true)}>
        {words.timed}
      </button>
    );
  }
  return (
    <section className="timed-link" aria-label={words.timedLink} tabIndex={-1} ref={focusNow}>
      {link === null ? (
        <Wish onMake={async (hours) => setLink(await onMake(hours * HOUR_S))} />
      ) : (
        <ViewersLink label={words.timedLink} link={link} networkLinks={networkOf(link)} />
      )}
      <button
        type="button"
        className="link-button"
        onClick={() => {
          setOpen(false);
          setLink(null);
        }}
      >
        {words.close}
      </button>
    </section>
  );
}

function Wish({ onMake }: { onMake: (hours: number) => Promise<void> }) {
  const id = useId();
  const [hours, setHours] = useState(USUAL_HOURS);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const words = linkWords();
  const make = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    await onMake(hours).catch((error: unknown) => {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    });
  };
  return (
    <form className="timed-link-wish" onSubmit={(event) => void make(event)}>
      <p className="faint">{words.timedWhat}</p>
      <label htmlFor={id}>{words.timedFor}</label>
      <div className="link-field-row">
        <select
          id={id}
          className="field"
          value={hours}
          onChange={(event) => setHours(Number(event.target.value))}
        >
          {HOURS.map((one) => (
            <option key={one} value={one}>
              {span(one)}
            </option>
          ))}
        </select>
        <button type="submit" className="button" disabled={busy}>
          {words.timedMake}
        </button>
      </div>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
