import { useCallback, useEffect, useRef, useState } from 'react';
import type { Surface } from '../../play/playback.ts';

/** A muted video of the canvas, which browsers let float above other windows. */
class FloatingVideo {
  readonly element = document.createElement('video');
  readonly #stream: MediaStream;

  constructor(canvas: HTMLCanvasElement) {
    this.#stream = canvas.captureStream();
    this.element.muted = true;
    this.element.autoplay = true;
    this.element.playsInline = true;
    this.element.srcObject = this.#stream;
  }

  /** Settles once the video has a size; `redraw` gives a still canvas something to capture. */
  async ready(redraw: () => void): Promise<void> {
    const loaded = new Promise((resolve) => {
      this.element.addEventListener('loadedmetadata', resolve, { once: true });
    });
    redraw();
    await Promise.all([loaded, this.element.play()]);
  }

  release(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.element.srcObject = null;
  }
}

/**
 * Picture in picture, once there is a picture. A video floats by itself, and whatever replaces it
 * goes on in its place; a canvas floats as a video of it.
 */
export function usePictureInPicture(
  surface: () => Surface | null,
  redraw: () => void,
  pictured: boolean,
) {
  const [active, setActive] = useState(false);
  const floating = useRef<FloatingVideo | null>(null);

  const release = useCallback(() => {
    floating.current?.release();
    floating.current = null;
    setActive(false);
  }, []);

  const floatCanvas = useCallback(
    async (canvas: HTMLCanvasElement) => {
      const video = new FloatingVideo(canvas);
      floating.current = video;
      video.element.addEventListener('leavepictureinpicture', release, { once: true });
      try {
        await video.ready(redraw);
        await video.element.requestPictureInPicture();
        setActive(true);
      } catch {
        // Refused or dismissed: the page's own picture was never gone.
        release();
      }
    },
    [redraw, release],
  );

  const toggle = useCallback(() => {
    const source = surface();
    if (document.pictureInPictureElement) {
      document.exitPictureInPicture().catch(() => undefined);
    } else if (source instanceof HTMLVideoElement) {
      source.requestPictureInPicture().catch(() => undefined);
    } else if (source !== null && floating.current === null) {
      void floatCanvas(source);
    }
  }, [surface, floatCanvas]);

  // Videos in the document tell of themselves.
  useEffect(() => {
    const changed = () => setActive(Boolean(document.pictureInPictureElement));
    document.addEventListener('enterpictureinpicture', changed);
    document.addEventListener('leavepictureinpicture', changed);
    return () => {
      document.removeEventListener('enterpictureinpicture', changed);
      document.removeEventListener('leavepictureinpicture', changed);
    };
  }, []);

  useEffect(() => release, [release]);

  const enabled = 'pictureInPictureEnabled' in document && document.pictureInPictureEnabled;
  return { active, toggle, available: enabled && pictured };
}
