import { areaUnder, type Frame, lineThrough, type Point, runs, within } from './chart.ts';

const WIDTH = 100;
const HEIGHT = 28;

export interface SparklineProps {
  /** Oldest first; the newest is at the right edge. */
  points: readonly Point[];
  /** How far back the left edge is. */
  spanMs: number;
  /** The least value that reaches the top, so that small wiggles stay small. */
  ceiling?: number;
  /** What the line shows, for those who cannot see it. */
  label: string;
}

/** A line without axes. */
export function Sparkline({ points, spanMs, ceiling = 1, label }: SparklineProps) {
  const nowMs = points.at(-1)?.atMs;
  if (nowMs === undefined) return <div className="spark" aria-hidden="true" />;
  const size = { width: WIDTH, height: HEIGHT - 1 };
  const shown = within(points, { nowMs, spanMs, top: 1, ...size });
  const top = Math.max(ceiling, ...shown.map(({ value }) => value)) * 1.1;
  const frame: Frame = { nowMs, spanMs, top, ...size };
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {runs(shown).map((run) => (
        <g key={run[0]?.atMs}>
          <polygon points={areaUnder(run, frame)} />
          <polyline points={lineThrough(run, frame)} />
        </g>
      ))}
    </svg>
  );
}
