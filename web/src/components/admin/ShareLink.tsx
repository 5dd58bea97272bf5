import { useEffect, useId, useState } from 'react';

const SAID_MS = 2_000;

/** The viewers' link, to be copied with one click. */
export function ShareLink({ link }: { link: string | null }) {
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
    </div>
  );
}
