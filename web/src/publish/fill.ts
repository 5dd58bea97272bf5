/**
 * A crop of which the source has only a part at present. Viewers see that part where it always was,
 * and black where the rest would be: the picture keeps its size, and nothing else slides in.
 */

import type { Crop, Size } from './geometry.ts';

/** How a plane lies over the picture. */
interface Plane {
  /** Pixels of the picture for one of its samples, across and down. */
  across: number;
  down: number;
  bytes: number;
  black: 'luma' | 'chroma' | 'opaque' | 'colours';
}

const LUMA: Plane = { across: 1, down: 1, bytes: 1, black: 'luma' };
const OPAQUE: Plane = { ...LUMA, black: 'opaque' };
const COLOURS: Plane = { across: 1, down: 1, bytes: 4, black: 'colours' };

function chroma(across: number, down: number, bytes = 1): Plane {
  return { across, down, bytes, black: 'chroma' };
}

/** Those that browsers capture in. */
const FORMATS: Readonly<Record<string, readonly Plane[]>> = {
  I420: [LUMA, chroma(2, 2), chroma(2, 2)],
  I420A: [LUMA, chroma(2, 2), chroma(2, 2), OPAQUE],
  I422: [LUMA, chroma(2, 1), chroma(2, 1)],
  I444: [LUMA, chroma(1, 1), chroma(1, 1)],
  NV12: [LUMA, chroma(2, 2, 2)],
  RGBA: [COLOURS],
  RGBX: [COLOURS],
  BGRA: [COLOURS],
  BGRX: [COLOURS],
};

export interface Canvas {
  data: Uint8Array<ArrayBuffer>;
  layout: PlaneLayout[];
}

/** A black picture of this size, which is even; null: it is not known what the format is like. */
export function blackCanvas(format: string, size: Size, fullRange: boolean): Canvas | null {
  const planes = FORMATS[format];
  if (planes === undefined) return null;
  const layout: PlaneLayout[] = [];
  let end = 0;
  for (const { across, down, bytes } of planes) {
    const stride = (size.width / across) * bytes;
    layout.push({ offset: end, stride });
    end += stride * (size.height / down);
  }
  const data = new Uint8Array(end);
  planes.forEach(({ black }, at) => {
    const from = layout[at]?.offset ?? 0;
    const plane = data.subarray(from, layout[at + 1]?.offset ?? end);
    if (black === 'luma') plane.fill(fullRange ? 0 : 16);
    else if (black === 'chroma') plane.fill(128);
    else if (black === 'opaque') plane.fill(255);
    else for (let alpha = 3; alpha < plane.length; alpha += 4) plane[alpha] = 255;
  });
  return { data, layout };
}

/**
 * A picture of this size with this part of the frame in its top left corner; the frame stays the
 * caller's. null where the browser does not let its pixels be read.
 */
export async function filled(
  frame: VideoFrame,
  part: Crop,
  size: Size,
): Promise<VideoFrame | null> {
  const { format, timestamp, colorSpace } = frame;
  if (format === null) return null;
  const canvas = blackCanvas(format, size, colorSpace.fullRange === true);
  if (canvas === null) return null;
  const { data, layout } = canvas;
  try {
    await frame.copyTo(data, { rect: part, layout });
    return new VideoFrame(data, {
      format,
      layout,
      codedWidth: size.width,
      codedHeight: size.height,
      colorSpace,
      timestamp,
      transfer: [data.buffer],
    });
  } catch {
    return null;
  }
}
