import { useEffect, useState } from 'react';
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
    <span className="player-since numeric">
      since {began} · {elapsed(nowMs - ms)}
    </span>
  );
}

export interface OverlayProps {
  words: Words;
  /** Whether there is a picture under the words. */
  pictured: boolean;
  /** A codec that cannot be decoded here. */
  undecodable: string | null;
}

const SPINNING: ReadonlySet<string> = new Set(['Joining', 'Preparing']);

/** The words over the picture: a card where there is no picture, else a note that leaves it in sight. */
export function Overlay({ words, pictured, undecodable }: OverlayProps) {
  if (words.title === null) return undecodable === null ? null : <CodecNote codec={undecodable} />;
  const centred = words.final || !pictured;
  return (
    <div className={centred ? 'player-card' : 'player-note'} data-tone={words.tone}>
      {SPINNING.has(words.badge) && <span className="player-spinner" />}
      <div className="player-words">
        <p className="player-title">{words.title}</p>
        {words.detail !== null && <p className="player-detail">{words.detail}</p>}
        {words.sinceMs !== null && <Since ms={words.sinceMs} />}
      </div>
    </div>
  );
}

function CodecNote({ codec }: { codec: string }) {
  return (
    <div className="player-note" data-tone="bad">
      <div className="player-words">
        <p className="player-title">This browser cannot decode the picture</p>
        <p className="player-detail">
          The host shares as {codec}. They can choose another format; this page goes on by itself
          then. A current Chrome or Edge can play it now.
        </p>
      </div>
    </div>
  );
}
