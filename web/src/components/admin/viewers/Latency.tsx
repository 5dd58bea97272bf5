import type { LatencySample } from '../../../services/audience.ts';
import type { ViewersFacts } from '../../../services/viewers.ts';
import { viewersWords } from '../../../words/index.ts';
import { LatencyChart } from './LatencyChart.tsx';

/** From capture to display: what it is now, and how it has been. */
export function Latency(props: {
  facts: ViewersFacts;
  samples: readonly LatencySample[];
  still: boolean;
}) {
  const { facts, samples, still } = props;
  const { latency: words } = viewersWords();
  if (facts.count === 0 && samples.length === 0) return null;
  return (
    <div className="latency">
      <h3>{words.title}</h3>
      <dl className="latency-now">
        <Figure line="p50" name={words.p50} ms={facts.latency?.p50Ms} />
        <Figure line="p95" name={words.p95} ms={facts.latency?.p95Ms} />
      </dl>
      <p className="latency-note faint">{noteOn(facts, still)}</p>
      <LatencyChart samples={samples} />
    </div>
  );
}

function Figure(props: { line: string; name: string; ms: number | undefined }) {
  const { latency: words } = viewersWords();
  return (
    <div data-line={props.line}>
      <dt>{props.name}</dt>
      <dd className="numeric">
        {props.ms === undefined ? words.noNumber : words.ms(String(props.ms))}
      </dd>
    </div>
  );
}

/** Of whom it is, or why it is not known. */
function noteOn({ latency, count }: ViewersFacts, still: boolean): string {
  const { latency: words } = viewersWords();
  if (latency !== undefined)
    return latency.viewers < count ? words.ofSome(latency.viewers, count) : ' ';
  if (count === 0) return ' ';
  return still ? words.resting : words.silent;
}
