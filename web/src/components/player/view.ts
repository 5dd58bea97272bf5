/**
 * Where a viewer looks: how large the picture is shown, and which part of it. Kept in shares of the
 * picture, so that it stays whatever becomes of picture, window and connection. Pure; lengths are pixels
 * of the page.
 */

export interface Size {
  width: number;
  height: number;
}

/** From the middle of the window. */
export interface Point {
  x: number;
  y: number;
}

export interface View {
  /** 1: as large as it is by itself. */
  zoom: number;
  /** What lies in the middle of the window, from 0 to 1 across and down the picture. */
  x: number;
  y: number;
}

export interface Frame {
  /** What the picture is shown in. */
  window: Size;
  /** In its own pixels. */
  picture: Size;
  /** Whether it fills the window by itself, so that parts lie beyond; else all of it is to be seen. */
  fill: boolean;
}

export const WHOLE: View = { zoom: 1, x: 0.5, y: 0.5 };

/** Beyond, or four pixels of the page for one of the picture, there is nothing more to be seen. */
const MOST_ZOOM = 8;
const MOST_PER_PIXEL = 4;
/** What a double tap magnifies by, at least. */
const CLOSE_ZOOM = 2;

/** Pixels of the page for one of the picture, as it is by itself. */
function ownScale({ window, picture, fill }: Frame): number {
  const ratios = [window.width / picture.width, window.height / picture.height];
  return fill ? Math.max(...ratios) : Math.min(...ratios);
}

/** How large the picture is shown. */
export function shownSize({ zoom }: View, frame: Frame): Size {
  const scale = ownScale(frame) * zoom;
  return { width: frame.picture.width * scale, height: frame.picture.height * scale };
}

/** Whether parts of the picture lie beyond the window, so that it can be moved. */
export function isLarger(view: View, frame: Frame): boolean {
  const { width, height } = shownSize(view, frame);
  // Rounding is no reason to move anything.
  return width > frame.window.width + 1 || height > frame.window.height + 1;
}

/** The nearest view that leaves no room empty that the picture could fill. */
export function within(view: View, frame: Frame): View {
  const most = Math.max(MOST_ZOOM, MOST_PER_PIXEL / ownScale(frame));
  const zoom = Math.min(Math.max(view.zoom, 1), most);
  const { width, height } = shownSize({ ...view, zoom }, frame);
  return {
    zoom,
    x: inside(view.x, frame.window.width / width),
    y: inside(view.y, frame.window.height / height),
  };
}

/** `share`: how much of the picture the window has room for. */
function inside(middle: number, share: number): number {
  if (share >= 1) return 0.5;
  return Math.min(Math.max(middle, share / 2), 1 - share / 2);
}

/** With another zoom; what is at `point` stays there. */
export function zoomed(view: View, frame: Frame, zoom: number, point: Point): View {
  const before = shownSize(view, frame);
  const bounded = within({ ...view, zoom }, frame).zoom;
  const after = shownSize({ ...view, zoom: bounded }, frame);
  return within(
    {
      zoom: bounded,
      x: view.x + point.x / before.width - point.x / after.width,
      y: view.y + point.y / before.height - point.y / after.height,
    },
    frame,
  );
}

/** With the picture moved so far. */
export function moved(view: View, frame: Frame, { x, y }: Point): View {
  const { width, height } = shownSize(view, frame);
  return within({ ...view, x: view.x - x / width, y: view.y - y / height }, frame);
}

/**
 * What a double tap at `point` makes of it: close enough to see each pixel, or as it was by itself.
 * `density`: pixels of the screen for one of the page.
 */
export function closer(view: View, frame: Frame, point: Point, density: number): View {
  if (view.zoom > 1.01) return WHOLE;
  const toThePixel = 1 / (ownScale(frame) * density);
  return zoomed(view, frame, Math.max(CLOSE_ZOOM, toThePixel), point);
}

/** Where the picture lies: its upper left corner from that of the window, and its size. */
export type Placement = Point & Size;

/**
 * On whole pixels of the screen, so that what is shown pixel by pixel is not smeared over two. The
 * picture is to be laid out in this size: one that is scaled afterwards has been rounded before.
 */
export function placement(view: View, frame: Frame, density: number): Placement {
  const { width, height } = shownSize(view, frame);
  const whole = (length: number) => Math.round(length * density) / density || 0;
  return {
    x: whole(frame.window.width / 2 - view.x * width),
    y: whole(frame.window.height / 2 - view.y * height),
    width: whole(width),
    height: whole(height),
  };
}
