import type { KeyboardEvent } from 'react';
import { moveCrop, resizeCrop } from '../../publish/crop-edit.ts';
import type { Deed } from '../../publish/crop-history.ts';
import type { Crop, Size } from '../../publish/geometry.ts';

const ARROWS: Record<string, { dx: number; dy: number }> = {
  ArrowLeft: { dx: -1, dy: 0 },
  ArrowRight: { dx: 1, dy: 0 },
  ArrowUp: { dx: 0, dy: -1 },
  ArrowDown: { dx: 0, dy: 1 },
};
/** Source pixels a key press moves; with Ctrl for the last bit. */
const STEP = 16;
const FINE_STEP = 2;

/** The crop after a key, or null when the key means nothing here. */
export function cropAfterKey(
  key: string,
  { shift, fine }: { shift: boolean; fine: boolean },
  crop: Crop,
  source: Size,
  aspect: number | null,
): Crop | null {
  const arrow = ARROWS[key];
  if (arrow === undefined) return null;
  const step = fine ? FINE_STEP : STEP;
  const move = { dx: arrow.dx * step, dy: arrow.dy * step };
  if (!shift) return moveCrop(crop, move.dx, move.dy, source);
  return resizeCrop(crop, arrow.dx === 0 ? 's' : 'e', move, source, aspect);
}

/** Arrows move, Shift and arrows resize. A key that is held makes one change of it all. */
export function cropKeys(options: {
  crop: Crop;
  source: Size;
  aspect: number | null;
  onCommit: (crop: Crop, deed: Deed, joins: boolean) => void;
}) {
  return (event: KeyboardEvent) => {
    const { crop, source, aspect } = options;
    const modifiers = { shift: event.shiftKey, fine: event.ctrlKey || event.metaKey };
    const next = cropAfterKey(event.key, modifiers, crop, source, aspect);
    if (next === null) return;
    event.preventDefault();
    options.onCommit(next, { kind: event.shiftKey ? 'resize' : 'move' }, event.repeat);
  };
}
