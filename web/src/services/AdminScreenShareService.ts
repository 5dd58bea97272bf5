/**
 * Steers one broadcast: finds the capture host or opens one, tells it what to do, and knows how it
 * is. For any page, with or without a framework; the picture never depends on it.
 */

import { type LinkKey, newLinkKey } from '@steadycast/codec-glue';
import { movedTo } from '../links/reach.ts';
import { Draft } from '../publish/draft.ts';
import type { Crop } from '../publish/geometry.ts';
import { sameCrop } from '../publish/geometry.ts';
import { History, type Sample } from '../publish/history.ts';
import { CaptureHost } from '../publish/host.ts';
import { isOldKey, type KnownKey, keyOfLink } from '../publish/link-keys.ts';
import {
  fromPanel,
  type HostMessage,
  type PanelMessage,
  parseHostMessage,
} from '../publish/messages.ts';
import { DEFAULT_QUALITY, type Quality, sameQuality } from '../publish/quality.ts';
import { DEFAULT_SOUND, type SoundChoice, sameSound } from '../publish/sound/choice.ts';
import type { Levels } from '../publish/sound/facts.ts';
import { type HostState, type HostStatus, isSharing } from '../publish/status.ts';
import { type Memory, memoryOf } from '../publish/storage.ts';
import type { ShareWish } from '../publish/wish.ts';
import { broadcastFragment, tokenFragment, withKey } from '../session/fragment.ts';
import { at, isRelay } from '../session/place.ts';
import { Places } from '../session/places.ts';
import { readToken } from '../session/token.ts';
import { connectionWords } from '../words/connection.ts';
import {
  ApiError,
  type BroadcastFacts,
  ENDED_HERE,
  endBroadcast,
  makeTimedLink,
  type NewLinks,
  readBroadcast,
  renewLinks,
  verdictOf,
} from './api.ts';
import { Audience, type AudienceSource } from './audience.ts';
import { CaptureWindows } from './capture-windows.ts';
import { Meeting } from './meeting.ts';
import { type OwnOptions, ownToken } from './own-broadcast.ts';
import { readViewers } from './viewers.ts';

/**
 * Pages of an app that take the place of the relay's own. Both are addresses, relative to the page's, without
 * a fragment: what they are opened with stands there.
 */
export interface SharePages {
  /** The capture window's page, of the origin that this page is of. Without one this page captures itself. */
  hostPage?: string | undefined;
  /** The page for viewers, to which links lead, with `#token=…` behind it. */
  playerPage?: string | undefined;
}

export interface ShareOptions extends SharePages {
  /** The relay's origin, as in `https://relay.example:4443`. */
  origin: string;
  /** A publish token (PROTOCOL 6). */
  token: string;
  /** The token's broadcast; as the token says when left out. */
  broadcast?: string | undefined;
  /** What a private broadcast is sealed with, from the link to its panel; left out: as this browser has kept it. */
  key?: LinkKey | null | undefined;
}

/** A broadcast of an admin of an app, whom the app's server knows. */
export type OwnShareOptions = OwnOptions & SharePages;

/**
 * none: no window captures; opening: one was just asked for; missing: that one has said nothing;
 * present: it answers; silent: it is there, but has not answered for a while.
 */
export type HostPresence = 'searching' | 'none' | 'opening' | 'missing' | 'present' | 'silent';

export interface ShareSnapshot {
  host: HostPresence;
  /** What the host says of itself; null without one. */
  status: HostStatus | null;
  /** As chosen here or as the host has it, whichever is newer. */
  crop: Crop | null;
  quality: Quality;
  sound: SoundChoice;
  /** What the relay says; null before it answered. */
  broadcast: BroadcastFacts | null;
  /** What a private broadcast is sealed with; null: it is not private, or this browser has no key. */
  key: LinkKey | null;
  /** Viewers' links were replaced after those that the key is of: who has a new one opens nothing that is sealed with it. */
  isKeyOld: boolean;
  /** Why the relay's answer is missing; null when it is not. */
  problem: { offline: boolean; message: string; code: string | null } | null;
  /** This page captures: the browser opened no window for it, or there is no page for one. */
  inside: boolean;
  /** There is a page for capture windows, of this page's own origin. */
  hasHostPage: boolean;
  /** The last five minutes, oldest first. */
  history: readonly Sample[];
  /** Messages on the channel that were not understood. */
  ignored: number;
}

export interface PreviewImage {
  bitmap: ImageBitmap;
  /** The source's size in pixels. */
  width: number;
  height: number;
}

/** What components need of the service. */
export interface ShareService {
  subscribe(listener: () => void): () => void;
  snapshot(): ShareSnapshot;
  /**
   * Asks for the screen in a new window, which takes the place of one that shares nothing, and shares it:
   * at once, or for the admin alone until `goLive` (`standby`). Call it from a click.
   */
  start(options?: { standby: boolean }): Promise<void>;
  /** Shows viewers what was for the admin alone so far. */
  goLive(): void;
  /**
   * Has a window of its own take over from this page, which captures until that shares. False: the browser
   * opens none. Call it from a click.
   */
  moveOut(): boolean;
  /** Ends capture, encoder and session. */
  stop(): void;
  /** Takes the picture back from every viewer, or shows it again; capture goes on meanwhile. */
  pause(paused: boolean): void;
  /** In source pixels; null: the whole picture. */
  setCrop(crop: Crop | null): void;
  setQuality(quality: Quality): void;
  /** How loud each source of sound is, and which microphone is listened to while something is shared. */
  setSound(sound: SoundChoice): void;
  /** Ends the broadcast for everyone, for good. Throws ApiError. */
  endBroadcast(): Promise<void>;
  /** Ends the viewers' link of now, with everyone who watches by it, for a new one. Throws ApiError. */
  renewPlayerLink(): Promise<void>;
  /** One more link for viewers, by which their access ends after `ttlS` seconds. Throws ApiError. */
  timedPlayerLink(ttlS: number): Promise<string>;
  /** The link that this panel was opened with, which its address does not show. */
  adminLink(): string;
  /** One more link to this panel, valid anew. Throws ApiError. */
  newAdminLink(): Promise<string>;
  /** Small pictures of the whole source, about five a second; returns how to stop watching. */
  watchPreview(watcher: (image: PreviewImage) => void): () => void;
  /** How loud each source goes out, about ten times a second; returns how to stop watching. */
  watchLevels(watcher: (levels: Levels) => void): () => void;
  /** How viewers fare. */
  readonly audience: AudienceSource;
}

const POLL_MS = 1_000;
/** What is wrong with the picture is to be seen within three seconds. */
const RELAY_POLL_MS = 900;
/** How long the relay may take to notice that a host is gone. */
const RELAY_NOTICES_MS = 1_500;
/** How long a reloading host's window may take to come back. */
const RELOAD_MS = 500;
/** A host answers at once; after this it may be gone. */
const STALE_MS = 2_200;

export class AdminScreenShareService implements ShareService {
  readonly audience: AudienceSource;
  /** Where the API is asked. */
  readonly #places: Places;
  readonly #token: string;
  /** The newest one for links: it says of which generation the key beside it is. */
  #linkToken: string;
  #keyGeneration: number | null;
  readonly #id: string;
  readonly #windows: CaptureWindows;
  /** Null: the relay's own. */
  readonly #playerPage: URL | null;
  readonly #memory: Memory;
  readonly #meeting: Meeting;
  readonly #listeners = new Set<() => void>();
  readonly #watchers = new Set<(image: PreviewImage) => void>();
  readonly #levelWatchers = new Set<(levels: Levels) => void>();
  readonly #history = new History();
  readonly #crop = new Draft<Crop | null>(null, sameCrop);
  readonly #quality = new Draft<Quality>(DEFAULT_QUALITY, sameQuality);
  readonly #sound = new Draft<SoundChoice>(DEFAULT_SOUND, sameSound);
  #snapshot: ShareSnapshot;
  /** The window that is opening is to begin with the picture taken back. */
  #pausesNext = false;
  /** A host that was told to make way for a new window. */
  #left: string | null = null;
  /** What a host was told to show no more by, until it says that it does: it must not get lost. */
  #owed: Extract<PanelMessage, { type: 'stop' | 'pause' }> | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #host: { id: string; startedMs: number } | null = null;
  #heardMs = 0;
  #wasHidden = false;
  #askedRelayMs = Number.NEGATIVE_INFINITY;
  #inside: CaptureHost | null = null;
  #endedHere = false;

  /**
   * The service of an admin's broadcast, opened: that which this browser had before, while it is there, or a
   * new one. Throws what `publishToken` throws.
   */
  static async createBroadcast(options: OwnShareOptions): Promise<AdminScreenShareService> {
    const token = await ownToken(options);
    const service = new AdminScreenShareService({ ...options, token });
    service.open();
    return service;
  }

  /** Throws TypeError where one of the options is none. */
  constructor(options: ShareOptions) {
    const { origin, token, hostPage, playerPage, broadcast = broadcastOf(token) } = options;
    const { key = null } = options;
    if (!isRelay(origin)) throw new TypeError(connectionWords().noRelay(origin));
    this.#places = new Places(origin, verdictOf);
    this.#token = token;
    this.#linkToken = token;
    this.#keyGeneration = keyOfLink(key, token).keyGeneration;
    this.#id = broadcast;
    const page = hostPage === undefined ? at(origin, 'host') : pageOf('hostPage', hostPage);
    if (hostPage !== undefined && page.origin !== location.origin) {
      throw new TypeError(`the hostPage ${page.href} is of another origin than this page`);
    }
    this.#windows = new CaptureWindows(page);
    this.#playerPage = playerPage === undefined ? null : pageOf('playerPage', playerPage);
    this.audience = new Audience(() =>
      this.#places.ask((relay) => readViewers(relay, broadcast, token)),
    );
    this.#memory = memoryOf(broadcast);
    this.#meeting = new Meeting({
      token,
      broadcast,
      key,
      onKey: (known) => this.#know(known),
      onMessage: (message) => this.#hear(message),
      onMove: () => this.#lookAnew(),
    });
    this.#snapshot = {
      host: 'searching',
      status: null,
      crop: null,
      quality: DEFAULT_QUALITY,
      sound: DEFAULT_SOUND,
      broadcast: null,
      key,
      isKeyOld: false,
      problem: null,
      inside: false,
      hasHostPage: this.#windows.canBeHeard,
      history: [],
      ignored: 0,
    };
  }

  /** Begins to listen and to ask; call once. */
  open(): void {
    void this.#meeting.recall();
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
    document.addEventListener('visibilitychange', this.#poll);
    void this.#memory.load().then(({ crop, quality, sound }) => {
      this.#crop.learn(crop, Date.now());
      this.#quality.learn(quality, Date.now());
      this.#sound.learn(sound, Date.now());
      this.#show({});
    });
    this.#poll();
  }

  /** Stops listening; whatever captures goes on, unless it is this page itself. */
  close(): void {
    clearInterval(this.#timer);
    document.removeEventListener('visibilitychange', this.#poll);
    this.#meeting.close();
    this.#inside?.close();
  }

  async start({ standby } = { standby: false }): Promise<void> {
    this.#owed = null;
    if (this.#inside !== null) return this.#inside.share({ resume: false, standby });
    if (this.#host !== null) {
      // Its window may be anywhere, and what it asks is seen by nobody then.
      this.#send({ type: 'leave', host: this.#host.id });
      this.#left = this.#host.id;
      this.#host = null;
    }
    this.#windows.expect();
    this.#show({ host: 'opening', status: null });
    if (!this.#openWindow({ resume: false, standby })) await this.#hostInside(standby);
  }

  goLive(): void {
    if (this.#host !== null) this.#send({ type: 'live', host: this.#host.id });
  }

  moveOut(): boolean {
    const inside = this.#inside;
    if (inside === null) return false;
    const standby = this.#snapshot.status?.state === 'standby';
    if (!this.#openWindow({ resume: true, standby })) return false;
    void inside.handOver();
    return true;
  }

  stop(): void {
    if (this.#host === null) return;
    this.#owed = { type: 'stop', host: this.#host.id };
    this.#send(this.#owed);
  }

  pause(paused: boolean): void {
    if (this.#host === null) {
      // A window that is opening hears of it as soon as it is there.
      this.#pausesNext = paused && this.#windows.isComing;
      return;
    }
    const message = { type: 'pause', host: this.#host.id, paused } as const;
    this.#owed = paused ? message : null;
    this.#send(message);
  }

  setCrop(crop: Crop | null): void {
    this.#crop.choose(crop, Date.now());
    if (this.#host !== null) this.#send({ type: 'crop', host: this.#host.id, crop });
    else void this.#memory.save({ crop });
    this.#show({});
  }

  setQuality(quality: Quality): void {
    this.#quality.choose(quality, Date.now());
    if (this.#host !== null) this.#send({ type: 'quality', host: this.#host.id, quality });
    else void this.#memory.save({ quality });
    this.#show({});
  }

  setSound(sound: SoundChoice): void {
    this.#sound.choose(sound, Date.now());
    if (this.#host !== null) this.#send({ type: 'sound', host: this.#host.id, sound });
    else void this.#memory.save({ sound });
    this.#show({});
  }

  async endBroadcast(): Promise<void> {
    this.stop();
    await this.#places.ask((relay) => endBroadcast(relay, this.#id, this.#token));
    this.#endedHere = true;
    this.#askedRelayMs = Number.NEGATIVE_INFINITY;
    await this.#askRelay();
  }

  async renewPlayerLink(): Promise<void> {
    const { playerLink, publishToken } = await this.#renewLinks(['play']);
    const facts = this.#snapshot.broadcast;
    if (facts?.isPrivate === true) await this.#changeKey(publishToken);
    if (facts === null) return;
    const networkLinks = facts.networkLinks?.map((address) => movedTo(address, playerLink)) ?? [];
    const playGeneration = this.#keyGeneration;
    const renewed = { ...facts, playGeneration, playerLink, networkLinks };
    this.#show({ broadcast: this.#linked(renewed), isKeyOld: false });
  }

  /** Whoever had the link before can open nothing of what is sent from now on. */
  async #changeKey(token: string): Promise<void> {
    const known = keyOfLink(newLinkKey(), token);
    await this.#meeting.changeKey(known);
    // Not where links are made by somebody else, to whom the relay's tokens say nothing.
    if (known.keyGeneration !== null && readToken(this.#token)?.generation != null) {
      this.#linkToken = token;
      await this.#meeting.renewToken(token);
    }
    this.#know(known);
    const { key } = known;
    if (key === null) return;
    if (this.#host !== null) this.#send({ type: 'key', host: this.#host.id, key });
  }

  #know({ key, keyGeneration }: KnownKey): void {
    this.#keyGeneration = keyGeneration;
    this.#show({ key, isKeyOld: this.#isOld(key, this.#snapshot.broadcast) });
  }

  #isOld(key: LinkKey | null, facts: BroadcastFacts | null): boolean {
    const known = { key, keyGeneration: this.#keyGeneration };
    return isOldKey(known, facts?.playGeneration ?? null);
  }

  /** For links; null: there is none, or it is one that viewers have no more. */
  get #keyForLinks(): LinkKey | null {
    const { key, isKeyOld } = this.#snapshot;
    return isKeyOld ? null : key;
  }

  async timedPlayerLink(ttlS: number): Promise<string> {
    const make = (relay: string) => makeTimedLink(relay, this.#id, this.#token, ttlS);
    const link = await this.#places.ask(make);
    return this.#toPlayers(withKey(link, this.#keyForLinks));
  }

  adminLink(): string {
    const url = at(this.#places.at, 'admin');
    url.hash = tokenFragment(this.#linkToken, this.#snapshot.key);
    return url.href;
  }

  async newAdminLink(): Promise<string> {
    const { adminLink } = await this.#renewLinks([]);
    return withKey(adminLink, this.#keyForLinks);
  }

  #renewLinks(end: readonly 'play'[]): Promise<NewLinks> {
    return this.#places.ask((relay) => renewLinks(relay, this.#id, this.#token, end));
  }

  watchPreview(watcher: (image: PreviewImage) => void): () => void {
    this.#watchers.add(watcher);
    this.#poll();
    return () => this.#watchers.delete(watcher);
  }

  watchLevels(watcher: (levels: Levels) => void): () => void {
    this.#levelWatchers.add(watcher);
    return () => this.#levelWatchers.delete(watcher);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): ShareSnapshot => this.#snapshot;

  /** The host's own account; null without a host. */
  status(): HostStatus | null {
    return this.#snapshot.status;
  }

  /** False: the browser opens no window. */
  #openWindow(wish: ShareWish): boolean {
    // With the token itself only where the host could not find it.
    const { tokenKept } = this.#meeting;
    const fragment = tokenKept
      ? broadcastFragment(this.#id)
      : tokenFragment(this.#token, this.#snapshot.key);
    return this.#windows.open(wish, fragment);
  }

  /** Hosts are elsewhere now. */
  #lookAnew(): void {
    this.#host = null;
    if (!this.#windows.isComing && this.#inside === null)
      this.#show({ host: 'searching', status: null });
    this.#poll();
  }

  async #hostInside(standby: boolean): Promise<void> {
    const host = new CaptureHost({
      origin: this.#places.at,
      token: this.#token,
      broadcast: this.#id,
      key: this.#snapshot.key,
      inside: true,
    });
    this.#inside = host;
    this.#windows.expectNone();
    host.subscribe(() => {
      const state = host.snapshot().status?.state;
      const moved = state === 'superseded' && this.#host !== null && this.#host.id !== host.id;
      if (state === 'stopped' || moved) this.#leaveInside(host);
    });
    if (!(await host.open())) {
      this.#inside = null;
      return;
    }
    this.#show({ inside: true });
    await host.share({ resume: false, standby });
  }

  /** The next start tries a window again. */
  #leaveInside(host: CaptureHost): void {
    if (this.#inside !== host) return;
    this.#inside = null;
    host.close();
    // Another may have taken over from it.
    if (this.#host === null || this.#host.id === host.id) this.#forgetHost();
    else this.#show({ inside: false });
  }

  #poll = (): void => {
    const hidden = document.visibilityState === 'hidden';
    // A hidden panel asks for nothing; back in sight, it gives the host time to answer.
    if (!hidden && this.#wasHidden) this.#heardMs = Date.now();
    this.#wasHidden = hidden;
    if (hidden) return;
    const preview = this.#watchers.size > 0;
    this.#send({ type: 'status', host: this.#host?.id ?? null, preview });
    void this.#checkHost();
    void this.#askRelay();
  };

  /** Without a sign of life the lock says whether there still is a host. */
  async #checkHost(): Promise<void> {
    if (!this.#isStale() || this.#windows.isComing) return;
    // Nobody can be looked for before it is known where.
    const { broadcast, problem } = this.#snapshot;
    if (!this.#meeting.isKnown && broadcast === null && problem === null) return;
    const hosted = await this.#meeting.isHosted();
    // Meanwhile a host may have spoken up.
    if (!this.#isStale()) return;
    if (hosted) this.#show({ host: this.#host === null ? 'searching' : 'silent' });
    else this.#forgetHost();
  }

  #isStale(): boolean {
    return this.#host === null || Date.now() - this.#heardMs >= STALE_MS;
  }

  async #askRelay(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#askedRelayMs < RELAY_POLL_MS) return;
    this.#askedRelayMs = nowMs;
    try {
      const read = (relay: string) => readBroadcast(relay, this.#id, this.#token);
      const { panelSecret, ...facts } = await this.#places.ask(read);
      const isKeyOld = this.#isOld(this.#snapshot.key, facts);
      this.#show({ broadcast: this.#linked(facts), isKeyOld, problem: null });
      await this.#meeting.learn(panelSecret);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { kind, message } = error;
      const code = this.#endedHere && kind === 'refused' ? ENDED_HERE : error.code;
      this.#show({ problem: { offline: kind === 'offline', message, code } });
    }
  }

  /** With links to the app's page for viewers, if there is one: where else that is reached, nobody knows. */
  #linked(told: BroadcastFacts): BroadcastFacts {
    const facts = told.isPrivate ? this.#whole(told) : told;
    if (this.#playerPage === null) return facts;
    return { ...facts, playerLink: this.#toPlayers(facts.playerLink), networkLinks: [] };
  }

  /** The relay's links to a private broadcast lack the key. */
  #whole(facts: BroadcastFacts): BroadcastFacts {
    const key = this.#isOld(this.#snapshot.key, facts) ? null : this.#snapshot.key;
    const networkLinks = facts.networkLinks?.map((link) => withKey(link, key)) ?? [];
    return { ...facts, playerLink: withKey(facts.playerLink, key), networkLinks };
  }

  #toPlayers(link: string): string {
    if (this.#playerPage === null) return link;
    const page = new URL(this.#playerPage);
    page.hash = new URL(link).hash;
    return page.href;
  }

  /** What the relay said last was about the host that is gone; it knows a moment later. */
  #expectHeld(): void {
    const { broadcast } = this.#snapshot;
    if (broadcast?.phase === 'live') this.#show({ broadcast: { ...broadcast, phase: 'held' } });
    this.#askedRelayMs = performance.now() - RELAY_POLL_MS + RELAY_NOTICES_MS;
  }

  #hear(data: unknown): void {
    const heard = parseHostMessage(data);
    if (heard.kind === 'bad') this.#show({ ignored: this.#snapshot.ignored + 1 });
    if (heard.kind === 'message') this.#listen(heard.message);
  }

  #listen(message: HostMessage): void {
    switch (message.type) {
      case 'hello':
        if (this.#isComing(message.host, null)) break;
        if (this.#recognise(message.host, message.startedMs)) this.#poll();
        break;
      case 'status':
        if (this.#isComing(message.host, message.status.state)) break;
        if (this.#recognise(message.host, message.startedMs)) this.#learn(message.status);
        break;
      case 'preview':
        if (message.host === this.#host?.id) void this.#showPreview(message);
        break;
      case 'levels':
        if (message.host === this.#host?.id)
          for (const watcher of this.#levelWatchers) watcher(message.levels);
        break;
      case 'bye':
        if (message.host === this.#host?.id) this.#hostLeaves();
        break;
    }
  }

  /** Whether it is a window that is to take over from this page, and does not share yet. */
  #isComing(host: string, state: HostState | null): boolean {
    const inside = this.#inside;
    if (inside === null || host === inside.id) return false;
    const shares = isSharing(inside.snapshot().status?.state ?? 'idle');
    return shares && (state === null || !isSharing(state));
  }

  /** A newer host replaces the one known; an older one is on its way out. */
  #recognise(id: string, startedMs: number): boolean {
    if (id === this.#left) return false;
    if (this.#host !== null && id !== this.#host.id && startedMs < this.#host.startedMs)
      return false;
    this.#host = { id, startedMs };
    this.#heardMs = Date.now();
    this.#windows.expectNone();
    if (this.#pausesNext) {
      this.#pausesNext = false;
      this.pause(true);
    }
    return true;
  }

  #learn(status: HostStatus): void {
    const nowMs = Date.now();
    this.#crop.learn(status.crop, nowMs);
    this.#quality.learn(status.quality, nowMs);
    this.#sound.learn(status.sound.choice, nowMs);
    this.#insist(status);
    if (isSharing(status.state)) this.#history.add(nowMs, status);
    // Another page that captures itself is nothing that this one has to stay open for.
    const inside = this.#inside !== null && this.#inside.id === this.#host?.id;
    this.#show({ host: 'present', status, inside, history: this.#history.samples });
  }

  /** A host that stood still for long hears no more of what was said then: this holds all the same. */
  #insist({ state, paused }: HostStatus): void {
    if (this.#owed === null) return;
    const done = !isSharing(state) || (this.#owed.type === 'pause' && paused);
    if (done || this.#owed.host !== this.#host?.id) this.#owed = null;
    else this.#send(this.#owed);
  }

  /** A host that reloads is back in a moment. */
  #hostLeaves(): void {
    this.#forgetHost();
    if (!this.#windows.isComing) this.#show({ host: 'searching' });
    setTimeout(() => void this.#checkHost(), RELOAD_MS);
  }

  #forgetHost(): void {
    if (this.#host !== null) this.#expectHeld();
    this.#host = null;
    this.#show({ host: this.#withoutHost(), status: null, inside: false });
  }

  #withoutHost(): HostPresence {
    if (this.#windows.isComing) return 'opening';
    return this.#windows.isMissing ? 'missing' : 'none';
  }

  async #showPreview({ data, source }: Extract<HostMessage, { type: 'preview' }>): Promise<void> {
    if (this.#watchers.size === 0) return;
    const file = new Blob([data], { type: 'image/webp' });
    const bitmap = await createImageBitmap(file).catch(() => null);
    if (bitmap === null) return;
    for (const watcher of this.#watchers) watcher({ bitmap, ...source });
  }

  #send(message: PanelMessage): void {
    this.#meeting.say(fromPanel(message));
  }

  #show(change: Partial<ShareSnapshot>): void {
    this.#snapshot = {
      ...this.#snapshot,
      ...change,
      crop: this.#crop.value,
      quality: this.#quality.value,
      sound: this.#sound.value,
    };
    for (const listener of this.#listeners) listener();
  }
}

function pageOf(name: string, address: string): URL {
  if (!URL.canParse(address, location.href))
    throw new TypeError(`the ${name} "${address}" is no address`);
  const page = new URL(address, location.href);
  if (page.hash !== '')
    throw new TypeError(`the ${name} ${address} has a fragment, where the token goes`);
  return page;
}

function broadcastOf(token: string): string {
  const claims = readToken(token);
  if (claims?.roles.includes('publish') === true) return claims.broadcast;
  throw new TypeError('the token is no publish token of one broadcast');
}
