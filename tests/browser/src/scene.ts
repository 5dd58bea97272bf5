/** The page that is captured: draws code and ruler over everything else it has. */

import { CODE, checksum, RULER, rulerBits, stampBits } from './code.ts';
import { pageScript } from './script.ts';

/** What tests can do to the scene, as `window.scene` of the captured page. */
export interface Scene {
  /** Draws a new code at every animation frame, or keeps the last. */
  moving: boolean;
  /** Draws a new code once. */
  draw(): void;
  /** As in the codes that it draws. */
  readonly id: number;
}

declare global {
  interface Window {
    scene?: Scene;
  }
}

interface SceneOptions {
  moving: boolean;
  code: typeof CODE;
  ruler: typeof RULER;
  /** A square of noise of this side moves as well, for more bits; 0: none. */
  noise: number;
}

/** For pages at `path`, or for the page that it is evaluated in. */
export function sceneScript(
  options: { moving?: boolean; noise?: number } = {},
  path?: string,
): string {
  const { moving = true, noise = 0 } = options;
  const given: SceneOptions = { moving, noise, code: CODE, ruler: RULER };
  const parts = [runScene, drawRuler, drawCode, drawNoise, rulerBits, stampBits, checksum];
  return pageScript(parts, given, path);
}

function runScene({ moving, code, ruler, noise }: SceneOptions): void {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return;
  const bits = rulerBits(ruler.order);
  let counter = 0;
  const draw = () => {
    counter = (counter + 1) % 256;
    const clock = Date.now() >>> 0;
    drawCode(context, stampBits({ clock, counter, scene: scene.id }), code);
    if (noise > 0) drawNoise(context, noise, code.x, code.y + code.rows * code.cell + 20);
  };
  const scene: Scene = { moving, draw, id: Math.floor(Math.random() * 65_536) };
  const fit = () => {
    canvas.width = innerWidth;
    canvas.height = innerHeight;
    drawRuler(context, bits, ruler);
    draw();
  };
  const tick = () => {
    if (scene.moving) draw();
    requestAnimationFrame(tick);
  };
  const show = () => {
    canvas.style.cssText =
      'position:fixed;left:0;top:0;z-index:2147483647;pointer-events:none;display:block';
    document.documentElement.append(canvas);
    fit();
    addEventListener('resize', fit);
    requestAnimationFrame(tick);
  };
  Object.defineProperty(window, 'scene', { value: scene, configurable: true });
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', show);
  else show();
}

function drawRuler(
  context: CanvasRenderingContext2D,
  bits: readonly boolean[],
  { period, thickness }: typeof RULER,
): void {
  const { width, height } = context.canvas;
  context.fillStyle = '#c0c0c0';
  context.fillRect(0, 0, width, height);
  // Down the columns first: across the rows wins where they meet.
  for (let y = 0; y < height; y += 1) {
    context.fillStyle = bits[y % bits.length] ? '#fff' : '#000';
    for (let x = 0; x < width; x += period) context.fillRect(x, y, thickness, 1);
  }
  for (let x = 0; x < width; x += 1) {
    context.fillStyle = bits[x % bits.length] ? '#fff' : '#000';
    for (let y = 0; y < height; y += period) context.fillRect(x, y, 1, thickness);
  }
}

export function drawCode(
  context: CanvasRenderingContext2D,
  bits: readonly boolean[],
  { x, y, cell, columns, rows }: typeof CODE,
): void {
  context.fillStyle = '#fff';
  context.fillRect(x - 4, y - 4, columns * cell + 8, rows * cell + 8);
  context.fillStyle = '#000';
  bits.forEach((bit, at) => {
    if (!bit) return;
    context.fillRect(x + (at % columns) * cell, y + Math.floor(at / columns) * cell, cell, cell);
  });
}

function drawNoise(context: CanvasRenderingContext2D, side: number, x: number, y: number): void {
  const grain = 4;
  for (let at = 0; at < (side / grain) ** 2; at += 1) {
    context.fillStyle = Math.random() < 0.5 ? '#444' : '#bbb';
    const column = at % (side / grain);
    context.fillRect(x + column * grain, y + Math.floor(at / (side / grain)) * grain, grain, grain);
  }
}
