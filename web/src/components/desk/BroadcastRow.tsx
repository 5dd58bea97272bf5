import { useId, useRef, useState } from 'react';
import { choicesOf } from '../../links/reach.ts';
import type { Desk, DeskBroadcast } from '../../services/DeskService.ts';
import { deskWords, linkWords } from '../../words/index.ts';
import { EndBroadcast } from '../admin/EndBroadcast.tsx';
import { useNow } from '../admin/useNow.ts';
import { CopiedSaid, copyLink, type SaidOfLink } from '../links/CopiedSaid.tsx';
import { rowFacts, rowTone, titleOf } from './facts.ts';

export interface BroadcastRowProps {
  desk: Desk;
  broadcast: DeskBroadcast;
  onOpen: (publishToken: string) => void;
}

/** One broadcast in the list: how it is doing, and what can be done with it. */
export function BroadcastRow({ desk, broadcast, onOpen }: BroadcastRowProps) {
  const row = useRef<HTMLLIElement>(null);
  const titleId = useId();
  const { over } = broadcast;
  const words = deskWords();
  const end = async () => {
    await desk.end(broadcast.id);
    // What had the focus is gone with the broadcast.
    row.current?.focus();
  };
  return (
    <li
      className="card desk-row"
      data-over={over !== null}
      aria-labelledby={titleId}
      ref={row}
      tabIndex={-1}
    >
      <Facts broadcast={broadcast} titleId={titleId} />
      {over === null ? (
        <Acts desk={desk} broadcast={broadcast} onOpen={onOpen} onEnd={end} />
      ) : (
        <p className="soft">{over === 'here' ? words.endedByYou : words.endedElsewhere}</p>
      )}
    </li>
  );
}

function Facts({ broadcast, titleId }: { broadcast: DeskBroadcast; titleId: string }) {
  const nowMs = useNow();
  const words = deskWords();
  const { phase, players, over } = broadcast;
  return (
    <div className="desk-facts">
      <h2 id={titleId}>{titleOf(broadcast)}</h2>
      <p className="desk-state">
        <span className={`badge ${rowTone(broadcast)}`}>
          {over === null ? words.phases[phase] : words.overBadge}
        </span>
        {over === null && <span className="numeric">{words.viewers(players)}</span>}
      </p>
      <dl className="desk-times">
        {rowFacts(broadcast, nowMs).map(({ name, text, exact }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={exact}>{text}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

interface ActsProps extends BroadcastRowProps {
  onEnd: () => Promise<void>;
}

function Acts({ desk, broadcast, onOpen, onEnd }: ActsProps) {
  const [said, setSaid] = useState<SaidOfLink | null>(null);
  const words = deskWords();
  const { id, playerLink, networkLinks } = broadcast;
  const [viewersLink = playerLink] = choicesOf(playerLink, networkLinks);
  const copy = async (what: 'viewers' | 'admin', make: () => Promise<string>) => {
    setSaid(null);
    setSaid(await copyLink(what, make));
  };
  const viewers = async () => {
    const whole = await desk.whole(broadcast, viewersLink);
    if (whole === null) throw new Error(linkWords().keyMissing);
    return whole;
  };
  const open = async () => {
    setSaid(null);
    await desk.links(id).then(
      ({ publishToken }) => onOpen(publishToken),
      (error: unknown) => setSaid({ kind: 'failed', why: reasonOf(error) }),
    );
  };
  return (
    <div className="desk-acts">
      <div className="desk-buttons">
        <button
          type="button"
          className="button button-primary"
          aria-label={words.openPanelOf(titleOf(broadcast))}
          onClick={() => void open()}
        >
          {words.openPanel}
        </button>
        <button type="button" className="button" onClick={() => void copy('viewers', viewers)}>
          {words.copyViewers}
        </button>
        <button
          type="button"
          className="button"
          onClick={() => void copy('admin', async () => (await desk.links(id)).adminLink)}
        >
          {linkWords().copyAdmin}
        </button>
        <EndBroadcast onEnd={onEnd} />
      </div>
      {said !== null && <CopiedSaid said={said} />}
    </div>
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
