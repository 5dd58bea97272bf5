/** What was done to the crop, so that it can be undone; pure. */

/** What an admin does to a crop. */
export type Deed =
  | { kind: 'draw' | 'move' | 'resize' | 'reset' }
  /** By the names that the panel has for them. */
  | { kind: 'type'; field: string }
  | { kind: 'shape'; name: string };

export interface Step<T> {
  before: T;
  after: T;
  deed: Deed;
}

export interface Past<T> {
  /** Newest last. */
  done: readonly Step<T>[];
  /** What was undone and may be done again; newest last. */
  undone: readonly Step<T>[];
}

/** More than anybody goes back. */
const STEPS_MAX = 200;

export function noPast<T>(): Past<T> {
  return { done: [], undone: [] };
}

/** Something was done. `joins`: as a part of what was done before it, such as while a key is held. */
export function did<T>(past: Past<T>, step: Step<T>, joins: boolean): Past<T> {
  const last = past.done.at(-1);
  if (joins && last?.deed.kind === step.deed.kind) {
    return { done: [...past.done.slice(0, -1), { ...step, before: last.before }], undone: [] };
  }
  return { done: [...past.done, step].slice(-STEPS_MAX), undone: [] };
}

/** The past without its newest step, which is the one to take back; null: there is none. */
export function undo<T>({ done, undone }: Past<T>): { past: Past<T>; step: Step<T> } | null {
  const step = done.at(-1);
  if (step === undefined) return null;
  return { past: { done: done.slice(0, -1), undone: [...undone, step] }, step };
}

/** The past with the step that was undone last, which is the one to do again; null: there is none. */
export function redo<T>({ done, undone }: Past<T>): { past: Past<T>; step: Step<T> } | null {
  const step = undone.at(-1);
  if (step === undefined) return null;
  return { past: { done: [...done, step], undone: undone.slice(0, -1) }, step };
}
