/**
 * From the captured frames to the session: crop, limit, encode, send. Everything happens when a
 * frame, a chunk or room in a queue arrives; the only timer is for pictures that no frame follows.
 */

import { MAIN_TRACK, type WantedTrack } from '@steadycast/codec-glue';
import { localUs } from '../session/index.ts';
import { CaptureClock } from './capture-clock.ts';
import { cardOf } from './card.ts';
import { ChangeDetector } from './change.ts';
import { candidates } from './codecs.ts';
import { type Plan, planFor, wholeCrop } from './crop.ts';
import { Framing, sizeOf, type Taken } from './framing.ts';
import type { Crop, Size } from './geometry.ts';
import { inCoded, type Kept, Lane } from './lane.ts';
import { copied, Loan } from './loan.ts';
import { narrowed } from './narrow.ts';
import { Pace } from './pace.ts';
import { Preview, type PreviewPicture } from './preview.ts';
import { DEFAULT_QUALITY, limitOf, type Quality, sameQuality } from './quality.ts';
import { Renditions } from './renditions.ts';
import type { HostRates, LimitFacts, PictureFacts, RenditionFacts } from './status.ts';
import type { Tally } from './tally.ts';
import type { SentFrame } from './uplink.ts';
import type { SessionUplinks } from './uplinks.ts';
import { Upstream } from './upstream.ts';

/** Between two looks at whether the encoder keeps up. */
const JUDGE_EVERY_MS = 250;
/** With a longer queue on the uplink, renditions make way. */
const YIELD_TO_QUEUE_MS = 60;
/** A limit that changes by less is the same: encoders are not told of it. */
const NEAR = 0.06;

export interface PipelineOptions {
  tally: Tally;
  onPreview: (picture: PreviewPicture) => void;
  /** No codec of this browser can encode the picture. */
  onUnable: () => void;
  /** This browser cannot encode a rendition. */
  onRefused: (track: number, reason: string) => void;
}

/** What is encoded, and how. */
interface Shot {
  kept: Kept;
  plan: Plan;
}

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #main: Lane;
  readonly #renditions: Renditions;
  readonly #preview: Preview;
  readonly #detector = new ChangeDetector();
  readonly #pace = new Pace();
  /** What the session's uplink carries; null: there is none, or nobody tells. */
  #upstream: Upstream | null = null;
  /** What to add to a local time for the relay's, as the session began with it. */
  #relayOffsetUs = 0;
  /** What it was limited to last. */
  #limit: number | null = null;
  #judgedMs = 0;
  /** Whether a picture waited for the encoder since then. */
  #waited = false;
  #clock = new CaptureClock();
  #quality: Quality = DEFAULT_QUALITY;
  readonly #framing = new Framing();
  /** What of the next source is shown, by its size; null: the crop of now. */
  #cropOf: ((source: Size) => Crop | null) | null = null;
  /** The size of the newest picture, of whichever source. */
  #size: Size | null = null;
  #reader: ReadableStreamDefaultReader<VideoFrame> | null = null;
  #kept: Taken | null = null;
  #loan = new Loan();
  #previewStale = false;
  /** The picture is taken back: nothing of it is encoded, whether there is a card or not. */
  #paused = false;
  /** Stands in its place then; null: it cannot be drawn. */
  #card: Kept | null = null;
  /** Bytes that were given to the session so far. */
  #given = 0;
  /** Who waits until a keyframe has come to the relay: after how many bytes, once that is known. */
  #awaited: { come: () => void; at: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#preview = new Preview(options.onPreview);
    const { tally } = options;
    const events = {
      onReady: () => this.#work(),
      onError: () => {
        tally.counts.encoderErrors += 1;
      },
    };
    this.#main = new Lane({
      ...events,
      ways: candidates,
      onEncoded: (encodeMs) => {
        tally.encoded(performance.now(), encodeMs);
        this.#pace.encoded(encodeMs, performance.now());
      },
      onUnable: () => options.onUnable(),
    });
    this.#renditions = new Renditions({
      ...events,
      onRefused: (track, reason) => options.onRefused(track, reason),
    });
    this.#renditions.setQuality(this.#quality);
  }

  /**
   * Takes frames until the source ends or another takes its place; resolves then. `cropOf` is asked before
   * anything is made of the first one; without it the crop stays.
   */
  async run(
    readable: ReadableStream<VideoFrame>,
    cropOf: ((source: Size) => Crop | null) | null = null,
  ): Promise<void> {
    this.stop();
    this.#cropOf = cropOf;
    this.#main.forgive();
    const reader = readable.getReader();
    this.#reader = reader;
    this.#clock = new CaptureClock();
    this.#loan = new Loan();
    for (;;) {
      const { value: frame } = await reader.read().catch(() => ({ value: undefined }));
      if (frame === undefined) break;
      await this.#take(frame, reader);
    }
    if (this.#reader === reader) this.#forgetSource();
  }

  /** Lets go of the source and the encoder. */
  stop(): void {
    this.#forgetSource();
    for (const lane of this.#lanes()) lane.close();
    this.#paused = false;
    this.#hold(null);
  }

  /**
   * Sends a card in place of the picture, or the picture again, from a keyframe on. Nothing of what was
   * captured before leaves any more, whatever an encoder has made of it.
   */
  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#hold(paused ? cardOf(this.#main.chosen?.config ?? null) : null);
    for (const lane of this.#lanes()) {
      lane.close();
      lane.changed();
    }
    this.#work();
  }

  #hold(card: VideoFrame | null): void {
    this.#card?.frame.close();
    this.#card = card === null ? null : { frame: card, capturedUs: localUs() };
  }

  /** Resolves when the next keyframe of the main track has come to the relay, or has left where no relay tells. */
  delivered(): Promise<void> {
    return new Promise((come) => {
      this.#awaited = { come, at: Number.POSITIVE_INFINITY };
    });
  }

  #forgetSource(): void {
    this.#reader?.cancel().catch(() => undefined);
    this.#reader = null;
    this.#keep(null);
    this.#detector.forget();
    this.#preview.close();
    this.#options.tally.paused();
    clearTimeout(this.#timer);
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  /** A new session: its first frame is a keyframe, at once. null: there is none at present. */
  connect(uplinks: SessionUplinks | null): void {
    const { offsetUs, rttUs } = uplinks?.clock ?? { offsetUs: 0, rttUs: 0 };
    const { bitrate } = this.#quality;
    this.#given = 0;
    this.#upstream = uplinks?.reported ? new Upstream(bitrate, rttUs / 2_000) : null;
    this.#relayOffsetUs = offsetUs;
    this.#adapt();
    this.#main.connect(uplinks?.main ?? null);
    this.#renditions.connect(uplinks);
    this.#work();
  }

  /** Everything that the relay wants besides the main track. */
  want(wanted: readonly WantedTrack[]): void {
    this.#renditions.want(wanted);
    this.#work();
  }

  requestKeyframe(track: number): void {
    if (track === MAIN_TRACK) this.#main.wantKeyframe();
    else this.#renditions.requestKeyframe(track);
    this.#work();
  }

  /** Every track is to begin another group. */
  beginAnew(): void {
    for (const lane of this.#lanes()) lane.wantKeyframe();
    this.#work();
  }

  /** So many bytes were given to the session. */
  given(bytes: number): void {
    this.#given += bytes;
    this.#upstream?.sent(bytes, (localUs() + this.#relayOffsetUs) / 1_000);
  }

  /** So many bytes in all have come to the relay, by its clock at `relayUs`. */
  arrived(bytes: number, relayUs: number): void {
    if (this.#awaited !== null && bytes >= this.#awaited.at) this.#awaited.come();
    this.#upstream?.arrived(bytes, relayUs / 1_000);
    this.#adapt();
    this.#work();
  }

  /** Called when the session took a frame. */
  sent(track: number, frame: SentFrame): void {
    const nowMs = performance.now();
    if (track === MAIN_TRACK && frame.keyframe && this.#awaited !== null) {
      if (this.#upstream === null) this.#awaited.come();
      this.#awaited.at = this.#given;
    }
    if (track === MAIN_TRACK) this.#options.tally.sent(nowMs, frame);
    else this.#renditions.sent(track, frame, nowMs);
    this.#work();
  }

  setCrop(crop: Crop | null): void {
    this.#cropOf = null;
    if (!this.#framing.setCrop(crop)) return;
    const changed = () => {
      if (this.#kept !== null) this.#changed();
      this.#work();
    };
    const kept = this.#kept;
    if (kept !== null && this.#framing.isUnfilled(kept)) void this.#fill(kept).then(changed);
    else changed();
  }

  setQuality(quality: Quality): void {
    if (sameQuality(quality, this.#quality)) return;
    this.#quality = quality;
    if (this.#upstream !== null) this.#upstream.wished = quality.bitrate;
    this.#adapt();
    this.#renditions.setQuality(quality);
    this.#work();
  }

  /** A panel wants to see the source for the next seconds. */
  showPreview(): void {
    if (this.#preview.renew(performance.now())) this.#previewStale = true;
    this.#work();
  }

  get source(): Size | null {
    return this.#kept === null ? null : sizeOf(this.#kept.frame);
  }

  /** The size that the source has, or had last; null before the first picture of any. */
  get lastSize(): Size | null {
    return this.#size;
  }

  get crop(): Crop | null {
    return this.#framing.crop;
  }

  get quality(): Quality {
    return this.#quality;
  }

  get picture(): PictureFacts | null {
    const { chosen } = this.#main;
    if (chosen === null || this.#kept === null) return null;
    const { width, height } = chosen.config;
    return { width, height, codec: chosen.config.codec };
  }

  get renditions(): RenditionFacts[] {
    return this.#renditions.facts(performance.now());
  }

  get limits(): LimitFacts {
    const { frameRate, codec } = this.#pace;
    const uplink = this.#upstream?.carries ?? null;
    return { uplink, frameRate, cheapCodec: codec !== null };
  }

  motion() {
    return this.#main.motion(performance.now());
  }

  rates(): HostRates {
    return {
      ...this.#options.tally.rates(performance.now()),
      encoderQueue: this.#main.queue,
      uplinkBacklog: this.#main.backlog,
    };
  }

  async #take(frame: VideoFrame, reader: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
    const nowMs = performance.now();
    const capturedUs = this.#clock.localUs(frame.timestamp, localUs());
    this.#size = sizeOf(frame);
    if (this.#cropOf !== null) this.#framing.setCrop(this.#cropOf(this.#size));
    this.#cropOf = null;
    const rect = this.#framing.rectOf(frame);
    const changed =
      rect !== null && (await this.#detector.changed(frame, inCoded(rect, frame), nowMs));
    this.#options.tally.arrived(nowMs, changed);
    if (this.#reader !== reader) {
      frame.close();
      return;
    }
    const kept = { frame, capturedUs, filled: changed ? null : (this.#kept?.filled ?? null) };
    this.#keep(kept);
    this.#loan.lent(nowMs);
    if (this.#framing.isUnfilled(kept)) await this.#fill(kept);
    if (this.#kept !== kept) return;
    if (changed) this.#changed();
    this.#judge(nowMs);
    // Outside the crop nothing is compared, but a panel sees it.
    this.#previewStale ||= changed || this.#framing.crop !== null;
    if (this.#loan.isScarce) await this.#giveBack(kept, nowMs);
    this.#work();
  }

  /** Takes the place of what was kept. */
  #keep(kept: Taken | null): void {
    const before = this.#kept;
    this.#kept = kept;
    before?.frame.close();
    if (before?.filled !== kept?.filled) before?.filled?.frame?.close();
  }

  #fill(kept: Taken): Promise<void> {
    return this.#framing.fill(kept, () => this.#kept === kept);
  }

  /** From here on the picture is in memory of this page's own. */
  async #giveBack(kept: Taken, nowMs: number): Promise<void> {
    this.#loan.returned(nowMs);
    const copy = await copied(kept.frame);
    if (copy === null) return;
    if (this.#kept !== kept) {
      copy.close();
      return;
    }
    kept.frame.close();
    kept.frame = copy;
  }

  /** Does what is to be done now and sets the timer for what comes later. */
  #work(): void {
    const kept = this.#kept;
    const nowMs = performance.now();
    if (kept !== null) {
      if (this.#previewStale && this.#preview.isDue(nowMs)) {
        this.#previewStale = false;
        this.#preview.show(kept.frame, nowMs);
      }
      this.#preview.rest(nowMs);
      if (this.#loan.dueMs <= nowMs) void this.#giveBack(kept, nowMs);
    }
    const shot = this.#shot();
    if (shot !== null) this.#encode(shot, nowMs);
    if (kept !== null || shot !== null) this.#schedule(nowMs);
  }

  /** The main track first: what the others cost must not delay it. */
  #encode({ kept, plan }: Shot, nowMs: number): void {
    const full = this.#upstream?.full ?? false;
    this.#main.work({ kept, plan, yields: false, full, nowMs });
    this.#waited ||= this.#main.isBehind && this.#main.held === 'encoder';
    const waits = (this.#upstream?.queueMs ?? 0) > YIELD_TO_QUEUE_MS;
    const yields = this.#main.isBehind || waits;
    for (const lane of this.#renditions.lanes()) lane.work({ kept, plan, yields, full, nowMs });
  }

  /** Has the main track follow what the uplink carries and what the encoder manages. */
  #adapt(): void {
    const limit = this.#upstream?.limit ?? null;
    if (!isNear(limit, this.#limit)) this.#limit = limit;
    // What waits on the uplink is seen there, and holds up what follows by itself.
    this.#main.limit(this.#limit === null ? null : { held: null });
    const { frameRate, codec } = this.#pace;
    const quality = {
      ...this.#quality,
      codec: codec ?? this.#quality.codec,
      frameRate: Math.min(this.#quality.frameRate, frameRate ?? this.#quality.frameRate),
    };
    this.#main.setQuality(this.#limit === null ? quality : narrowed(quality, this.#limit / 1_000));
  }

  #judge(nowMs: number): void {
    if (nowMs - this.#judgedMs < JUDGE_EVERY_MS) return;
    this.#judgedMs = nowMs;
    const { frameRate, codec } = this.#quality;
    const look = {
      wished: frameRate,
      behind: this.#waited,
      moving: this.motion() === 'moving',
      free: codec === 'auto',
    };
    this.#waited = false;
    if (this.#pace.judge(look, nowMs)) this.#adapt();
  }

  #changed(): void {
    // A card stands still, whatever is captured behind it.
    if (this.#paused) return;
    const [main, ...others] = this.#lanes();
    if (main?.changed() === false) this.#countSkipped();
    for (const lane of others) lane.changed();
  }

  #lanes(): Lane[] {
    return [this.#main, ...this.#renditions.lanes()];
  }

  #schedule(nowMs: number): void {
    const dueMs = this.#nextDueMs(nowMs);
    if (dueMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    this.#timer = setTimeout(
      () => {
        this.#timerMs = Number.POSITIVE_INFINITY;
        this.#work();
      },
      Math.max(1, dueMs - nowMs),
    );
  }

  #nextDueMs(nowMs: number): number {
    const preview = this.#previewStale && this.#preview.isWanted(nowMs);
    // Of what is not there nothing is made, however long ago it was due.
    const lanes = this.#shot() !== null ? this.#lanes() : [];
    return Math.min(
      ...lanes.map((lane) => lane.dueMs(nowMs)),
      this.#loan.dueMs,
      preview ? this.#preview.dueMs : Number.POSITIVE_INFINITY,
    );
  }

  #countSkipped(): void {
    const { counts } = this.#options.tally;
    const { held } = this.#main;
    if (held === null) return;
    if (held === 'rate') counts.skippedForRate += 1;
    else if (held === 'uplink') counts.skippedForUplink += 1;
    else counts.skippedForEncoder += 1;
  }

  /** What lanes are given now; null: nothing, or not yet. */
  #shot(): Shot | null {
    const limit = limitOf(this.#quality);
    if (this.#paused) {
      if (this.#card === null) return null;
      return { kept: this.#card, plan: planFor(wholeCrop(sizeOf(this.#card.frame)), limit) };
    }
    return this.#kept === null ? null : this.#framing.shotOf(this.#kept, limit);
  }
}

function isNear(one: number | null, other: number | null): boolean {
  if (one === null || other === null) return one === other;
  return Math.abs(one - other) <= other * NEAR;
}
