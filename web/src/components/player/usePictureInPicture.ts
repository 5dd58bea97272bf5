import { useCallback, useEffect, useRef, useState } from 'react';

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

/** Picture in picture for a canvas, once it is `pictured`. */
export function usePictureInPicture(
  canvas: () => HTMLCanvasElement | null,
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

  const open = useCallback(async () => {
    const source = canvas();
    if (source === null) return;
    const video = new FloatingVideo(source);
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
  }, [canvas, redraw, release]);

  const toggle = useCallback(() => {
    if (document.pictureInPictureElement !== null) {
      document.exitPictureInPicture().catch(() => undefined);
    } else if (floating.current === null) {
      void open();
    }
  }, [open]);

  useEffect(() => release, [release]);

  const enabled = 'pictureInPictureEnabled' in document && document.pictureInPictureEnabled;
  return { active, toggle, available: enabled && pictured };
}
