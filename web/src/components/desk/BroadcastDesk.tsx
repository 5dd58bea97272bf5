import { useEffect, useState, useSyncExternalStore } from 'react';
import { choicesOf, reachOf } from '../../links/reach.ts';
import { type Desk, DeskService } from '../../services/DeskService.ts';
import { deskWords, linkWords } from '../../words/index.ts';
import { moment } from '../../words/when.ts';
import { useNow } from '../admin/useNow.ts';
import { BroadcastRow } from './BroadcastRow.tsx';
import { CreateBroadcast } from './CreateBroadcast.tsx';
import { KeyForm } from './KeyForm.tsx';
import { forgetKey, keepKeyForReload, knownKey, learnKey } from './key.ts';
import './desk.css';

export interface BroadcastDeskProps {
  origin: string;
  /** Goes to the panel that this token opens. */
  onOpen: (publishToken: string) => void;
}

/** All broadcasts of a relay, for whoever has its admin key. */
export function BroadcastDesk({ origin, onOpen }: BroadcastDeskProps) {
  const [key, setKey] = useState(knownKey);
  const [reason, setReason] = useState<string | null>(null);
  const enter = (entered: string) => {
    learnKey(entered);
    setKey(entered);
  };
  const lock = (why: string | null) => {
    forgetKey();
    setReason(why);
    setKey(null);
  };
  if (key === null) return <KeyForm origin={origin} reason={reason} onKey={enter} />;
  return <OpenDesk origin={origin} adminKey={key} onOpen={onOpen} onLock={lock} />;
}

interface OpenDeskProps extends BroadcastDeskProps {
  adminKey: string;
  onLock: (why: string | null) => void;
}

function OpenDesk({ origin, adminKey, onOpen, onLock }: OpenDeskProps) {
  const [desk, setDesk] = useState<DeskService | null>(null);
  useEffect(keepKeyForReload, []);
  useEffect(() => {
    const opened = new DeskService({ origin, key: adminKey });
    opened.open();
    setDesk(opened);
    return () => opened.close();
  }, [origin, adminKey]);
  if (desk === null) return null;
  return <ShownDesk desk={desk} onOpen={onOpen} onLock={onLock} />;
}

export interface ShownDeskProps {
  desk: Desk;
  onOpen: (publishToken: string) => void;
  onLock: (why: string | null) => void;
}

export function ShownDesk({ desk, onOpen, onLock }: ShownDeskProps) {
  const { broadcasts, more, problem } = useSyncExternalStore(desk.subscribe, desk.snapshot);
  const words = deskWords();
  const refused = problem?.code === 'unauthorized' || problem?.code === 'revoked';
  useEffect(() => {
    if (refused) onLock(deskWords().keyChanged);
  }, [refused, onLock]);
  return (
    <section className="desk" aria-labelledby="desk-title">
      <header className="desk-head">
        <h1 id="desk-title">{words.title}</h1>
        <button type="button" className="link-button" onClick={() => onLock(null)}>
          {words.lock}
        </button>
      </header>
      <CreateBroadcast desk={desk} />
      <Stale desk={desk} />
      <ReachNote desk={desk} />
      {broadcasts === null && problem === null && <p className="faint">{words.loading}</p>}
      {broadcasts?.length === 0 && <p className="soft">{words.none}</p>}
      {broadcasts !== null && broadcasts.length > 0 && (
        <ul className="desk-list" aria-label={words.title}>
          {broadcasts.map((one) => (
            <BroadcastRow key={one.id} desk={desk} broadcast={one} onOpen={onOpen} />
          ))}
        </ul>
      )}
      {more && (
        <button type="button" className="button" onClick={() => desk.more()}>
          {words.more}
        </button>
      )}
    </section>
  );
}

/** All links begin alike: what is to be said of one holds for all. */
function ReachNote({ desk }: { desk: Desk }) {
  const { broadcasts } = useSyncExternalStore(desk.subscribe, desk.snapshot);
  const one = broadcasts?.find(({ over }) => over === null);
  if (one === undefined) return null;
  const [best = one.playerLink] = choicesOf(one.playerLink, one.networkLinks);
  if (reachOf(best) !== 'own-machine') return null;
  return <p className="notice">{linkWords().reachesNobody}</p>;
}

function Stale({ desk }: { desk: Desk }) {
  const { problem, incomplete, heardMs } = useSyncExternalStore(desk.subscribe, desk.snapshot);
  const nowMs = useNow();
  const words = deskWords();
  if (problem === null && incomplete.length === 0) return null;
  if (problem === null) {
    return (
      <p className="notice" role="status">
        {words.incomplete(incomplete)}
      </p>
    );
  }
  const silent = heardMs === null ? words.offline : words.stale(moment(heardMs, nowMs));
  return (
    <p className="notice" role="status">
      {problem.offline ? silent : problem.message}
    </p>
  );
}
