import { type ReactNode, useEffect, useRef, useState } from 'react';
import { playerWords } from '../../words/player.ts';
import { codecName } from '../codecs.ts';
import { CloseIcon, PlayIcon } from './icons.tsx';
import { useScrollStop } from './useScrollStop.ts';
import { elapsed, type Words } from './words.ts';

/** The time since a moment, running. */
function Since({ ms }: { ms: number }) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  const began = new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return (
    <span className="player-since numeric">{playerWords().since(began, elapsed(nowMs - ms))}</span>
  );
}

export interface OverlayProps {
  words: Words;
  /** Whether there is a picture under the words. */
  pictured: boolean;
  /** A codec that cannot be decoded here. */
  undecodable: string | null;
  /** Set when the browser plays only after a touch or a click: to be called at one. */
  onTap: (() => void) | null;
  /** Puts a note aside that lies over the picture. */
  onAside: () => void;
}

/** The words over the picture: a card where there is no picture, else a note that leaves it in sight. */
export function Overlay({ words, pictured, undecodable, onTap, onAside }: OverlayProps) {
  // What was taken back leaves nothing that a note could lie over.
  const centred = words.final || words.withdrawn || !pictured;
  if (onTap !== null && !words.final) return <TapToPlay onTap={onTap} />;
  if (undecodable !== null && (words.title === null || words.busy)) {
    return <CodecNote codec={undecodable} centred={centred} onAside={onAside} />;
  }
  if (words.title === null) return null;
  return (
    <Note centred={centred} tone={words.tone} passing={words.passing}>
      {words.busy && <span className="player-spinner" />}
      <div className="player-words">
        <p className="player-title">{words.title}</p>
        {words.detail !== null && <p className="player-detail">{words.detail}</p>}
        {words.sinceMs !== null && <Since ms={words.sinceMs} />}
      </div>
      {!centred && <AsideButton onAside={onAside} />}
    </Note>
  );
}

interface NoteProps {
  centred: boolean;
  tone: Words['tone'];
  passing?: boolean;
  children: ReactNode;
}

function Note({ centred, tone, passing = false, children }: NoteProps) {
  const place = useRef<HTMLDivElement>(null);
  useScrollStop(place);
  return (
    <div
      ref={place}
      className={centred ? 'player-card' : 'player-note'}
      data-tone={tone}
      data-passing={passing}
    >
      {children}
    </div>
  );
}

function TapToPlay({ onTap }: { onTap: () => void }) {
  return (
    <button type="button" className="button button-primary player-tap" onClick={onTap}>
      <PlayIcon />
      {playerWords().tap}
    </button>
  );
}

function AsideButton({ onAside }: { onAside: () => void }) {
  const label = playerWords().buttons.aside;
  return (
    <button
      type="button"
      className="player-switch"
      aria-label={label}
      title={label}
      onClick={onAside}
    >
      <CloseIcon />
    </button>
  );
}

interface CodecNoteProps {
  codec: string;
  centred: boolean;
  onAside: () => void;
}

function CodecNote({ codec, centred, onAside }: CodecNoteProps) {
  const { undecoded } = playerWords();
  return (
    <Note centred={centred} tone="bad">
      <div className="player-words">
        <p className="player-title">{undecoded.title}</p>
        <p className="player-detail">{undecoded.detail(codecName(codec))}</p>
      </div>
      {!centred && <AsideButton onAside={onAside} />}
    </Note>
  );
}
