import { type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react';
import {
  drawCrop,
  HANDLES,
  type Handle,
  isMeant,
  moveCrop,
  resizeCrop,
} from '../../publish/crop-edit.ts';
import type { Deed } from '../../publish/crop-history.ts';
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
  /** While it is moved, several times a second. */
  onFollow: (crop: Crop) => void;
  onCommit: (crop: Crop, deed: Deed) => void;
  /** It is to be as before the drag. */
  onCancel: () => void;
}

/** What a drag has come to. */
export interface CropDraft {
  crop: Crop;
  /** Too small to be meant: let go of now, it changes nothing. */
  slip: boolean;
}

/**
 * Pointer handlers for the stage. What is dragged is read from `data-grip` of the element under the
 * pointer. `draft` is the crop while it is dragged. Escape ends a drag as if it had never begun.
 */
export function useCropDrag(options: CropDragOptions) {
  const { source, crop, aspect, onFollow, onCommit, onCancel } = options;
  const drag = useRef<Drag | null>(null);
  const follow = useThrottled(onFollow);
  const [draft, setDraft] = useState<CropDraft | null>(null);

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
    if (current.grip.kind === 'move') follow.soon(next.crop);
  };

  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    const current = drag.current;
    drag.current = null;
    follow.cancel();
    setDraft(null);
    if (!current?.moved) return;
    const next = dragged(current, pointIn(event, source), source, aspect);
    if (!next.slip) onCommit(next.crop, { kind: current.grip.kind });
  };

  const cancel = () => {
    drag.current = null;
    follow.cancel();
    setDraft(null);
    onCancel();
  };
  useKeysWhile(drag, cancel);

  const handlers = { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: cancel };
  return { draft, handlers };
}

/** Tells the newest crop, no more often than viewers are shown one, and the last one for sure. */
function useThrottled(tell: (crop: Crop) => void) {
  const latest = useRef(tell);
  latest.current = tell;
  const [throttle] = useState(() => {
    let toldMs = Number.NEGATIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => clearTimeout(timer);
    const soon = (crop: Crop) => {
      cancel();
      const act = () => {
        toldMs = performance.now();
        latest.current(crop);
      };
      const waitMs = toldMs + LIVE_MS - performance.now();
      if (waitMs <= 0) act();
      else timer = setTimeout(act, waitMs);
    };
    return { soon, cancel };
  });
  useEffect(() => throttle.cancel, [throttle]);
  return throttle;
}

/** While something is held with the pointer, no key changes it but Escape. */
function useKeysWhile(drag: RefObject<Drag | null>, onEscape: () => void): void {
  const latest = useRef(onEscape);
  latest.current = onEscape;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (drag.current === null) return;
      event.stopPropagation();
      if (event.key !== 'Escape') return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener('keydown', listener, { capture: true });
    return () => window.removeEventListener('keydown', listener, { capture: true });
  }, [drag]);
}

function dragged(drag: Drag, to: Point, source: Size, aspect: number | null): CropDraft {
  const { grip, from, crop } = drag;
  const move = { dx: to.x - from.x, dy: to.y - from.y };
  switch (grip.kind) {
    case 'move':
      return { crop: moveCrop(crop, move.dx, move.dy, source), slip: false };
    case 'draw': {
      const drawn = drawCrop(from, to, source, aspect);
      return { crop: drawn, slip: !isMeant(drawn, source) };
    }
    case 'resize':
      return { crop: resizeCrop(crop, grip.handle, move, source, aspect), slip: false };
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
