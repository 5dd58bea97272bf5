import { type ReactNode, useState } from 'react';
import { linkWords } from '../../words/index.ts';
import { focusNow } from '../focus.ts';

export interface AskFirstProps {
  className: string;
  /** What the question is about, the question itself, and the button that answers it with yes. */
  name: string;
  question: string;
  act: string;
  /** Throws what went wrong, which is said beside the button. */
  onAct: () => Promise<void>;
  /** The button that asks. */
  children: ReactNode;
  /** Said once it is done, where this is still there. */
  done?: string;
}

/** A button for what cannot be taken back: it acts after a second thought. */
export function AskFirst(props: AskFirstProps) {
  const [stage, setStage] = useState<'calm' | 'sure' | 'acting' | 'done'>('calm');
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const act = async () => {
    setStage('acting');
    setProblem(null);
    await props.onAct().then(
      () => setStage('done'),
      (error: unknown) => {
        setProblem(error instanceof Error ? error.message : String(error));
        setStage('calm');
      },
    );
  };
  const ask = () => {
    setAsked(true);
    setStage('sure');
  };
  if (stage === 'sure' || stage === 'acting') {
    return (
      <Question
        {...props}
        busy={stage === 'acting'}
        onYes={() => void act()}
        onNo={() => setStage('calm')}
      />
    );
  }
  return (
    <div className={props.className}>
      {props.done !== undefined && (
        <span className="faint" role="status">
          {stage === 'done' ? props.done : ''}
        </span>
      )}
      {problem !== null && (
        <span className="problem" role="alert">
          {problem}
        </span>
      )}
      <button type="button" className="link-button" {...(asked && { ref: focusNow })} onClick={ask}>
        {props.children}
      </button>
    </div>
  );
}

interface QuestionProps extends AskFirstProps {
  busy: boolean;
  onYes: () => void;
  onNo: () => void;
}

function Question({ className, name, question, act, busy, onYes, onNo }: QuestionProps) {
  return (
    <div
      className={className}
      role="alertdialog"
      aria-label={name}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !busy) onNo();
      }}
    >
      <span>{question}</span>
      <div className="ask-first-row">
        <button type="button" className="button button-danger" disabled={busy} onClick={onYes}>
          {act}
        </button>
        <button type="button" className="button" disabled={busy} ref={focusNow} onClick={onNo}>
          {linkWords().keep}
        </button>
      </div>
    </div>
  );
}
