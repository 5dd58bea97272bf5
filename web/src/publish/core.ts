/** The capture host's worker half: pipeline, session and panels under one roof. */

import { type LinkKey, MAIN_TRACK, PAUSES_SINCE, type TrackGroup } from '@steadycast/codec-glue';
import { Sealing } from '../privacy/sealing.ts';
import type { RelaySession } from '../session/index.ts';
import { hostWords } from '../words/host.ts';
import { Carriers } from './carriers.ts';
import { cropFor, type SizedCrop, withCrop } from './crop-memory.ts';
import type { Crop, Size } from './geometry.ts';
import { RelayLink } from './link.ts';
import { fromHost, type HostMessage, type PanelMessage, parsePanelMessage } from './messages.ts';
import { Pipeline } from './pipeline.ts';
import type { Quality } from './quality.ts';
import type { Channel } from './sealed.ts';
import { HostSound } from './sound/host-sound.ts';
import {
  type CapturePhase,
  deriveState,
  type HostState,
  type HostStatus,
  type SourceFacts,
} from './status.ts';
import { type Memory, wayTo } from './storage.ts';
import { Tally } from './tally.ts';
import { SessionUplinks } from './uplinks.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** How often panels hear of the figures, while one has asked within the lease. */
const STATUS_INTERVAL_MS = 250;
const STATUS_LEASE_MS = 3_000;
/** How often the host's own window does. */
const OWN_INTERVAL_MS = 500;
/** How long stopping waits for a card to come to the relay. */
const CARD_WAIT_MS = 2_500;

export interface CoreOptions {
  begin: Omit<Extract<ToWorker, { type: 'begin' }>, 'keys'>;
  channel: Channel;
  memory: Memory;
  post: (message: FromWorker) => void;
}

export class HostCore {
  readonly #options: CoreOptions;
  /** Crop and quality from the last time apply: nothing is encoded before. */
  readonly #ready: Promise<void>;
  readonly #tally = new Tally();
  readonly #pipeline: Pipeline;
  readonly #sound: HostSound;
  readonly #link: RelayLink;
  #channel: Channel;
  #capture: { phase: CapturePhase; reason: string | null } = { phase: 'idle', reason: null };
  #source: Pick<SourceFacts, 'surface' | 'muted'> = { surface: '', muted: false };
  #uplinks: SessionUplinks | null = null;
  /** What frames are sealed with; null: the broadcast is not private. */
  #key: LinkKey | null;
  #sealing: Sealing | null = null;
  #broken = false;
  #paused = false;
  #standby = false;
  #crops: readonly SizedCrop[] = [];
  #leaving: Promise<void> | null = null;
  /** Counts sources and stops, so that what was begun before one knows. */
  #shares = 0;
  #state: { name: HostState; sinceMs: number } = { name: 'idle', sinceMs: Date.now() };
  #leaseMs = 0;
  #toldPanelsMs = 0;
  #toldOwnMs = 0;

  constructor(options: CoreOptions) {
    this.#options = options;
    const { origin, token, key } = options.begin;
    this.#key = key;
    this.#pipeline = new Pipeline({
      tally: this.#tally,
      onPreview: ({ source, data, width, height }) =>
        this.#say({ type: 'preview', host: this.#id, size: { width, height }, source, data }),
      onUnable: () => this.#unable(),
      onRefused: (track, reason) => this.#refused(track, reason),
    });
    this.#sound = new HostSound({
      post: options.post,
      onLevels: (levels) => this.#say({ type: 'levels', host: this.#id, levels }),
      isWatched: () => performance.now() < this.#leaseMs,
    });
    this.#link = new RelayLink({
      origin,
      token,
      agent: 'steadycast-web-host',
      // What opened at one opens at the others: it is the network's doing.
      carriersAt: (relay) => new Carriers(relay, wayTo(origin)),
      onOpen: (session) => this.#opened(session),
      onGone: (wanted) => this.#gone(wanted),
      onKeyframeRequest: (track) => this.#keyframeRequested(track),
      onWanted: (wanted) => this.#pipeline.want(wanted),
      onArrived: (bytes, relayUs) => this.#pipeline.arrived(bytes, relayUs),
      onListeners: (players, repeats) => this.#sound.listen(players, repeats),
      onChange: () => this.#tell(true),
      onRefused: () => this.#release(),
    });
    this.#channel = options.channel;
    this.#channel.listen((data) => this.#hear(data));
    setInterval(() => this.#tell(false), STATUS_INTERVAL_MS);
    this.#ready = this.#recall();
  }

  /** Panels are on this channel from now on. */
  move(channel: Channel): void {
    this.#channel.close();
    this.#channel = channel;
    channel.listen((data) => this.#hear(data));
    this.#leaseMs = 0;
  }

  setCapture(phase: CapturePhase, reason: string | null, standby = false): void {
    this.#capture = { phase, reason };
    // Another source that is asked for meanwhile changes nothing of the one that is there.
    if (phase !== 'capturing') this.#standby = standby;
    this.#tell(true);
  }

  setMuted(muted: boolean): void {
    this.#source = { ...this.#source, muted };
    this.#tell(true);
  }

  /** Where sound comes from is another source from now on, or none. */
  hear(message: Parameters<HostSound['hear']>[0]): void {
    this.#sound.hear(message);
    this.#tell(true);
  }

  /** Publishes a source, in the place of the one before, or keeps it for the admin so far. */
  async share({ readable, surface, resume, standby }: Extract<ToWorker, { type: 'source' }>) {
    this.#rememberCrop();
    this.#source = { surface, muted: false };
    this.#standby = standby;
    this.#capture = { phase: 'capturing', reason: null };
    this.#broken = false;
    this.#shares += 1;
    const share = this.#shares;
    await this.#ready;
    const kept = await this.#options.memory.load();
    // Nobody sees a session's end in what is for the admin alone.
    if (this.#standby) await this.#link.close();
    // Meanwhile all may have been stopped.
    if (share !== this.#shares) return;
    // After a reload the same source goes on as it was, even if its window has another size by now.
    const goesOn = resume && share === 1;
    void this.#pipeline.run(readable, goesOn ? null : (source) => this.#cropFor(source, kept.crop));
    this.#pipeline.pause(this.#paused);
    // Another source needs no other session.
    if (!this.#standby && !this.#link.running)
      await this.#link.connect(resume ? kept.resume : null);
    this.#tell(true);
  }

  /** Shows viewers what was for the admin alone. */
  async goLive(): Promise<void> {
    if (!this.#standby) return;
    this.#setStandby(false);
    // What is not shared any more, or was refused, comes with another source.
    if (this.#capture.phase === 'capturing' && !this.#link.running) await this.#link.connect(null);
    this.#tell(true);
  }

  #setStandby(standby: boolean): void {
    this.#standby = standby;
    void this.#options.memory.save({ standby });
  }

  /** `before`: the crop from when it was not kept for which size it was chosen. */
  #cropFor(source: Size, before: Crop | null): Crop | null {
    return this.#crops.length === 0 ? before : cropFor(this.#crops, source);
  }

  /** What a source shows at its end is what the next one of its size begins with. */
  #rememberCrop(): void {
    const { lastSize, crop } = this.#pipeline;
    if (lastSize === null) return;
    this.#crops = withCrop(this.#crops, lastSize, crop);
    void this.#options.memory.save({ crop, crops: this.#crops });
  }

  /**
   * Closes encoder and session; resolves when the relay was told. Viewers are left with a card, and with
   * the last picture only where the source has `ended` and that is wished for.
   */
  async stop(ended = false): Promise<void> {
    this.#shares += 1;
    const share = this.#shares;
    this.#sound.stop();
    // A panel and the document both say so: the second word waits for the card of the first.
    this.#leaving ??= this.#leaveCard(ended).finally(() => {
      this.#leaving = null;
    });
    await this.#leaving;
    if (share !== this.#shares) return;
    this.#rememberCrop();
    this.#pipeline.stop();
    await this.#link.close();
    this.#setPaused(false);
    // What follows a source that went by itself is for the admin alone as well.
    if (!ended) this.#setStandby(false);
    this.#tell(true);
  }

  /** A session that is there ends with a card, if that comes to the relay in time. */
  async #leaveCard(ended: boolean): Promise<void> {
    if (ended && this.#pipeline.quality.onEnd === 'picture') return;
    // Without a picture so far there is nothing to take back.
    if (this.#uplinks === null || this.#uplinks.main.group === 0) return;
    if (this.#paused) return;
    const delivered = this.#pipeline.delivered();
    this.pause(true);
    const late = new Promise<void>((resolve) => setTimeout(resolve, CARD_WAIT_MS));
    await Promise.race([delivered, late]);
  }

  /** Takes the picture back, or shows it again. */
  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#setPaused(paused);
    if (paused && this.#uplinks !== null) this.#sayPaused(this.#uplinks.takeBack());
    else if (this.#knowsPauses) this.#link.session?.send({ type: 'continue' });
    this.#pipeline.pause(paused);
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    void this.#options.memory.save({ paused });
  }

  #sayPaused(from: TrackGroup[]): void {
    if (this.#knowsPauses) this.#link.session?.send({ type: 'pause', from });
  }

  /** A relay of before sees the card alone. */
  get #knowsPauses(): boolean {
    return (this.#link.session?.welcome.version ?? 0) >= PAUSES_SINCE;
  }

  status(): HostStatus {
    const { session, facts } = this.#link;
    const size = this.#pipeline.source;
    return {
      state: this.#state.name,
      sinceMs: this.#state.sinceMs,
      reason: this.#reason(),
      code: facts.code,
      inside: this.#options.begin.inside,
      paused: this.#paused,
      standby: this.#standby,
      source: size === null ? null : { ...size, ...this.#source },
      crop: this.#pipeline.crop,
      quality: this.#pipeline.quality,
      picture: this.#pipeline.picture,
      renditions: this.#pipeline.renditions,
      limits: this.#pipeline.limits,
      motion: this.#pipeline.motion(),
      sound: this.#sound.facts(),
      carrier: session?.carrier ?? null,
      players: session?.status.players ?? 0,
      epoch: session?.welcome.status.epoch ?? 0,
      group: this.#uplinks?.main.group ?? 0,
      rttMs: session === null ? null : session.rttUs / 1_000,
      retryAtMs: facts.retryAtMs,
      rates: this.#pipeline.rates(),
      counts: { ...this.#tally.counts },
    };
  }

  async #recall(): Promise<void> {
    const kept = await this.#options.memory.load();
    this.#crops = kept.crops;
    this.#pipeline.setCrop(kept.crop);
    this.#setQuality(kept.quality);
    this.#sound.choose(kept.sound);
    // Only what was being shared can go on being paused.
    this.#paused = kept.paused && kept.sharing;
    this.#tell(true);
  }

  get #id(): string {
    return this.#options.begin.host;
  }

  #reason(): string | null {
    if (this.#broken) return hostWords().failures.noCodec;
    return this.#capture.reason ?? this.#link.facts.reason;
  }

  #opened(session: RelaySession): void {
    this.#tally.counts.sessionsOpened += 1;
    this.#tally.counts.epochs += 1;
    this.#options.post({ type: 'unheard' });
    void this.#options.memory.save({ resume: session.welcome.resume });
    // A tenure of its own for each session, whose groups begin anew.
    const sealing = this.#key === null ? null : new Sealing(this.#key);
    this.#sealing = sealing;
    this.#uplinks = new SessionUplinks({
      carrier: session,
      sealing,
      epoch: session.welcome.status.epoch,
      onGiven: (bytes) => this.#pipeline.given(bytes),
      onSent: (track, frame) => this.#pipeline.sent(track, frame),
      onKeyframeNeeded: (track) => this.#pipeline.requestKeyframe(track),
    });
    // Before anything is sent: whoever comes back in a pause brings no picture.
    if (this.#paused) this.#sayPaused([{ track: MAIN_TRACK, group: 1 }]);
    this.#pipeline.connect(this.#uplinks);
    this.#sound.connect(session, sealing);
  }

  #gone(wanted: boolean): void {
    if (!wanted) this.#tally.counts.sessionsLost += 1;
    this.#pipeline.connect(null);
    this.#sound.connect(null);
    this.#uplinks?.close();
    this.#uplinks = null;
    this.#sealing = null;
  }

  #keyframeRequested(track: number): void {
    this.#tally.counts.keyframeRequests += 1;
    this.#pipeline.requestKeyframe(track);
  }

  #refused(track: number, reason: string): void {
    this.#link.session?.send({ type: 'renditionRefused', track, reason: reason.slice(0, 80) });
    this.#tell(true);
  }

  #unable(): void {
    this.#broken = true;
    this.#release();
    void this.#link.close().then(() => this.#tell(true));
  }

  /** Nothing can come of the captured pictures any more. */
  #release(): void {
    this.#pipeline.stop();
    this.#sound.stop();
    this.#options.post({ type: 'release' });
  }

  #hear(data: unknown): void {
    const heard = parsePanelMessage(data);
    if (heard.kind === 'other') return;
    if (heard.kind === 'bad' || !this.#isForMe(heard.message)) {
      this.#tally.counts.ignoredMessages += 1;
      return;
    }
    this.#obey(heard.message);
  }

  #isForMe(message: PanelMessage): boolean {
    return message.host === this.#id || (message.type === 'status' && message.host === null);
  }

  #obey(message: PanelMessage): void {
    switch (message.type) {
      case 'status':
        this.#leaseMs = performance.now() + STATUS_LEASE_MS;
        if (message.preview) this.#pipeline.showPreview();
        break;
      case 'crop':
        this.#pipeline.setCrop(message.crop);
        if (this.#pipeline.lastSize === null)
          void this.#options.memory.save({ crop: message.crop });
        else this.#rememberCrop();
        break;
      case 'quality':
        this.#setQuality(message.quality);
        void this.#options.memory.save({ quality: message.quality });
        break;
      case 'sound':
        this.#sound.choose(message.sound);
        void this.#options.memory.save({ sound: message.sound });
        break;
      case 'pause':
        this.pause(message.paused);
        break;
      case 'stop':
        // Even if the document is busy, nothing more leaves this browser.
        void this.stop();
        this.#options.post({ type: 'verb', verb: 'stop' });
        break;
      case 'live':
        void this.goLive();
        break;
      case 'key':
        this.#changeKey(message.key);
        break;
      case 'start':
      case 'leave':
        this.#options.post({ type: 'verb', verb: message.type });
        break;
    }
    this.#tell(true);
  }

  /** A broadcast is private from its beginning or never. */
  #changeKey(key: LinkKey): void {
    if (this.#key === null || this.#key === key) return;
    this.#key = key;
    this.#sealing?.change(key);
    this.#pipeline.beginAnew();
  }

  #setQuality(quality: Quality): void {
    this.#options.post({ type: 'frameRate', frameRate: quality.frameRate });
    this.#pipeline.setQuality(quality);
  }

  /** `now`: something has changed that is not to wait. */
  #tell(now: boolean): void {
    const name = deriveState(this.#capture.phase, this.#link.facts, this.#broken, {
      paused: this.#paused,
      standby: this.#standby,
    });
    const turned = name !== this.#state.name;
    if (turned) this.#state = { name, sinceMs: Date.now() };
    const nowMs = performance.now();
    const panels = nowMs < this.#leaseMs || turned;
    const forPanels = now ? panels : panels && nowMs - this.#toldPanelsMs >= STATUS_INTERVAL_MS / 2;
    const forOwn = now || nowMs - this.#toldOwnMs >= OWN_INTERVAL_MS - STATUS_INTERVAL_MS / 2;
    if (!forPanels && !forOwn) return;
    const status = this.status();
    if (forPanels) {
      this.#toldPanelsMs = nowMs;
      this.#say({
        type: 'status',
        host: this.#id,
        startedMs: this.#options.begin.startedMs,
        status,
      });
    }
    if (forOwn) {
      this.#toldOwnMs = nowMs;
      this.#options.post({ type: 'status', status });
    }
  }

  #say(message: HostMessage): void {
    this.#channel.post(fromHost(message));
  }
}
