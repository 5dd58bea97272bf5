import { useRef } from 'react';
import { choicesOf } from '../../../links/reach.ts';
import type { HostStatus } from '../../../publish/status.ts';
import type { ShareService } from '../../../services/AdminScreenShareService.ts';
import type { BroadcastFacts } from '../../../services/api.ts';
import { troublesWords } from '../../../words/index.ts';
import { useNow } from '../useNow.ts';
import { useAudience } from '../viewers/useAudience.ts';
import { Steady } from './steady.ts';
import { type Trouble, troublesOf } from './troubles.ts';
import './troubles.css';

export interface TroublesProps {
  service: ShareService;
  status: HostStatus;
  broadcast: BroadcastFacts | null;
}

/** What is wrong, in words; nothing where nothing is. */
export function Troubles({ service, status, broadcast }: TroublesProps) {
  const { facts } = useAudience(service.audience);
  const [playerLink = null] =
    broadcast === null ? [] : choicesOf(broadcast.playerLink, broadcast.networkLinks ?? []);
  const shown = useSteady(troublesOf({ status, viewers: facts, playerLink }));
  const said = useSaid(shown);
  return (
    <>
      <span className="spoken" role="status">
        {said}
      </span>
      {shown.length > 0 && <Drawer troubles={shown} />}
    </>
  );
}

function useSteady(found: readonly Trouble[]): Trouble[] {
  const steady = useRef<Steady>(null);
  steady.current ??= new Steady();
  return steady.current.take(useNow(), found);
}

/** What is told to those who cannot see it: when something comes or goes, not with every number. */
function useSaid(shown: readonly Trouble[]): string {
  const said = useRef({ names: '', text: '' });
  const names = shown.map(({ name }) => name).join();
  if (said.current.names !== names) {
    said.current = { names, text: shown.map(({ title }) => `${title}.`).join(' ') };
  }
  return said.current.text;
}

function Drawer({ troubles }: { troubles: readonly Trouble[] }) {
  return (
    <details className="card troubles" open>
      <summary>
        {troublesWords().title} <span className="troubles-count numeric">{troubles.length}</span>
      </summary>
      <ul>
        {troubles.map(({ name, tone, title, detail }) => (
          <li key={name} data-tone={tone}>
            <strong>{title}.</strong> <span className="soft">{detail}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
