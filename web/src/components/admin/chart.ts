/** Lines over time, as points of an svg; pure. */

export interface Point {
  atMs: number;
  value: number;
}

/** What a line is laid out in: time from `nowMs - spanMs` on the left to `nowMs` on the right. */
export interface Frame {
  nowMs: number;
  spanMs: number;
  /** The value at the upper edge; 0 is at the lower one. */
  top: number;
  width: number;
  height: number;
}

/** Between two samples that belong together: twice what a mean is of. */
const GAP_MS = 12_000;

/** The points without long gaps between them: where nothing is known no line is drawn. */
export function runs(points: readonly Point[]): Point[][] {
  const found: Point[][] = [];
  for (const point of points) {
    const run = found.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last !== undefined && point.atMs - last.atMs <= GAP_MS) {
      run.push(point);
    } else found.push([point]);
  }
  return found;
}

/** Those points that the frame has room for. */
export function within(points: readonly Point[], { nowMs, spanMs }: Frame): Point[] {
  return points.filter(({ atMs }) => atMs >= nowMs - spanMs && atMs <= nowMs);
}

/** As `points` of a polyline has it. */
export function lineThrough(run: readonly Point[], frame: Frame): string {
  return run.map((point) => place(point, frame)).join(' ');
}

/** The area between the line and the lower edge. */
export function areaUnder(run: readonly Point[], frame: Frame): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return '';
  const foot = (point: Point) => place({ ...point, value: 0 }, frame);
  return `${foot(first)} ${lineThrough(run, frame)} ${foot(last)}`;
}

function place({ atMs, value }: Point, { nowMs, spanMs, top, width, height }: Frame): string {
  const x = width * (1 - (nowMs - atMs) / spanMs);
  const y = height * (1 - Math.min(1, value / top));
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}

const STEPS = [1, 2, 3, 4, 5, 6, 8, 10];

/** The next round number that leaves `value` room, so that an axis seldom changes. */
export function roundTop(value: number, least: number): number {
  const wanted = Math.max(value, least);
  const unit = 10 ** Math.floor(Math.log10(wanted));
  const step = STEPS.find((one) => one * unit >= wanted) ?? 10;
  return step * unit;
}
