import { useId, useMemo } from 'react';
import { encode } from 'uqr';
import { pathOf } from './modules.ts';

/** Modules of quiet ground around the code (ISO/IEC 18004, 6.3.8). */
const QUIET = 4;

/** Black on white in both themes: cameras do not read the reverse. */
export function QrCode({ text, title }: { text: string; title: string }) {
  const id = useId();
  const { size, data } = useMemo(() => encode(text, { ecc: 'L', border: QUIET }), [text]);
  return (
    <svg
      className="qr-code"
      role="img"
      aria-labelledby={id}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
    >
      <title id={id}>{title}</title>
      <rect width={size} height={size} fill="#fff" />
      <path d={pathOf(data)} fill="#000" />
    </svg>
  );
}
