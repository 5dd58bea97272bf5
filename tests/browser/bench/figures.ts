/** Figures and how they are printed. */

export interface Row {
  what: string;
  /** Already with its unit. */
  measured: string;
  goal: string;
}

/** The value below which `share` of the values lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** `p50 / p95 / worst` of times. */
export function spread(values: readonly number[]): string {
  const figures = [percentile(values, 0.5), percentile(values, 0.95), Math.max(...values)];
  return `${figures.map((value) => value.toFixed(1)).join(' / ')} ms`;
}

export function print(title: string, rows: readonly Row[]): void {
  const width = Math.max(...rows.map(({ what }) => what.length), 20);
  const lines = rows.map(
    ({ what, measured, goal }) => `  ${what.padEnd(width)}  ${measured.padEnd(34)}  ${goal}`,
  );
  process.stdout.write(`\n${title}\n${lines.join('\n')}\n`);
}

/** How players watch, and what of WebTransport their browser has for it. */
export const TRANSPORTS = [
  { name: 'WebTransport', webTransport: 'works' },
  { name: 'WebRTC', webTransport: 'none' },
  { name: 'WebSocket', webTransport: 'tcp' },
] as const;
export type Transport = (typeof TRANSPORTS)[number];
