import { useEffect, useRef, useState } from 'react';
import type { Size } from '../../publish/geometry.ts';
import type { ShareService } from '../../services/AdminScreenShareService.ts';
import { hostWords } from '../../words/host.ts';

export interface PreviewCanvasProps {
  service: ShareService;
  /** Told when the source's size becomes known or changes. */
  onSource: (source: Size) => void;
}

/** Draws the host's small pictures; asks for them only while it is mounted. */
export function PreviewCanvas({ service, onSource }: PreviewCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drawn, setDrawn] = useState(false);
  const tell = useRef(onSource);
  tell.current = onSource;
  useEffect(
    () =>
      service.watchPreview(({ bitmap, width, height }) => {
        if (canvas.current !== null) draw(canvas.current, bitmap);
        bitmap.close();
        setDrawn(true);
        tell.current({ width, height });
      }),
    [service],
  );
  return (
    <canvas
      ref={canvas}
      className="preview"
      data-drawn={drawn}
      role="img"
      aria-label={hostWords().panel.preview}
    />
  );
}

function draw(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
  if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
  canvas.getContext('2d', { alpha: false })?.drawImage(bitmap, 0, 0);
}
