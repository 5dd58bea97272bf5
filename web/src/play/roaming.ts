/** Plays at whichever relay serves: at the one that the page comes from, and at another when that one goes or dies. */

import { fetchEndpoint } from '../session/endpoint.ts';
import { readToken } from '../session/token.ts';
import { type FallbackOptions, FallbackPlayer, isCovered } from './fallback.ts';
import type { Footing } from './footing.ts';
import type { Journey } from './journey.ts';
import { NOTHING_YET, type PlayerSnapshot } from './messages.ts';
import type { Surface } from './playback.ts';
import { NO_RECORDS, type ShownFrame } from './records.ts';
import type { Scouts } from './scouts.ts';
import { type SoundWish, UNHEARD } from './sound/wish.ts';
import type { PlayoutMode } from './spread.ts';
import type { PlayerState } from './state.ts';
import { sum } from './sum.ts';

/** A player at one relay. */
export type RelayPlayer = Pick<
  FallbackPlayer,
  'surface' | 'stop' | 'setPlayout' | 'redraw' | 'resume' | 'setSound'
>;

export interface RoamingOptions extends FallbackOptions {
  /** What tests replace. */
  play?: (options: FallbackOptions) => RelayPlayer;
  ask?: typeof fetchEndpoint;
  load?: () => Promise<Away>;
}

type Away = typeof import('./away.ts');

/** A player's time at a relay, in a layer of its own. */
interface Stay {
  relay: string;
  layer: HTMLElement;
  player: RelayPlayer;
  snapshot: PlayerSnapshot;
  /** When its newest picture was captured, in microseconds; null: it has told of none. */
  newestUs: number | null;
  /** Since when it has a picture. */
  picturedMs: number | null;
  /** From the viewer's first moment to this one's start. */
  afterMs: number;
}

/** How long a relay that begins with pictures from before is waited for, once it has one. Clocks of relays differ a little. */
const CATCH_UP_MS = 1_000;
/** Others are asked once the picture has been there for so long: they are not to hold it up. */
const SCOUT_AFTER_MS = 2_000;

/** Between two attempts to load what it takes to go. */
const LOAD_AGAIN_MS = 2_000;

const WITHOUT_PICTURE: ReadonlySet<PlayerState['kind']> = new Set([
  'waiting',
  'away',
  'paused',
  'preparing',
  'undecodable',
]);

export class RoamingPlayer {
  readonly #options: RoamingOptions;
  readonly #beganMs = performance.now();
  /** Null until it is known that there are others, or that this relay does not serve. */
  #journey: Journey | null = null;
  #scouts: Scouts | null = null;
  #loadedMs = Number.NEGATIVE_INFINITY;
  #kept: Stay;
  #tried: Stay | null = null;
  /** Whose picture is to be seen; it may have ended. */
  #shown: Stay | null = null;
  #pictureMs: number | null = null;
  /** What has been counted at relays that were left. */
  #past = NO_RECORDS;
  #lostMs: number | null = null;
  #covered = false;
  #playout: PlayoutMode;
  #sound: SoundWish;
  #asked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(options: RoamingOptions) {
    this.#options = options;
    this.#playout = options.playout;
    this.#sound = options.sound;
    this.#kept = this.#begin(options.origin, options.sound);
  }

  surface(): Surface | null {
    return this.#shown?.player.surface() ?? null;
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#scouts?.stop();
    for (const { player } of this.#stays) player.stop();
  }

  setPlayout(mode: PlayoutMode): void {
    this.#playout = mode;
    for (const { player } of this.#stays) player.setPlayout(mode);
  }

  redraw(): void {
    for (const { player } of this.#stays) player.redraw();
  }

  resume(): void {
    for (const { player } of this.#stays) player.resume();
  }

  setSound(wish: SoundWish): void {
    this.#sound = wish;
    this.#kept.player.setSound(wish);
  }

  get #stays(): Stay[] {
    return this.#tried === null ? [this.#kept] : [this.#kept, this.#tried];
  }

  #begin(relay: string, sound: SoundWish): Stay {
    const { place, play = (options) => new FallbackPlayer(options), ...rest } = this.#options;
    const layer = document.createElement('div');
    layer.style.display = 'contents';
    // Under the picture that is there, until this one has its own.
    place.prepend(layer);
    const afterMs = performance.now() - this.#beganMs;
    let early: PlayerSnapshot | null = null;
    let stay: Stay | null = null;
    const player = play({
      ...rest,
      place: layer,
      origin: relay,
      sound,
      playout: this.#playout,
      endpoint: this.#scouts?.of(relay),
      onSnapshot: (snapshot, shown) => {
        if (stay === null) early = snapshot;
        else this.#told(stay, snapshot, shown);
      },
    });
    stay = {
      ...{ relay, layer, player, afterMs },
      ...{ snapshot: early ?? NOTHING_YET, newestUs: null, picturedMs: null },
    };
    return stay;
  }

  #told(stay: Stay, snapshot: PlayerSnapshot, shown: ShownFrame[]): void {
    if (this.#over || !this.#stays.includes(stay)) return;
    stay.snapshot = snapshot;
    for (const { captureUs } of shown) {
      stay.newestUs = Math.max(stay.newestUs ?? captureUs, captureUs);
    }
    this.#follow();
    this.#publish(stay === this.#kept ? shown : []);
  }

  /** Tells the journey how things stand, and does what it asks for. */
  #follow(): void {
    if (this.#over) return;
    const nowMs = performance.now();
    this.#show(nowMs);
    if (this.#journey === null) void this.#load(nowMs);
    else this.#goOn(this.#journey, nowMs);
  }

  /** The page may have to do without its relay later, and gets what that takes while the relay is there. */
  async #load(nowMs: number): Promise<void> {
    const { footing } = this.#kept.snapshot;
    const seen = this.#pictureMs !== null;
    if (!(seen && footing.others.length > 0) && !isBad(footing)) return;
    if (nowMs - this.#loadedMs < LOAD_AGAIN_MS) return;
    this.#loadedMs = nowMs;
    const { load = () => import('./away.ts'), ask = fetchEndpoint } = this.#options;
    const away = await load().catch(() => null);
    if (away === null || this.#over) return;
    const journey = new away.Journey(this.#kept.relay, this.#beganMs);
    const onSilent = (relay: string) => journey.passOver(relay, performance.now());
    this.#scouts = new away.Scouts({ ask, onSilent });
    this.#journey = journey;
    this.#follow();
  }

  #goOn(journey: Journey, nowMs: number): void {
    clearTimeout(this.#timer);
    journey.told(this.#kept.snapshot.footing, nowMs);
    const tried = this.#tried;
    if (tried !== null) {
      const { footing, state } = tried.snapshot;
      const pictured = this.#isSeen(tried, nowMs);
      const blank = WITHOUT_PICTURE.has(state.kind);
      journey.progress({ footing, pictured, blank, over: isFinal(state) }, nowMs);
    }
    const over = isFinal(this.#kept.snapshot.state);
    const course = journey.plan(nowMs);
    if (course.kept === tried?.relay) this.#move(tried, journey);
    // What ends a broadcast ends it everywhere.
    const wanted = over ? null : course.tried;
    if (this.#tried !== null && this.#tried.relay !== wanted) this.#drop(this.#tried);
    if (wanted !== null && this.#tried === null) this.#tried = this.#begin(wanted, UNHEARD);
    if (course.againMs !== null && !over) {
      this.#timer = setTimeout(() => this.#follow(), Math.max(1, course.againMs - nowMs));
    }
    this.#show(nowMs);
    this.#scout(journey, nowMs);
  }

  #move(stay: Stay, journey: Journey): void {
    const before = this.#kept;
    this.#kept = stay;
    this.#tried = null;
    this.#end(before);
    stay.player.setSound(this.#sound);
    journey.told(stay.snapshot.footing, performance.now());
  }

  #drop(stay: Stay): void {
    this.#tried = null;
    this.#end(stay);
  }

  #end(stay: Stay): void {
    const { state, records } = stay.snapshot;
    if (state.kind === 'reconnecting') this.#lostMs = state.sinceMs;
    this.#past = sum(this.#past, records, stay.afterMs);
    stay.player.stop();
    if (stay !== this.#shown) stay.layer.remove();
  }

  /** Lets the kept one's picture take the place of another's. */
  #show(nowMs: number): void {
    const before = this.#shown;
    if (before === this.#kept || !this.#isSeen(this.#kept, nowMs)) return;
    this.#pictureMs ??= nowMs;
    this.#shown = this.#kept;
    this.#lostMs = null;
    before?.layer.remove();
  }

  /** Whether its picture may be seen: it has one, and not one that is older than what is seen already. */
  #isSeen(stay: Stay, nowMs: number): boolean {
    if (stay.player.surface() === null) return false;
    stay.picturedMs ??= nowMs;
    const seenUs = this.#shown?.newestUs ?? null;
    if (seenUs === null || stay.newestUs === null || stay.newestUs >= seenUs) return true;
    return nowMs - stay.picturedMs >= CATCH_UP_MS;
  }

  /** Finds out ahead where it could go, or at once where it has to. */
  #scout(journey: Journey, nowMs: number): void {
    const { others } = journey;
    if (others.length === 0 && !this.#asked && journey.seeks(nowMs)) void this.#ask(journey);
    if (this.#pictureMs === null || nowMs - this.#pictureMs < SCOUT_AFTER_MS) return;
    this.#scouts?.look(others, nowMs);
  }

  /** A relay that takes nobody has told nobody in a session where others are. */
  async #ask(journey: Journey): Promise<void> {
    const { ask = fetchEndpoint } = this.#options;
    this.#asked = true;
    const { signal } = new AbortController();
    const broadcast = readToken(this.#options.token)?.broadcast;
    const endpoint = await ask(this.#kept.relay, signal, broadcast).catch(() => null);
    journey.knows(endpoint?.relays ?? []);
    this.#follow();
  }

  #publish(shown: ShownFrame[]): void {
    const { snapshot, afterMs } = this.#kept;
    let records = this.#past;
    if (this.#tried !== null)
      records = sum(records, this.#tried.snapshot.records, this.#tried.afterMs);
    records = sum(records, snapshot.records, afterMs);
    this.#covered = isCovered(snapshot.state) ?? this.#covered;
    this.#options.onSnapshot({ ...snapshot, state: this.#state(snapshot.state), records }, shown);
  }

  /** To somebody who sees a picture, the first join at another relay is a reconnection. */
  #state(state: PlayerState): PlayerState {
    if (state.kind !== 'connecting' || this.#shown === null) return state;
    this.#lostMs ??= Date.now();
    return { kind: 'reconnecting', sinceMs: this.#lostMs, covered: this.#covered };
  }
}

/** Another relay may be wanted. */
function isBad({ session }: Footing): boolean {
  return session !== 'opening' && session !== 'open';
}

/** Nothing else will come. */
function isFinal({ kind }: PlayerState): boolean {
  return kind === 'ended' || kind === 'refused' || kind === 'unsupported';
}
