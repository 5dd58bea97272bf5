import { LATENCIES_MS, type LatencySample } from '../../../services/audience.ts';
import { viewersWords } from '../../../words/index.ts';
import { type Frame, lineThrough, type Point, roundTop, runs, within } from '../chart.ts';

const WIDTH = 600;
const HEIGHT = 120;
/** An axis is no shorter: 3 ms more or less are no mountain. */
const LEAST_MS = 100;
const MINUTES = LATENCIES_MS / 60_000;

/** Two lines over five minutes: half of what is shown is within the lower one, 95 of 100 within the other. */
export function LatencyChart({ samples }: { samples: readonly LatencySample[] }) {
  const { latency: words } = viewersWords();
  const nowMs = samples.at(-1)?.atMs ?? 0;
  const size = { width: WIDTH, height: HEIGHT };
  const top = roundTop(Math.max(0, ...samples.map(({ p95Ms }) => p95Ms)), LEAST_MS);
  const frame: Frame = { nowMs, spanMs: LATENCIES_MS, top, ...size };
  return (
    <div className="chart">
      <div className="chart-scale numeric" aria-hidden="true">
        <span>{words.ms(String(top))}</span>
        <span>{words.ms(String(top / 2))}</span>
        <span>{words.ms('0')}</span>
      </div>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={textOf(samples)}
      >
        <Grid />
        <Line name="p95" frame={frame} points={pick(samples, ({ p95Ms }) => p95Ms)} />
        <Line name="p50" frame={frame} points={pick(samples, ({ p50Ms }) => p50Ms)} />
      </svg>
      <div className="chart-time numeric" aria-hidden="true">
        <span>{words.ago(MINUTES)}</span>
        <span>{words.now}</span>
      </div>
    </div>
  );
}

function Grid() {
  const minutes = Array.from({ length: MINUTES - 1 }, (_, at) => (WIDTH * (at + 1)) / MINUTES);
  return (
    <g className="chart-grid">
      {[0, HEIGHT / 2, HEIGHT].map((y) => (
        <line key={`y${y}`} x1={0} x2={WIDTH} y1={y} y2={y} />
      ))}
      {minutes.map((x) => (
        <line key={`x${x}`} x1={x} x2={x} y1={0} y2={HEIGHT} />
      ))}
    </g>
  );
}

function Line(props: { name: string; frame: Frame; points: Point[] }) {
  return (
    <g data-line={props.name}>
      {runs(within(props.points, props.frame)).map((run) => (
        <polyline key={run[0]?.atMs} points={lineThrough(run, props.frame)} />
      ))}
    </g>
  );
}

function pick(
  samples: readonly LatencySample[],
  value: (sample: LatencySample) => number,
): Point[] {
  return samples.map((sample) => ({ atMs: sample.atMs, value: value(sample) }));
}

/** What the lines show, for those who cannot see them. */
function textOf(samples: readonly LatencySample[]): string {
  const { latency: words } = viewersWords();
  const newest = samples.at(-1);
  if (newest === undefined) return words.chart;
  const most = Math.max(...samples.map(({ p95Ms }) => p95Ms));
  const ms = (value: number) => words.ms(String(value));
  return `${words.chartNow(ms(newest.p50Ms), ms(newest.p95Ms))} ${words.chartMost(ms(most))}`;
}
