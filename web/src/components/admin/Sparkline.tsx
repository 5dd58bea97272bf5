const WIDTH = 100;
const HEIGHT = 28;

export interface SparklineProps {
  /** Oldest first. */
  values: readonly number[];
  /** How many values fill the width; fewer leave the left empty. */
  slots?: number;
  /** The least value that reaches the top, so that small wiggles stay small. */
  ceiling?: number;
  /** What the line shows, for those who cannot see it. */
  label: string;
}

/** A line of the last minute, without axes. */
export function Sparkline({ values, slots = 60, ceiling = 1, label }: SparklineProps) {
  const points = layOut(values, slots, ceiling);
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined)
    return <div className="spark" aria-hidden="true" />;
  const line = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const area = `${first.x.toFixed(1)},${HEIGHT} ${line} ${last.x.toFixed(1)},${HEIGHT}`;
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon points={area} />
      <polyline points={line} />
    </svg>
  );
}

function layOut(values: readonly number[], slots: number, ceiling: number) {
  const top = Math.max(ceiling, ...values) * 1.1;
  const step = WIDTH / (slots - 1);
  const start = WIDTH - (values.length - 1) * step;
  return values.map((value, at) => ({
    x: start + at * step,
    y: HEIGHT - 1 - (value / top) * (HEIGHT - 2),
  }));
}
