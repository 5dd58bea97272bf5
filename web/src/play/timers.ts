/** Time as the player's parts use it, so that tests can run it as fast as they like. */

export interface Timers {
  nowMs(): number;
  /** Calls `run` after so long; returns how to take that back. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` when the screen is about to show something new; null: nobody tells here. */
  frame: ((run: () => void) => void) | null;
}

/** The browser's. Workers have animation frames, too; hidden pages get none, and old browsers. */
export const browserTimers: Timers = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  get frame() {
    if (typeof globalThis.requestAnimationFrame !== 'function') return null;
    return (run: () => void) => void globalThis.requestAnimationFrame(() => run());
  },
};
