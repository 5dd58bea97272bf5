/** What a player really plays: what its page gives to the browser's output, and when that is heard. */

import { pageScript } from './script.ts';

/** As `window.ear` of a player's page. Times are Unix milliseconds. */
export interface Ear {
  /** How strong a tone was lately, over so many milliseconds: its loudest samples, up to 1. */
  strength(hz: number, ms: number): number;
  /** How loud the loudest sample was lately. */
  peak(ms: number): number;
  /** When sound began to be heard behind silence, and flashes to be seen behind dark. */
  readonly beeps: number[];
  readonly flashes: number[];
  /** The largest change from one sample to the next since the last reset: a click is one. */
  largestStep: number;
  reset(): void;
}

declare const MediaStreamTrackProcessor: new (init: {
  track: MediaStreamTrack;
  maxBufferSize: number;
}) => { readable: ReadableStream<AudioData> };

declare global {
  interface Window {
    ear?: Ear;
  }
}

/** For pages at `path`, before all of their own. */
export function earScript(path: string): string {
  const parts = [openEar, findOutputs, followSamples, followSteps, followFlashes, strengthOf];
  return pageScript(parts, null, path);
}

function openEar(): void {
  const beeps: number[] = [];
  const flashes: number[] = [];
  const rate = 48_000;
  const kept = new Float32Array(rate * 5);
  let count = 0;
  let tookMs = 0;
  /** How long nothing is heard, in samples. */
  let quiet = rate;
  const take = (sample: number, atMs: number) => {
    kept[count % kept.length] = sample;
    count += 1;
    tookMs = performance.now();
    if (Math.abs(sample) < 0.02) {
      quiet += 1;
      return;
    }
    if (quiet > rate / 20) beeps.push(atMs);
    quiet = 0;
  };
  const lately = (ms: number) => {
    // An output that gives nothing is silent.
    if (performance.now() - tookMs > ms) return new Float32Array(0);
    const length = Math.min(count, (ms * rate) / 1_000);
    return Float32Array.from({ length }, (_, at) => kept[(count - length + at) % kept.length] ?? 0);
  };
  const ear: Ear = {
    strength: (hz, ms) => strengthOf(hz / rate, lately(ms)),
    peak: (ms) => lately(ms).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
    beeps,
    flashes,
    largestStep: 0,
    reset: () => {
      beeps.length = 0;
      flashes.length = 0;
      ear.largestStep = 0;
    },
  };
  findOutputs((node) => {
    followSamples(node, rate, take);
    followSteps(node, (step) => {
      ear.largestStep = Math.max(ear.largestStep, step);
    });
  });
  followFlashes((atMs) => flashes.push(atMs));
  Object.defineProperty(window, 'ear', { value: ear });
}

/** Whatever the page connects to its output, and what its elements play, as loud as they do. */
function findOutputs(onOutput: (node: AudioNode) => void): void {
  const { connect } = AudioNode.prototype;
  let own: AudioContext | null = null;
  AudioNode.prototype.connect = function (this: AudioNode, ...given: unknown[]) {
    const foreign = given[0] instanceof AudioDestinationNode && this.context !== own;
    if (foreign) onOutput(this);
    return Reflect.apply(connect, this, given);
  } as typeof connect;
  const { play } = HTMLMediaElement.prototype;
  /** An element that the browser would not play is told to once more: heard twice, a tone may cancel itself. */
  const heard = new WeakSet<HTMLMediaElement>();
  HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
    const stream = this.srcObject;
    if (this instanceof HTMLAudioElement && stream instanceof MediaStream && !heard.has(this)) {
      heard.add(this);
      own ??= new AudioContext({ sampleRate: 48_000, latencyHint: 0 });
      const gain = new GainNode(own, { gain: 0 });
      new MediaStreamAudioSourceNode(own, { mediaStream: stream }).connect(gain);
      const follow = () => {
        // It may listen once the page may be heard.
        if (gain.context.state === 'suspended') void own?.resume();
        const silent = this.paused || this.muted || this.srcObject === null;
        gain.gain.setTargetAtTime(silent ? 0 : this.volume, gain.context.currentTime, 0.002);
      };
      setInterval(follow, 10);
      onOutput(gain);
    }
    return Reflect.apply(play, this, []);
  };
}

/** Every sample that goes through a node, with the time at which it is heard. */
function followSamples(
  node: AudioNode,
  rate: number,
  take: (sample: number, atMs: number) => void,
): void {
  const context = node.context as AudioContext;
  const analyser = new AnalyserNode(context, { fftSize: 32_768 });
  node.connect(analyser);
  const newest = new Float32Array(analyser.fftSize);
  let seen = Math.round(context.currentTime * rate);
  setInterval(() => {
    if (context.state !== 'running') return;
    analyser.getFloatTimeDomainData(newest);
    const end = Math.round(context.currentTime * rate);
    // Firefox stands still for ever at times when it is asked that.
    const { contextTime = 0, performanceTime = 0 } = navigator.userAgent.includes('Firefox/')
      ? { contextTime: context.currentTime, performanceTime: performance.now() }
      : context.getOutputTimestamp();
    const zeroMs = performance.timeOrigin + performanceTime - contextTime * 1_000;
    for (let at = Math.min(newest.length, end - seen); at > 0; at -= 1) {
      take(newest[newest.length - at] ?? 0, zeroMs + ((end - at) * 1_000) / rate);
    }
    seen = end;
  }, 20);
}

/** Every change from one sample to the next, of samples without a hole, where the browser can give such. */
function followSteps(node: AudioNode, onStep: (step: number) => void): void {
  if (!('MediaStreamTrackProcessor' in globalThis)) return;
  const output = new MediaStreamAudioDestinationNode(node.context as AudioContext);
  node.connect(output);
  const [track] = output.stream.getAudioTracks();
  if (track === undefined) return;
  const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 500 });
  let last = 0;
  const into = new WritableStream<AudioData>({
    write: (data) => {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      data.close();
      for (const sample of samples) {
        onStep(Math.abs(sample - last));
        last = sample;
      }
    },
  });
  void readable.pipeTo(into).catch(() => undefined);
}

/** When a video becomes bright. */
function followFlashes(onFlash: (atMs: number) => void): void {
  const followed = new WeakSet<HTMLVideoElement>();
  const sheet = new OffscreenCanvas(2, 2).getContext('2d', { willReadFrequently: true });
  let dark = false;
  const follow = (video: HTMLVideoElement) => {
    video.requestVideoFrameCallback((_, { expectedDisplayTime }) => {
      follow(video);
      sheet?.drawImage(video, 0, 0, 2, 2);
      const bright = (sheet?.getImageData(1, 1, 1, 1).data[0] ?? 0) > 128;
      if (bright && dark) onFlash(performance.timeOrigin + expectedDisplayTime);
      dark = !bright;
    });
  };
  setInterval(() => {
    for (const video of document.querySelectorAll('video')) {
      if (followed.has(video) || video.requestVideoFrameCallback === undefined) continue;
      followed.add(video);
      follow(video);
    }
  }, 50);
}

/** `pitch`: turns per sample. */
function strengthOf(pitch: number, samples: Float32Array): number {
  let [real, imaginary] = [0, 0];
  for (const [at, sample] of samples.entries()) {
    real += sample * Math.cos(2 * Math.PI * pitch * at);
    imaginary += sample * Math.sin(2 * Math.PI * pitch * at);
  }
  return (2 * Math.hypot(real, imaginary)) / Math.max(1, samples.length);
}
