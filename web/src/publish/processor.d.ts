/** Frames of a track as a stream that can be transferred; the platform types lack it still. */
interface MediaStreamTrackProcessor {
  readonly readable: ReadableStream<VideoFrame>;
}

declare var MediaStreamTrackProcessor: {
  new (init: { track: MediaStreamTrack; maxBufferSize?: number }): MediaStreamTrackProcessor;
};

/** Members that the platform types lack. */
interface VideoFrameBufferInit {
  transfer?: ArrayBuffer[];
}
