/** Checks for values from elsewhere: each says whether a value has a shape, and never throws. */

export type Check<T> = (value: unknown) => value is T;

const TEXT_MAX = 2_000;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_MAX;
}

export function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** A finite number from 0 up. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

export function within(min: number, max: number): Check<number> {
  return (value): value is number => typeof value === 'number' && value >= min && value <= max;
}

export function oneOf<const T extends readonly string[]>(names: T): Check<T[number]> {
  return (value): value is T[number] => typeof value === 'string' && names.includes(value);
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || check(value);
}

/** An array of at most `max` of these. */
export function listOf<T>(check: Check<T>, max: number): Check<T[]> {
  return (value): value is T[] =>
    Array.isArray(value) && value.length <= max && value.every((entry) => check(entry));
}

/** An object with these fields; others may be there and are ignored. */
export function shape<T extends object>(fields: { [K in keyof T]: Check<T[K]> }): Check<T> {
  const checks = Object.entries(fields) as [string, Check<unknown>][];
  return (value): value is T =>
    isRecord(value) && checks.every(([name, check]) => check(value[name]));
}
