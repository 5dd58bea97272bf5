import { type PointerEvent, useEffect, useRef, useState } from 'react';

interface ScreenShareCropperProps {
  source: MediaStream;
  onCropped: (stream: MediaStream) => void;
}

/** In pixels of the source. */
interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
}

const SMALLEST = 16;

export function ScreenShareCropper({ source, onCropped }: ScreenShareCropperProps) {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const crop = useRef<Crop | null>(null);
  const [corner, setCorner] = useState<{ x: number; y: number } | null>(null);

  useEffect(() => {
    const [shown, drawn] = [video.current, canvas.current];
    const context = drawn?.getContext('2d', { alpha: false });
    if (shown === null || drawn === null || context == null) return;
    shown.srcObject = source;
    let frame = 0;
    let begun = false;
    const draw = () => {
      frame = requestAnimationFrame(draw);
      if (shown.videoWidth === 0) return;
      const whole = { x: 0, y: 0, width: shown.videoWidth, height: shown.videoHeight };
      const { x, y, width, height } = crop.current ?? whole;
      if (drawn.width !== width) drawn.width = width;
      if (drawn.height !== height) drawn.height = height;
      context.drawImage(shown, x, y, width, height, 0, 0, width, height);
      if (begun) return;
      begun = true;
      const cropped = drawn.captureStream(30);
      for (const track of cropped.getVideoTracks()) track.contentHint = 'detail';
      onCropped(cropped);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [source, onCropped]);

  const at = ({ currentTarget, clientX, clientY }: PointerEvent<HTMLVideoElement>) => {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    return {
      x: Math.round(((clientX - left) / width) * currentTarget.videoWidth),
      y: Math.round(((clientY - top) / height) * currentTarget.videoHeight),
    };
  };
  const finish = (event: PointerEvent<HTMLVideoElement>) => {
    if (corner === null) return;
    const { x, y } = at(event);
    const [width, height] = [Math.abs(x - corner.x), Math.abs(y - corner.y)];
    const small = width < SMALLEST || height < SMALLEST;
    crop.current = small
      ? null
      : { x: Math.min(x, corner.x), y: Math.min(y, corner.y), width, height };
    setCorner(null);
  };

  return (
    <div className="cropper">
      <p>Drag over the picture to choose a part, click it to share all of it.</p>
      <video
        ref={video}
        autoPlay
        muted
        playsInline
        onPointerDown={(event) => setCorner(at(event))}
        onPointerUp={finish}
      />
      <canvas ref={canvas} hidden />
    </div>
  );
}
