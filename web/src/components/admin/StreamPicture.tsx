import { useEffect, useRef } from 'react';
import type { Size } from '../../publish/geometry.ts';
import { hostWords } from '../../words/host.ts';

export interface StreamPictureProps {
  stream: MediaStream | null;
  /** Told when the picture's size becomes known or changes; null: there is no picture any more. */
  onSource: (source: Size | null) => void;
}

/** Shows a stream as it is. */
export function StreamPicture({ stream, onSource }: StreamPictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  const tell = useRef(onSource);
  tell.current = onSource;
  useEffect(() => {
    const shown = video.current;
    if (shown === null) return;
    shown.srcObject = stream;
    if (stream === null) tell.current(null);
    return () => {
      shown.srcObject = null;
    };
  }, [stream]);
  return (
    <video
      ref={video}
      className="preview"
      data-drawn={stream !== null}
      aria-label={hostWords().panel.preview}
      muted
      autoPlay
      playsInline
      onResize={({ currentTarget: { videoWidth, videoHeight } }) => {
        if (videoWidth > 0) tell.current({ width: videoWidth, height: videoHeight });
      }}
    />
  );
}
