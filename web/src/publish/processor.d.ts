/**
 * What a track gives, as a stream that can be transferred: VideoFrame or AudioData, by the track's kind. The
 * platform types lack it still.
 */
interface MediaStreamTrackProcessor<Data> {
  readonly readable: ReadableStream<Data>;
}

declare var MediaStreamTrackProcessor: {
  new <Data = VideoFrame>(init: {
    track: MediaStreamTrack;
    maxBufferSize?: number;
  }): MediaStreamTrackProcessor<Data>;
};

/** Members that the platform types lack. */
interface VideoFrameBufferInit {
  transfer?: ArrayBuffer[];
}
