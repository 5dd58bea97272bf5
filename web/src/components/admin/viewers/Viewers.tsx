import type { AudienceSource } from '../../../services/audience.ts';
import {
  VIEWER_STATES,
  VIEWER_TRANSPORTS,
  type ViewerState,
  type ViewersFacts,
} from '../../../services/viewers.ts';
import { viewersWords } from '../../../words/index.ts';
import { count } from '../../../words/numbers.ts';
import { Latency } from './Latency.tsx';
import { Slow } from './Slow.tsx';
import { useAudience } from './useAudience.ts';
import './viewers.css';

export interface ViewersProps {
  audience: AudienceSource;
  /** The picture is at rest: nothing new is shown anywhere. */
  still: boolean;
  /** There is a picture that they are to see. */
  live: boolean;
}

/** Who watches, over what, how late, and who has less of it and why. */
export function Viewers({ audience, still, live }: ViewersProps) {
  const { facts, latencies, failed } = useAudience(audience);
  const words = viewersWords();
  return (
    <section className="card viewers" aria-label={words.title}>
      <h2>{words.title}</h2>
      {facts === null ? (
        <p className="soft">{failed ? words.untold : words.asking}</p>
      ) : (
        <>
          <div className="viewers-who">
            <Count facts={facts} />
            {live && <States facts={facts} />}
          </div>
          <Missing facts={facts} />
          {live && <Latency facts={facts} samples={latencies} still={still} />}
          {live && <Slow facts={facts} />}
        </>
      )}
    </section>
  );
}

function Count({ facts }: { facts: ViewersFacts }) {
  const words = viewersWords();
  const over = VIEWER_TRANSPORTS.filter((name) => facts.byTransport[name] > 0).map((name) =>
    words.over(words.transports[name], count(facts.byTransport[name])),
  );
  return (
    <div>
      <p className="viewers-count numeric">{count(facts.count)}</p>
      <p className="faint">{over.length === 0 ? words.nobody : over.join(' · ')}</p>
    </div>
  );
}

function Missing({ facts }: { facts: ViewersFacts }) {
  const { incomplete = [] } = facts;
  if (incomplete.length === 0) return null;
  return (
    <p className="notice" role="status">
      {viewersWords().incomplete(incomplete)}
    </p>
  );
}

const TONES: Record<ViewerState, string> = {
  live: 'good',
  behind: 'wait',
  light: 'accent',
  waiting: 'bad',
  away: 'plain',
};

/** All of them have their places, so that nothing moves when a viewer fares otherwise. */
function States({ facts }: { facts: ViewersFacts }) {
  const words = viewersWords();
  return (
    <ul className="viewers-states" aria-label={words.statesLabel}>
      {VIEWER_STATES.map((state) => (
        <li key={state} data-none={facts.byState[state] === 0}>
          <span className={`badge badge-${TONES[state]}`}>
            <span className="numeric">{count(facts.byState[state])}</span> {words.states[state]}
          </span>
        </li>
      ))}
    </ul>
  );
}
