import { type RefObject, useEffect, useId, useRef, useState } from 'react';
import { linkWords } from '../../words/index.ts';
import { copyText } from './clipboard.ts';
import { LinkLife } from './LinkLife.tsx';
import { QrCode } from './QrCode.tsx';
import './links.css';

const SAID_MS = 4_000;

export interface LinkFieldProps {
  label: string;
  /** Null: there is none yet. */
  link: string | null;
}

/** A link for viewers: to be read, copied, handed to another program, and held before a camera. */
export function LinkField({ label, link }: LinkFieldProps) {
  const words = linkWords();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [showsCode, setShowsCode] = useState(false);
  const { said, copy, share } = useLinkActs(link, field);
  return (
    <div className="link-field">
      <label htmlFor={id}>{label}</label>
      <input
        ref={field}
        id={id}
        className="field"
        readOnly
        value={link ?? ''}
        placeholder={words.waiting}
        onFocus={(event) => event.target.select()}
      />
      <div className="link-field-row">
        <button type="button" className="button" disabled={link === null} onClick={copy}>
          {said === 'copied' ? words.copied : words.copy}
        </button>
        {canShare() && (
          <button type="button" className="button" disabled={link === null} onClick={share}>
            {words.share}
          </button>
        )}
        <button
          type="button"
          className="button"
          disabled={link === null}
          aria-expanded={showsCode}
          onClick={() => setShowsCode(!showsCode)}
        >
          {words.qr}
        </button>
      </div>
      <Said said={said} />
      {link !== null && showsCode && <QrCode text={link} title={words.qrTitle} />}
      {link !== null && <LinkLife link={link} />}
    </div>
  );
}

type SaidOf = 'copied' | 'refused' | 'share-refused' | null;

function Said({ said }: { said: SaidOf }) {
  const words = linkWords();
  const bad = said === 'refused' ? words.refused : said === 'share-refused' && words.shareRefused;
  return (
    <>
      <span className="spoken" role="status">
        {said === 'copied' ? words.viewersCopied : ''}
      </span>
      {bad !== false && (
        <p className="problem" role="alert">
          {bad}
        </p>
      )}
    </>
  );
}

function useLinkActs(link: string | null, field: RefObject<HTMLInputElement | null>) {
  const [said, setSaid] = useState<SaidOf>(null);
  useEffect(() => {
    if (said !== 'copied') return;
    const timer = setTimeout(() => setSaid(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    if (link === null) return;
    const copied = await copyText(link);
    setSaid(copied ? 'copied' : 'refused');
    // Selected, so that it can be copied by hand.
    if (!copied) field.current?.focus();
  };
  const share = async () => {
    if (link === null) return;
    setSaid(null);
    const title = linkWords().shareTitle;
    await navigator.share({ title, url: link }).catch((error: unknown) => {
      if (!isChangeOfMind(error)) setSaid('share-refused');
    });
  };
  return { said, copy: () => void copy(), share: () => void share() };
}

/** Few desktop browsers have it. */
function canShare(): boolean {
  return typeof navigator.share === 'function';
}

/** The sheet was closed without a choice. */
function isChangeOfMind(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
