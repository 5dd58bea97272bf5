/** A video element that plays one connection's stream, muted and without controls. */

/** A frame as it is given to the screen; what the browser does not tell is null. */
export interface VideoFrameFacts {
  width: number;
  height: number;
  rtpTimestamp: number | null;
  /** When its last packet came, on the page's clock. */
  receivedMs: number | null;
  /** How many frames were given to the screen so far. */
  count: number;
}

type OptionalFacts = 'rtpTimestamp' | 'receiveTime';

export interface StreamVideoListener {
  onFrame: (video: StreamVideo, frame: VideoFrameFacts) => void;
  /** Whether the browser wants a touch or a click first. */
  onBlocked: (blocked: boolean) => void;
}

export class StreamVideo {
  readonly element = document.createElement('video');
  readonly #listener: StreamVideoListener;
  #over = false;
  #pictured = false;
  #framesShown = 0;
  /** Whether any of it is in sight: what is scrolled away is shown nothing. */
  #inSight = false;
  readonly #sight: IntersectionObserver;

  constructor(stream: MediaStream, listener: StreamVideoListener) {
    this.#listener = listener;
    const video = this.element;
    video.className = 'player-picture';
    video.defaultMuted = true;
    video.muted = true;
    video.autoplay = true;
    video.playsInline = true;
    video.srcObject = stream;
    // A live picture is never paused; closing a floating window, for one, does it all the same.
    video.addEventListener('pause', () => this.#goOn());
    video.addEventListener('leavepictureinpicture', () => this.#goOn());
    if ('requestVideoFrameCallback' in video) this.#follow();
    this.#sight = new IntersectionObserver((entries) => {
      this.#inSight = entries.at(-1)?.isIntersecting ?? false;
    });
    this.#sight.observe(video);
    // Hidden pages are given no frames to show, and old browsers do not tell of them.
    video.addEventListener('loadeddata', () => {
      this.#pictured = true;
      if (document.hidden || !('requestVideoFrameCallback' in video))
        this.#tell({ presentedFrames: 1 });
    });
  }

  /** Whether it ever had a picture that can be looked at: of its first frame it tells before. */
  get pictured(): boolean {
    return this.#pictured;
  }

  /** How many times the browser told of new frames; null: it does not tell, or has no reason to. */
  get framesShown(): number | null {
    const { element } = this;
    const tells = 'requestVideoFrameCallback' in element;
    // Another window has what it shows.
    const floats = document.pictureInPictureElement === element;
    return tells && this.#inSight && !floats && !element.paused ? this.#framesShown : null;
  }

  /** To be called once it is in the document, and after the viewer's gesture when blocked. */
  async play(): Promise<void> {
    try {
      await this.element.play();
      if (!this.#over) this.#listener.onBlocked(false);
    } catch (error) {
      const blocked = error instanceof DOMException && error.name === 'NotAllowedError';
      if (blocked && !this.#over) this.#listener.onBlocked(true);
    }
  }

  /** Says no more. The picture stays as long as its connection is open. */
  retire(): void {
    this.#over = true;
  }

  remove(): void {
    this.#over = true;
    this.#sight.disconnect();
    this.element.remove();
    this.element.srcObject = null;
  }

  #goOn(): void {
    const floats = document.pictureInPictureElement === this.element;
    if (!this.#over && !floats && this.element.paused) void this.play();
  }

  #follow(): void {
    this.element.requestVideoFrameCallback((_, metadata) => {
      if (this.#over) return;
      this.#framesShown += 1;
      this.#follow();
      this.#tell(metadata);
    });
  }

  #tell(metadata: Pick<VideoFrameCallbackMetadata, 'presentedFrames' | OptionalFacts>): void {
    if (this.#over) return;
    const { videoWidth: width, videoHeight: height } = this.element;
    const { presentedFrames: count, rtpTimestamp = null, receiveTime = null } = metadata;
    this.#listener.onFrame(this, { width, height, rtpTimestamp, receivedMs: receiveTime, count });
  }
}
