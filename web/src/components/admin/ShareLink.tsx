import { useEffect, useId, useState } from 'react';

const SAID_MS = 2_000;

export interface ShareLinkProps {
  link: string | null;
  /** Ends this link for another. */
  onRenew: () => Promise<void>;
}

/** The viewers' link, to be copied with one click, and to be replaced after a second thought. */
export function ShareLink({ link, onRenew }: ShareLinkProps) {
  const id = useId();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    if (link === null) return;
    await navigator.clipboard.writeText(link).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <div className="share-link">
      <label htmlFor={id}>Link for viewers</label>
      <div className="share-link-row">
        <input
          id={id}
          className="field"
          readOnly
          value={link ?? ''}
          placeholder="Waiting for the relay…"
          onFocus={(event) => event.target.select()}
        />
        <button
          type="button"
          className="button"
          disabled={link === null}
          onClick={() => void copy()}
        >
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <span className="spoken" role="status">
        {copied ? 'The link is in the clipboard.' : ''}
      </span>
      {link !== null && <Renew onRenew={onRenew} />}
    </div>
  );
}

function Renew({ onRenew }: { onRenew: () => Promise<void> }) {
  const [stage, setStage] = useState<'calm' | 'sure' | 'renewing' | 'renewed'>('calm');
  const [problem, setProblem] = useState<string | null>(null);
  const renew = async () => {
    setStage('renewing');
    setProblem(null);
    await onRenew().then(
      () => setStage('renewed'),
      (error: unknown) => {
        setProblem(error instanceof Error ? error.message : String(error));
        setStage('calm');
      },
    );
  };
  if (stage === 'calm' || stage === 'renewed') {
    return (
      <div className="renew-link">
        <span className="faint" role="status">
          {stage === 'renewed' ? 'This is the new link. Nobody watches by the old one now.' : ''}
        </span>
        {problem !== null && (
          <span className="problem" role="alert">
            {problem}
          </span>
        )}
        <button type="button" className="link-button" onClick={() => setStage('sure')}>
          Replace this link…
        </button>
      </div>
    );
  }
  return (
    <div className="renew-link" role="alertdialog" aria-label="Replace the link">
      <span>
        Everyone who watches now is disconnected, and needs the new link to come back. The old one
        stops working.
      </span>
      <div className="renew-link-row">
        <button
          type="button"
          className="button button-danger"
          disabled={stage === 'renewing'}
          onClick={() => void renew()}
        >
          Replace link
        </button>
        <button
          type="button"
          className="button"
          disabled={stage === 'renewing'}
          onClick={() => setStage('calm')}
        >
          Keep it
        </button>
      </div>
    </div>
  );
}
