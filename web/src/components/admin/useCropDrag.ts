import { type PointerEvent, useRef, useState } from 'react';
import { drawCrop, HANDLES, type Handle, moveCrop, resizeCrop } from '../../publish/crop-edit.ts';
import type { Crop, Size } from '../../publish/geometry.ts';

interface Point {
  x: number;
  y: number;
}

type Grip = { kind: 'move' } | { kind: 'draw' } | { kind: 'resize'; handle: Handle };

interface Drag {
  grip: Grip;
  from: Point;
  crop: Crop;
  moved: boolean;
}

/** A click that trembles is no drag. */
const TREMBLE_PX = 3;
/** Moving changes no size, so viewers may follow it live; not faster than this. */
const LIVE_MS = 80;

export interface CropDragOptions {
  source: Size;
  crop: Crop;
  aspect: number | null;
  onCommit: (crop: Crop) => void;
}

/**
 * Pointer handlers for the stage. What is dragged is read from `data-grip` of the element under the
 * pointer. `draft` is the crop while it is dragged.
 */
export function useCropDrag({ source, crop, aspect, onCommit }: CropDragOptions) {
  const drag = useRef<Drag | null>(null);
  const toldMs = useRef(0);
  const [draft, setDraft] = useState<Crop | null>(null);

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    const grip = gripOf(event.target);
    const from = pointIn(event, source);
    drag.current = { grip, from, crop, moved: false };
    event.currentTarget.setPointerCapture(event.pointerId);
  };

  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const current = drag.current;
    if (current === null) return;
    const to = pointIn(event, source);
    current.moved ||= travelled(current.from, to, event.currentTarget, source) > TREMBLE_PX;
    if (!current.moved) return;
    const next = dragged(current, to, source, aspect);
    setDraft(next);
    if (current.grip.kind === 'move' && event.timeStamp - toldMs.current > LIVE_MS) {
      toldMs.current = event.timeStamp;
      onCommit(next);
    }
  };

  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    const current = drag.current;
    drag.current = null;
    setDraft(null);
    if (current?.moved) onCommit(dragged(current, pointIn(event, source), source, aspect));
  };

  const onPointerCancel = () => {
    drag.current = null;
    setDraft(null);
  };

  return { draft, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel } };
}

function dragged({ grip, from, crop }: Drag, to: Point, source: Size, aspect: number | null): Crop {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  switch (grip.kind) {
    case 'move':
      return moveCrop(crop, dx, dy, source);
    case 'draw':
      return drawCrop(from, to, source, aspect);
    case 'resize':
      return resizeCrop(crop, grip.handle, { dx, dy }, source, aspect);
  }
}

function gripOf(target: EventTarget): Grip {
  const name =
    target instanceof Element ? target.closest('[data-grip]')?.getAttribute('data-grip') : null;
  const handle = HANDLES.find((one) => one === name);
  if (handle !== undefined) return { kind: 'resize', handle };
  return { kind: name === 'move' ? 'move' : 'draw' };
}

function pointIn(event: PointerEvent<HTMLElement>, source: Size): Point {
  const box = event.currentTarget.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) / box.width) * source.width,
    y: ((event.clientY - box.top) / box.height) * source.height,
  };
}

/** In pixels of the screen. */
function travelled(from: Point, to: Point, stage: Element, source: Size): number {
  const scale = stage.getBoundingClientRect().width / source.width;
  return Math.hypot(to.x - from.x, to.y - from.y) * scale;
}
