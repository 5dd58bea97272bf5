import {
  type CSSProperties,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { Gestures, type Wish, wheelFactor } from './gestures.ts';
import {
  closer,
  type Frame,
  isLarger,
  moved,
  type Point,
  placement,
  type Size,
  type View,
  WHOLE,
  within,
  zoomed,
} from './view.ts';

/** What a key magnifies by, and how much of the window it moves by. */
const STEP_ZOOM = 1.25;
const STEP_MOVE = 0.15;

export interface Looking {
  /** Of the box that the picture is in. */
  style: CSSProperties;
  /** 1: as large as it is by itself. */
  zoom: number;
  /** Whether it can be moved. */
  larger: boolean;
  magnify: (steps: number) => void;
  /** To the left and up where negative, as one who walks on a map. */
  walk: (right: number, down: number) => void;
  whole: () => void;
}

/**
 * Lets the viewer look closer: fingers, mouse and wheel in the element that `place` gives, besides what
 * it returns for keys and buttons. `picture`: its size; null: there is none yet.
 */
export function useView(
  place: RefObject<HTMLElement | null>,
  picture: Size | null,
  fill: boolean,
): Looking {
  const [view, setView] = useState<View>(WHOLE);
  /** Whether the last change was one step, which the eye can follow only when it takes its time. */
  const [stepped, setStepped] = useState(false);
  const size = useSize(place);
  const frame = picture === null || size === null ? null : { window: size, picture, fill };

  const change = (next: (view: View, frame: Frame) => View, step: boolean) => {
    if (frame === null) return;
    setStepped(step);
    // From the newest view: two changes may come before the page is drawn.
    setView((newest) => next(within(newest, frame), frame));
  };
  const magnify = (factor: number, point: Point, step: boolean) =>
    change((from, to) => zoomed(from, to, from.zoom * factor, point), step);

  useGestures(place, {
    wish: (wish) => {
      if (wish.kind === 'closer') {
        change((from, to) => closer(from, to, wish.at, devicePixelRatio), true);
      } else {
        const { by, factor, at } = wish;
        change((from, to) => zoomed(moved(from, to, by), to, from.zoom * factor, at), false);
      }
    },
    turn: (factor, at) => {
      // Further out there is nothing: the page may have the wheel.
      if (frame === null || (factor < 1 && view.zoom <= 1)) return false;
      magnify(factor, at, false);
      return true;
    },
  });

  const seen = frame === null ? view : within(view, frame);
  return {
    style: frame === null ? {} : styleOf(seen, frame, stepped),
    zoom: seen.zoom,
    larger: frame !== null && isLarger(seen, frame),
    magnify: (steps) => magnify(STEP_ZOOM ** steps, { x: 0, y: 0 }, true),
    walk: (right, down) =>
      change((from, to) => {
        const { width, height } = to.window;
        const by = { x: -right * width * STEP_MOVE, y: -down * height * STEP_MOVE };
        return moved(from, to, by);
      }, true),
    whole: () => change(() => WHOLE, true),
  };
}

function styleOf(view: View, frame: Frame, stepped: boolean): CSSProperties {
  // By itself the picture finds its place without anybody's reckoning, in the moment that it has another size.
  if (view.zoom === 1 && !frame.fill) return {};
  const { x, y, width, height } = placement(view, frame, devicePixelRatio);
  return {
    width: `${width}px`,
    height: `${height}px`,
    transform: `translate(${x}px, ${y}px)`,
    ...(stepped && { transition: 'all var(--quick)' }),
  };
}

/** The element's size, as it changes; null: not known yet. */
function useSize(place: RefObject<HTMLElement | null>): Size | null {
  const [size, setSize] = useState<Size | null>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null || !('ResizeObserver' in globalThis)) return;
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      setSize(width > 0 && height > 0 ? { width, height } : null);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return size;
}

interface Listener {
  wish: (wish: Wish) => void;
  /** Of the wheel; returns whether anything came of it. */
  turn: (factor: number, at: Point) => boolean;
}

function useGestures(place: RefObject<HTMLElement | null>, listener: Listener): void {
  // The newest listener without listening anew for every render.
  const newest = useRef(listener);
  // Together with what it draws: any other effect may come after the next key.
  useLayoutEffect(() => {
    newest.current = listener;
  });

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const gestures = new Gestures();
    const over = new AbortController();
    const { signal } = over;
    const tell = (wish: Wish | null) => {
      if (wish !== null) newest.current.wish(wish);
    };
    element.addEventListener(
      'pointerdown',
      (event) => {
        if (event.button !== 0) return;
        // So that a picture that is dragged beyond its window goes on following.
        element.setPointerCapture?.(event.pointerId);
        gestures.down(event.pointerId, pointIn(element, event), event.timeStamp);
      },
      { signal },
    );
    element.addEventListener(
      'pointermove',
      (event) => tell(gestures.move(event.pointerId, pointIn(element, event))),
      { signal },
    );
    element.addEventListener(
      'pointerup',
      (event) => tell(gestures.up(event.pointerId, event.timeStamp)),
      { signal },
    );
    element.addEventListener('pointercancel', ({ pointerId }) => gestures.cancel(pointerId), {
      signal,
    });
    // Else the page itself would be scrolled or magnified besides.
    element.addEventListener(
      'wheel',
      (event) => {
        const turned = newest.current.turn(wheelFactor(event), pointIn(element, event));
        if (turned || event.ctrlKey) event.preventDefault();
      },
      { signal, passive: false },
    );
    return () => over.abort();
  }, [place]);
}

/** From the element's middle. */
function pointIn(element: HTMLElement, { clientX, clientY }: MouseEvent): Point {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
}
