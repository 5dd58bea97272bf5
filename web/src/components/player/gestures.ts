/** What fingers, mouse and wheel do to a picture; pure, the caller brings events and times. */

import type { Point } from './view.ts';

/** What is to be done. */
export type Wish =
  /** Moved so far, and made larger by so much around `at`. */
  | { kind: 'follow'; by: Point; factor: number; at: Point }
  /** A double tap. */
  | { kind: 'closer'; at: Point };

interface Touch {
  at: Point;
  beganAt: Point;
  beganMs: number;
}

/** A pointer that goes no further than this has not moved: hands tremble. */
const STILL_PX = 6;
const TAP_MS = 350;
/** Between two taps that are one double tap. */
const DOUBLE_MS = 350;
const DOUBLE_PX = 32;

export class Gestures {
  readonly #touches = new Map<number, Touch>();
  /** Whether more than a tap has come of what is going on. */
  #moving = false;
  #tapped: { at: Point; ms: number } | null = null;

  /** Whether a finger or a button is down. */
  get active(): boolean {
    return this.#touches.size > 0;
  }

  down(id: number, at: Point, nowMs: number): void {
    if (this.#touches.size === 0) this.#moving = false;
    else this.#moving = true;
    this.#touches.set(id, { at, beganAt: at, beganMs: nowMs });
  }

  move(id: number, at: Point): Wish | null {
    const touch = this.#touches.get(id);
    if (touch === undefined) return null;
    if (!this.#moving && distance(at, touch.beganAt) < STILL_PX) return null;
    this.#moving = true;
    const before = this.#grasp();
    touch.at = at;
    const after = this.#grasp();
    const by = { x: after.at.x - before.at.x, y: after.at.y - before.at.y };
    const factor = before.span > 0 ? after.span / before.span : 1;
    return { kind: 'follow', by, factor, at: after.at };
  }

  up(id: number, nowMs: number): Wish | null {
    const touch = this.#touches.get(id);
    this.#touches.delete(id);
    if (touch === undefined || this.#moving || nowMs - touch.beganMs > TAP_MS) {
      this.#tapped = null;
      return null;
    }
    const { at } = touch;
    const first = this.#tapped;
    const isSecond =
      first !== null && nowMs - first.ms < DOUBLE_MS && distance(first.at, at) < DOUBLE_PX;
    this.#tapped = isSecond ? null : { at, ms: nowMs };
    return isSecond ? { kind: 'closer', at } : null;
  }

  /** The browser has taken a pointer for something of its own. */
  cancel(id: number): void {
    this.#touches.delete(id);
    this.#tapped = null;
  }

  /** Where the touches are, all together, and how far from one another. */
  #grasp(): { at: Point; span: number } {
    const points = [...this.#touches.values()].map(({ at }) => at);
    const sum = points.reduce((one, { x, y }) => ({ x: one.x + x, y: one.y + y }), { x: 0, y: 0 });
    const at = { x: sum.x / points.length, y: sum.y / points.length };
    const spans = points.map((point) => distance(point, at));
    return { at, span: points.length < 2 ? 0 : spans.reduce((one, other) => one + other, 0) };
  }
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

/** How a turn of the wheel magnifies. A pinch on a touch pad comes as one with Ctrl, in small steps. */
export function wheelFactor(event: Pick<WheelEvent, 'deltaY' | 'deltaMode' | 'ctrlKey'>): number {
  const lines = event.deltaMode === 0 ? event.deltaY : event.deltaY * 32;
  const factor = Math.exp(-lines * (event.ctrlKey ? 0.01 : 0.002));
  return Math.min(Math.max(factor, 0.5), 2);
}
