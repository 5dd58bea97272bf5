/**
 * The capture host's document half: asks for the screen, holds the tracks, and hands their frames
 * to the worker. Runs in a window of its own or, where that is not to be had, inside the panel.
 */

import type { LinkKey } from '@steadycast/codec-glue';
import { keyOfLink, newerKey } from './link-keys.ts';
import { fromHost, type HostMessage } from './messages.ts';
import { PanelSecret } from './panel-secret.ts';
import { DEFAULT_QUALITY } from './quality.ts';
import { askForScreen, captureLimits } from './screen.ts';
import { type ChannelKeys, deriveKeys, newSecret, SealedChannel } from './sealed.ts';
import { becomeNext, becomeSole, isAwaited } from './sole.ts';
import { SoundSources } from './sound/sources.ts';
import { type CapturePhase, type HostStatus, isGoingOut } from './status.ts';
import { type AccessMemory, accessOf, forgetOld, type Memory, memoryOf } from './storage.ts';
import type { ShareWish } from './wish.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

export interface HostOptions {
  origin: string;
  token: string;
  broadcast: string;
  /** What viewers open its frames with; null: what this browser has kept of it, if the broadcast is private. */
  key: LinkKey | null;
  /** Inside the panel's page. */
  inside: boolean;
}

export interface HostView {
  /** second: another window of this browser hosts the broadcast already; left: another takes over from here. */
  phase: 'opening' | 'second' | 'open' | 'crashed' | 'left' | 'closed';
  status: HostStatus | null;
}

/** What pickers show first where nothing was shared so far: a tab shows the least that was not meant. */
const FIRST_SURFACE = 'browser';
/** What was asked for has not come about, or is over by no word of the admin here. */
const ASKED: ReadonlySet<CapturePhase> = new Set([
  'asking',
  'gesture',
  'cancelled',
  'failed',
  'ended',
]);
const STOP_WAIT_MS = 4_000;
/** How old what panels are told at the end may become, of which they hear nothing that is ten seconds old. */
const BYE_MS = 3_000;

export class CaptureHost {
  readonly id = crypto.randomUUID();
  readonly startedMs = Date.now();
  readonly #options: HostOptions;
  readonly #memory: Memory;
  readonly #access: AccessMemory;
  readonly #panelSecret: PanelSecret;
  readonly #listeners = new Set<() => void>();
  #secret: string | null = null;
  #key: LinkKey | null = null;
  #channel: SealedChannel | null = null;
  /** Says `bye` at once: a page that is going has no time to seal it. */
  #bye: { say: () => void; sealedMs: number } | null = null;
  #moving = false;
  #view: HostView = { phase: 'opening', status: null };
  #worker: Worker | null = null;
  #track: MediaStreamTrack | null = null;
  readonly #sound = new SoundSources((message, transfer) => this.#post(message, transfer));
  #frameRate = DEFAULT_QUALITY.frameRate;
  /** What kind of source was shared last; pickers begin with it. */
  #surface = '';
  /** What was asked for last, and perhaps not come about yet. */
  #wish: ShareWish = { resume: false, standby: false };
  #asking = false;
  #lock = '';
  #releaseLock: () => void = () => undefined;
  #stopped: (() => void) | null = null;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#memory = memoryOf(options.broadcast);
    this.#access = accessOf(options.broadcast);
    this.#panelSecret = new PanelSecret(options.origin, options.broadcast, options.token);
  }

  /** Becomes the broadcast's host in this browser; false when another window is. */
  async open(): Promise<boolean> {
    const [keys, { surface, quality }, access] = await Promise.all([
      this.#findKeys(),
      this.#memory.load(),
      this.#access.load(),
    ]);
    const known = newerKey(keyOfLink(this.#options.key, this.#options.token), access);
    this.#key = known.key;
    if (this.#key !== access.key) void this.#access.save(known);
    this.#surface = surface;
    this.#frameRate = quality.frameRate;
    const release = await becomeSole(keys.lock);
    if (release === null) {
      this.#show({ phase: 'second' });
      return false;
    }
    this.#lock = keys.lock;
    this.#releaseLock = release;
    this.#speak(keys);
    addEventListener('pagehide', this.#leave);
    this.#startWorker(keys);
    this.#show({ phase: 'open' });
    void forgetOld(Date.now());
    return true;
  }

  /** What was being shared when the window was last reloaded; null: nothing. */
  async before(): Promise<ShareWish | null> {
    const { sharing, standby } = await this.#memory.load();
    return sharing ? { resume: true, standby } : null;
  }

  /** Asks for the screen, and goes live or waits for that. Without a wish it asks once more for the last one. */
  async share(wish = this.#wish): Promise<void> {
    if (this.#asking || this.#worker === null) return;
    this.#wish = wish;
    this.#asking = true;
    if (this.#track === null) this.#setPhase('asking');
    const frameRate = this.#frameRate;
    const asked = await askForScreen(frameRate, this.#surface || FIRST_SURFACE);
    this.#asking = false;
    if (asked.kind === 'shared') {
      const surface = asked.picture.getSettings().displaySurface ?? '';
      this.#sound.share(asked.sound, surface);
      this.#attach(asked.picture, surface, wish);
      if (frameRate !== this.#frameRate) this.#setFrameRate(this.#frameRate);
      return;
    }
    // With a screen shared already, that one goes on.
    if (this.#track !== null) return;
    if (asked.kind === 'failed') this.#setPhase('failed', asked.reason);
    else this.#setPhase(asked.kind);
    if (asked.kind !== 'gesture') await this.#memory.save({ sharing: false });
  }

  /** Takes the picture back from viewers, or shows it again. */
  pause(paused: boolean): void {
    this.#post({ type: 'pause', paused });
  }

  /** Shows viewers what was for the admin alone so far. */
  goLive(): void {
    this.#post({ type: 'live' });
  }

  /** Ends tracks, encoder and session; resolves when the relay was told. */
  async stop(): Promise<void> {
    this.#endCapture();
    this.#setPhase('stopped');
    const told = new Promise<void>((resolve) => {
      this.#stopped = resolve;
      setTimeout(resolve, STOP_WAIT_MS);
    });
    this.#post({ type: 'stop', ended: false });
    await Promise.all([told, this.#memory.save({ sharing: false })]);
  }

  /**
   * Lets a window take this one's place that is opening just now. This one goes on sharing until the other
   * does, and for good where nothing comes of that. False: no window has come.
   */
  async handOver(): Promise<boolean> {
    if (!(await isAwaited(this.#lock))) return false;
    this.#releaseLock();
    this.#releaseLock = becomeNext(this.#lock);
    return true;
  }

  /** Gives the lock back; the host is of no use afterwards. */
  close(): void {
    this.#endCapture();
    removeEventListener('pagehide', this.#leave);
    this.sayBye();
    this.#worker?.terminate();
    this.#worker = null;
    this.#releaseLock();
    this.#show({ phase: 'closed' });
    this.#channel?.close();
    this.#channel = null;
  }

  /** The page goes: what is captured from here on may be of a page that is going itself, and dark. */
  #leave = (): void => {
    this.sayBye();
    this.#track?.stop();
    this.#sound.close();
  };

  /** Tells panels that this host is going; a later status takes it back. */
  sayBye = (): void => {
    this.#bye?.say();
    // It is heard once.
    this.#bye = null;
    void this.#sealBye();
  };

  /** Says that nothing is shared and nothing was asked for yet. */
  idle(): void {
    this.#setPhase('idle');
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): HostView => this.#view;

  /**
   * Panels are where the relay says, or has said before. Where it says nothing, this host goes on without
   * them: it may be away, or refuse the token, which is told then.
   */
  async #findKeys(): Promise<ChannelKeys> {
    const { broadcast, token } = this.#options;
    const kept = await this.#access.load();
    if (kept.token === null) void this.#access.save({ token });
    const known = kept.panelSecret ?? (await this.#panelSecret.ask());
    const keys = known === null ? null : await deriveKeys(known, broadcast);
    if (keys !== null) {
      this.#secret = known;
      if (kept.panelSecret === null) void this.#access.save({ panelSecret: known });
      return keys;
    }
    const own = await deriveKeys(newSecret(), broadcast);
    if (own === null) throw new Error('this page has no WebCrypto');
    return own;
  }

  /** The relay may have made another secret, with new links for publishers: panels are elsewhere then. */
  async #follow(): Promise<void> {
    if (this.#moving || this.#channel === null) return;
    this.#moving = true;
    const { broadcast } = this.#options;
    const secret = await this.#panelSecret.ask();
    const keys =
      secret === null || secret === this.#secret ? null : await deriveKeys(secret, broadcast);
    this.#moving = false;
    if (keys === null || this.#channel === null) return;
    this.#secret = secret;
    void this.#access.save({ panelSecret: secret });
    this.sayBye();
    this.#channel.close();
    this.#speak(keys);
    this.#post({ type: 'keys', keys });
    // Where another window is there already, both go on: the newest publisher wins.
    const releaseBefore = this.#releaseLock;
    const release = await becomeSole(keys.lock);
    this.#lock = keys.lock;
    this.#releaseLock = () => {
      releaseBefore();
      release?.();
    };
  }

  #speak(keys: ChannelKeys): void {
    this.#channel = new SealedChannel(keys);
    this.#say({ type: 'hello', host: this.id, startedMs: this.startedMs });
    this.#bye = null;
    void this.#sealBye();
  }

  #say(message: HostMessage): void {
    this.#channel?.post(fromHost(message));
  }

  async #sealBye(): Promise<void> {
    const channel = this.#channel;
    const sealedMs = Date.now();
    const say = await channel?.prepare(fromHost({ type: 'bye', host: this.id }));
    if (say !== undefined && channel === this.#channel) this.#bye = { say, sealedMs };
  }

  #startWorker(keys: ChannelKeys): void {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    worker.onerror = () => {
      this.#endCapture();
      this.#show({ phase: 'crashed' });
    };
    this.#worker = worker;
    const { id: host, startedMs } = this;
    this.#post({ type: 'begin', ...this.#options, key: this.#key, host, startedMs, keys });
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'status':
        this.#show({ status: message.status });
        // What viewers have been shown is not for the admin alone any more.
        if (isGoingOut(message.status.state)) this.#wish = { ...this.#wish, standby: false };
        if (this.#bye !== null && Date.now() - this.#bye.sealedMs > BYE_MS) void this.#sealBye();
        break;
      case 'unheard':
        void this.#follow();
        break;
      case 'verb':
        this.#obey(message.verb);
        break;
      case 'microphone':
        this.#sound.wish(message.device);
        break;
      case 'release':
        this.#endCapture();
        void this.#memory.save({ sharing: false });
        break;
      case 'stopped':
        this.#stopped?.();
        break;
      case 'frameRate':
        this.#setFrameRate(message.frameRate);
        break;
    }
  }

  #obey(verb: 'start' | 'stop' | 'leave'): void {
    if (verb === 'start') void this.share({ resume: false, standby: false });
    else if (verb === 'stop') void this.stop();
    // What is shared is stopped before it is left.
    else if (this.#track === null) {
      this.close();
      this.#show({ phase: 'left' });
    }
  }

  #attach(track: MediaStreamTrack, surface: string, { resume, standby }: ShareWish): void {
    this.#endTrack();
    this.#track = track;
    const mute = () => this.#post({ type: 'muted', muted: track.muted });
    track.addEventListener('mute', mute);
    track.addEventListener('unmute', mute);
    track.addEventListener('ended', () => {
      if (track === this.#track) void this.#ended();
    });
    const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 2 });
    this.#surface = surface;
    this.#post({ type: 'source', readable, surface, resume, standby }, [readable]);
    void this.#memory.save({ sharing: true, standby, surface });
  }

  /** Sharing was ended from the browser's own bar, or the shared window was closed. */
  async #ended(): Promise<void> {
    this.#endCapture();
    this.#setPhase('ended');
    this.#post({ type: 'stop', ended: true });
    await this.#memory.save({ sharing: false });
  }

  #endCapture(): void {
    this.#endTrack();
    this.#sound.close();
  }

  #endTrack(): void {
    const track = this.#track;
    this.#track = null;
    track?.stop();
  }

  /** The capturer need not deliver more than the encoder takes. */
  #setFrameRate(frameRate: number): void {
    this.#frameRate = frameRate;
    this.#track?.applyConstraints(captureLimits(frameRate)).catch(() => undefined);
  }

  #setPhase(phase: CapturePhase, reason: string | null = null): void {
    const asked = ASKED.has(phase);
    this.#post({ type: 'capture', phase, reason, standby: asked && this.#wish.standby });
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #show(change: Partial<HostView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }
}
