/** What viewers see in place of a picture that was taken back: players of others know nothing of a pause. */

import { localUs } from '../session/index.ts';
import { playerWords } from '../words/player.ts';
import type { Size } from './geometry.ts';

const BACKGROUND = '#15181d';
const BARS = '#5f6b7a';
const INK = '#c8d0da';
/** Of a picture whose size is not known. */
const USUAL: Size = { width: 1_280, height: 720 };

/** A card of the picture's size; null where it cannot be drawn. */
export function cardOf(size: Size | null): VideoFrame | null {
  const { width, height } = size ?? USUAL;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) return null;
  context.fillStyle = BACKGROUND;
  context.fillRect(0, 0, width, height);
  const unit = Math.min(width / 16, height / 9);
  context.fillStyle = BARS;
  for (const side of [-0.55, 0.2]) {
    context.fillRect(width / 2 + side * unit, height / 2 - 1.6 * unit, unit * 0.35, unit * 1.2);
  }
  context.fillStyle = INK;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `${unit * 0.6}px system-ui, sans-serif`;
  context.fillText(playerWords().paused.title, width / 2, height / 2 + unit * 0.7, width * 0.9);
  return new VideoFrame(canvas, { timestamp: localUs() });
}
