/**
 * The place where connections' videos are shown: always one picture, and the next one only once it
 * is there. A video element that is given another stream goes blank meanwhile; so every connection
 * has an element of its own, and the new one waits under the old one for its first frame.
 */

import { Sampler } from '../look.ts';
import { isEarlier } from './rtp-time.ts';
import { StreamVideo, type VideoFrameFacts } from './video.ts';

export interface ScreenListener {
  /** Whether a stream that waits has caught up: what comes first may be long past. */
  isCurrent: (stream: MediaStream, frame: VideoFrameFacts) => boolean;
  /** A frame of the shown video; `stream` is whose. */
  onFrame: (stream: MediaStream, frame: VideoFrameFacts) => void;
  /** This stream is shown from now on; whatever was before it can go. */
  onShown: (stream: MediaStream) => void;
  onBlocked: (blocked: boolean) => void;
}

/** How long a new connection that brings nothing but black is waited for: the host may share black. */
const BLACK_MS = 1_000;

/**
 * A new connection shows what was before it joined, in a rush: its last frame is enough, which is
 * the one after that nothing comes for so long, but it is not waited for longer than that.
 */
const UNDER_PICTURE = { settledMs: 250, patienceMs: 1_000 };
/** Where there is no picture yet, one that is near is better than none. */
const UNDER_NOTHING = { settledMs: 40, patienceMs: 250 };

interface Waiting {
  video: StreamVideo;
  /** When its first frame came, and its newest one. */
  firstMs: number | null;
  frame: VideoFrameFacts | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Screen {
  readonly #place: HTMLElement;
  readonly #listener: ScreenListener;
  readonly #sampler = new Sampler();
  readonly #waiting = new Map<MediaStream, Waiting>();
  #shown: { stream: MediaStream; video: StreamVideo } | null = null;
  /** RTP timestamp of the newest frame that was shown; null: not told. */
  #shownTime: number | null = null;
  /** A copy of the last picture that covers a video whose connection has ended. */
  #still: HTMLCanvasElement | null = null;

  constructor(place: HTMLElement, listener: ScreenListener) {
    this.#place = place;
    this.#listener = listener;
  }

  /** The element with the picture; null: none so far. */
  get surface(): HTMLVideoElement | null {
    return this.#shown?.video.element ?? null;
  }

  /** Shows this stream as soon as it has a picture. */
  bring(stream: MediaStream): void {
    const video = new StreamVideo(stream, {
      onFrame: (from, frame) => this.#framed(stream, from, frame),
      onBlocked: (blocked) => this.#listener.onBlocked(blocked),
    });
    this.#waiting.set(stream, { video, firstMs: null, frame: null, timer: undefined });
    this.#place.prepend(video.element);
    void video.play();
  }

  /** To be called before a stream's connection is closed: if it is shown, its picture stays. */
  part(stream: MediaStream): void {
    if (this.#shown?.stream === stream) this.freeze();
    const waiting = this.#waiting.get(stream);
    clearTimeout(waiting?.timer);
    waiting?.video.remove();
    this.#waiting.delete(stream);
  }

  /** Plays what the browser would not play by itself; to be called at a viewer's gesture. */
  resume(): void {
    for (const { video } of this.#waiting.values()) void video.play();
    if (this.#shown !== null) void this.#shown.video.play();
  }

  /** How many frames a stream's video has shown; null: the browser does not tell. */
  framesShown(stream: MediaStream): number | null {
    const shown = this.#shown?.stream === stream ? this.#shown.video : null;
    return (shown ?? this.#waiting.get(stream)?.video)?.framesShown ?? null;
  }

  /** Whether nothing is to be seen of the shown video; null: there is none to look at yet. */
  look(): boolean | null {
    const video = this.#shown?.video;
    return video?.pictured ? this.#sampler.isBlank(video.element) : null;
  }

  /** Keeps the picture, whatever becomes of its connection, until another one is shown. */
  freeze(): void {
    if (this.#shown === null || this.#still !== null || !this.#shown.video.pictured) return;
    const video = this.#shown.video.element;
    const still = document.createElement('canvas');
    still.className = 'player-picture';
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d')?.drawImage(video, 0, 0);
    this.#shown.video.retire();
    this.#place.append(still);
    this.#still = still;
  }

  #framed(stream: MediaStream, video: StreamVideo, frame: VideoFrameFacts): void {
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) {
      if (this.#shown?.video === video) this.#tell(stream, frame);
      return;
    }
    waiting.frame = frame;
    clearTimeout(waiting.timer);
    const waitMs = this.#waitMs(stream, waiting, frame);
    if (waitMs <= 0) this.#swap(stream);
    else waiting.timer = setTimeout(() => this.#swap(stream), waitMs);
  }

  /** How long the newest frame of a stream is held back, if no other one comes. */
  #waitMs(stream: MediaStream, waiting: Waiting, frame: VideoFrameFacts): number {
    waiting.firstMs ??= performance.now();
    const waitedMs = performance.now() - waiting.firstMs;
    const current = this.#listener.isCurrent(stream, frame);
    if (this.#shown !== null && this.#sampler.isBlank(waiting.video.element)) {
      return BLACK_MS - waitedMs;
    }
    const { settledMs, patienceMs } = this.#shown === null ? UNDER_NOTHING : UNDER_PICTURE;
    if (this.#isPast(frame)) {
      // A connection that stays behind the one before it would be so for good: that one stops.
      if (waitedMs >= patienceMs) this.freeze();
      return 2 * patienceMs - waitedMs;
    }
    return current ? 0 : Math.min(settledMs, patienceMs - waitedMs);
  }

  /** Whether viewers have seen something newer: the picture never goes back. */
  #isPast({ rtpTimestamp }: VideoFrameFacts): boolean {
    if (rtpTimestamp === null || this.#shownTime === null) return false;
    return isEarlier(rtpTimestamp, this.#shownTime);
  }

  #tell(stream: MediaStream, frame: VideoFrameFacts): void {
    this.#shownTime = frame.rtpTimestamp;
    this.#listener.onFrame(stream, frame);
  }

  #swap(stream: MediaStream): void {
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) return;
    const { video, frame } = waiting;
    clearTimeout(waiting.timer);
    this.#waiting.delete(stream);
    const before = this.#shown;
    this.#shown = { stream, video };
    if (before !== null) this.#takeOver(before.video, video);
    this.#still?.remove();
    this.#still = null;
    this.#listener.onShown(stream);
    if (frame !== null) this.#tell(stream, frame);
  }

  /** The old video goes; where it floats above other windows, the new one does so in its place. */
  #takeOver(before: StreamVideo, video: StreamVideo): void {
    before.retire();
    if (document.pictureInPictureElement !== before.element) {
      before.remove();
      return;
    }
    before.element.style.visibility = 'hidden';
    const gone = () => before.remove();
    video.element.requestPictureInPicture().then(gone, gone);
  }
}
