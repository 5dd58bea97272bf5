/** The event stream of a WHEP session: what is happening to the broadcast (PROTOCOL 8). */

import {
  CODEC_KINDS,
  type CodeName,
  DEFAULT_SERVING,
  PHASES,
  type Phase,
  type Serving,
  type SoundFormat,
} from '@steadycast/codec-glue';
import { knownCode } from '../../session/error.ts';
import {
  type Check,
  isCount,
  isFlag,
  isRecord,
  isText,
  oneOf,
  orNull,
  shape,
} from '../../session/parse.ts';
import { type Slot, takeSlot } from './slots.ts';
import { type ServerEvent, SseParser } from './sse.ts';

export type WhepEvent =
  /** At the beginning, and at every change. Times are the relay's clock. */
  | { type: 'state'; phase: Phase; sinceUs: number; epoch: number; relayUs: number }
  /** Every second. `framesSent`: to this peer so far; null: not said. */
  | { type: 'ping'; relayUs: number; framesSent: number | null }
  /** The session is over (PROTOCOL 2.8); `code` null: one that this version does not know. */
  | { type: 'ended'; code: CodeName | null; message: string; retryAfterMs: number | null }
  /** Whether the picture moves, or since when it stands still; null: it moves. */
  | { type: 'content'; stillSinceUs: number | null }
  /** What this player is served from now on; until the first, whatever the broadcast is in. */
  | { type: 'serving'; serving: Serving }
  /** Whether the broadcast has sound; until the first, what comes says so. */
  | { type: 'sound'; there: boolean; format: SoundFormat | null }
  /** How wide the path to this player is; `carriesKbps` null: not known. */
  | { type: 'path'; narrow: boolean; carriesKbps: number | null }
  /** Other relays that would take this player. */
  | { type: 'relays'; relays: string[] }
  /** The relay goes, and this player is to be at another one. */
  | { type: 'move' };

const isState = shape<{ phase: Phase; sinceUs: number; epoch: number; relayUs: number }>({
  phase: oneOf(PHASES),
  sinceUs: isCount,
  epoch: isCount,
  relayUs: isCount,
});
const isPing = shape<{ relayUs: number }>({ relayUs: isCount });
const isEnded = shape<{ code: string; message: string }>({ code: isText, message: isText });
const isServing = shape<Serving>({
  service: oneOf(['ready', 'preparing', 'unsupported']),
  track: isCount,
  codec: orNull(oneOf(CODEC_KINDS)),
});
const isContent = shape<{ stillSinceUs: number | null }>({ stillSinceUs: orNull(isCount) });
const isPath = shape<{ narrow: boolean }>({ narrow: isFlag });
const isSound = shape<{ sound: object | null }>({ sound: orNull(isRecord) });
const isFormat = shape<SoundFormat>({ codec: oneOf(['opus']), channels: isCount });
const isRelays = shape<{ relays: unknown[] }>({ relays: Array.isArray });
const isRetry = orNull(isCount);

/** Null for events that say nothing to this player, and for such as are not what they should be. */
export function readEvent({ name, data }: ServerEvent): WhepEvent | null {
  const value = parse(data);
  switch (name) {
    case 'state':
      return isState(value) ? { type: 'state', ...pick(value) } : null;
    case 'ping':
      if (!isPing(value)) return null;
      return { type: 'ping', relayUs: value.relayUs, framesSent: optional(value, 'framesSent') };
    case 'ended':
      return isEnded(value) ? ended(value) : null;
    case 'content':
      return isContent(value) ? { type: 'content', stillSinceUs: value.stillSinceUs } : null;
    case 'serving':
      return isServing(value) ? { type: 'serving', serving: served(value) } : null;
    case 'path':
      if (!isPath(value)) return null;
      return { type: 'path', narrow: value.narrow, carriesKbps: optional(value, 'carriesKbps') };
    case 'sound':
      return isSound(value) ? { type: 'sound', ...sounding(value.sound) } : null;
    case 'relays':
      return isRelays(value) ? { type: 'relays', relays: value.relays.filter(isText) } : null;
    case 'move':
      return { type: 'move' };
    default:
      return null;
  }
}

function pick({ phase, sinceUs, epoch, relayUs }: Omit<WhepEvent & { type: 'state' }, 'type'>) {
  return { phase, sinceUs, epoch, relayUs };
}

function served({ service, track, codec }: Serving): Serving {
  return { service, track, codec };
}

/** Whether there is sound, and which, where the relay says what this version knows. */
function sounding(sound: object | null): { there: boolean; format: SoundFormat | null } {
  const format = isFormat(sound) ? { codec: sound.codec, channels: sound.channels } : null;
  return { there: sound !== null, format };
}

function ended(value: { code: string; message: string }): WhepEvent {
  const { code, message } = value;
  const retryAfterMs = optional(value, 'retryAfterMs', isRetry);
  return { type: 'ended', code: knownCode(code), message, retryAfterMs };
}

function optional(value: object, name: string, check: Check<number | null> = isRetry) {
  const found = isRecord(value) ? value[name] : null;
  return check(found) ? found : null;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

export interface EventStreamOptions {
  url: string;
  signal: AbortSignal;
  onEvent: (event: WhepEvent) => void;
  /** The relay does not know the session any more; nothing else will come. */
  onGone: () => void;
  /** What tests replace. */
  slots?: (origin: string) => Promise<Slot | null>;
}

/** Silence after which the stream is opened anew (PROTOCOL 2.6). */
const SILENCE_MS = 3_000;
/** A stream begins with an event: one that brings none in this time is held back by somebody. */
const FIRST_MS = 1_500;
/** Between two looks at what stands, where no stream can be had: as often as a stream says so. */
const LOOK_AGAIN_MS = 1_000;
const BACKOFF_MS = { first: 250, most: 2_000 };
const LOOK_MS = 500;

/** looked: what stands was told; unheard: a stream that brought nothing at all. */
type Outcome = 'gone' | 'broken' | 'looked' | 'unheard';

/**
 * Hears the events until the session is gone or `signal` aborts: on a stream, or, where something
 * on the way holds streams back or other tabs have all the connections that a browser makes, by
 * looking every second. Missing events are not a missing relay.
 */
export class EventStream {
  readonly #options: EventStreamOptions;
  #heardMs = performance.now();
  #cut = false;
  /** Something on the way passes no streams on. */
  #heldBack = false;
  #narrow = false;
  #sounds = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  /** How long it has brought nothing. */
  get silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  /** Whether it broke off and is not there again yet. */
  get cut(): boolean {
    return this.#cut;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { signal, onGone } = this.#options;
    let pauseMs = BACKOFF_MS.first;
    while (!signal.aborted) {
      const openedMs = performance.now();
      const outcome = await this.#once().catch(() => 'broken' as const);
      if (signal.aborted) return;
      if (outcome === 'gone') return onGone();
      // A look decides whether it is the stream that is missing or the relay.
      this.#heldBack = outcome === 'unheard' || (outcome === 'looked' && this.#heldBack);
      if (outcome === 'looked') await pause(LOOK_AGAIN_MS, signal);
      if (outcome !== 'broken') continue;
      this.#cut = true;
      const held = performance.now() - openedMs > SILENCE_MS;
      pauseMs = held ? BACKOFF_MS.first : Math.min(BACKOFF_MS.most, pauseMs * 2);
      await pause(pauseMs, signal);
    }
  }

  async #once(): Promise<Outcome> {
    const { url, slots = takeSlot } = this.#options;
    const slot = this.#heldBack ? null : await slots(new URL(url).origin);
    if (slot === null) return this.#request(`${url}?once`, SILENCE_MS, null);
    try {
      return await this.#request(url, FIRST_MS, slot);
    } finally {
      slot.release();
    }
  }

  /** A stream in its `slot`, or without one a look at what stands. */
  async #request(url: string, firstMs: number, slot: Slot | null): Promise<Outcome> {
    const watchdog = new Watchdog(this.#options.signal, firstMs);
    slot?.lost.addEventListener('abort', () => watchdog.stop());
    try {
      const answer = await fetch(url, {
        cache: 'no-store',
        credentials: 'omit',
        headers: { accept: 'text/event-stream' },
        signal: watchdog.signal,
      });
      if (answer.status === 404 || answer.status === 410) return 'gone';
      if (!answer.ok || answer.body === null) return 'broken';
      await (slot === null ? this.#look(answer.body) : this.#read(answer.body, watchdog));
      return slot === null ? 'looked' : 'broken';
    } catch (error) {
      if (slot?.lost.aborted) return 'looked';
      if (slot !== null && watchdog.unheard) return 'unheard';
      throw error;
    } finally {
      watchdog.stop();
    }
  }

  async #read(body: ReadableStream<Uint8Array>, watchdog: Watchdog): Promise<void> {
    // Every stream tells anew where this is not so.
    this.#tell({ type: 'serving', serving: DEFAULT_SERVING });
    for await (const events of eventsOf(body)) {
      if (this.#options.signal.aborted) return;
      watchdog.heard();
      this.#heard();
      for (const event of events) this.#tell(event);
    }
  }

  /** All that stands comes before the first ping. */
  async #look(body: ReadableStream<Uint8Array>): Promise<void> {
    const stands: WhepEvent[] = [];
    const said = (type: WhepEvent['type']) => stands.some((event) => event.type === type);
    for await (const events of eventsOf(body)) {
      stands.push(...events);
      if (said('ping')) break;
    }
    if (this.#options.signal.aborted) return;
    this.#heard();
    if (!said('serving')) this.#tell({ type: 'serving', serving: DEFAULT_SERVING });
    if (this.#narrow && !said('path')) {
      this.#tell({ type: 'path', narrow: false, carriesKbps: null });
    }
    if (this.#sounds && !said('sound')) this.#tell({ type: 'sound', there: false, format: null });
    for (const event of stands) this.#tell(event);
  }

  #heard(): void {
    this.#heardMs = performance.now();
    this.#cut = false;
  }

  #tell(event: WhepEvent): void {
    if (event.type === 'path') this.#narrow = event.narrow;
    if (event.type === 'sound') this.#sounds = event.there;
    this.#options.onEvent(event);
  }
}

/** The events of a response, as they come; those of one piece together. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<WhepEvent[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const pieces = parser.push(decoder.decode(value, { stream: true }));
      yield pieces.map(readEvent).filter((event) => event !== null);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** Aborts a request that brings nothing, or whose owner wants no more. */
class Watchdog {
  readonly #abort = new AbortController();
  readonly #owner: AbortSignal;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #leave = () => this.#abort.abort();
  #heardMs = performance.now();
  #patienceMs: number;
  #unheard = false;

  /** `firstMs`: how long the first byte may take. */
  constructor(owner: AbortSignal, firstMs: number) {
    this.#owner = owner;
    this.#patienceMs = firstMs;
    owner.addEventListener('abort', this.#leave);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#heardMs < this.#patienceMs) return;
      this.#unheard = this.#patienceMs === firstMs && firstMs !== SILENCE_MS;
      this.#abort.abort();
    }, LOOK_MS);
  }

  /** It was given up before it had brought anything. */
  get unheard(): boolean {
    return this.#unheard;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  heard(): void {
    this.#heardMs = performance.now();
    this.#patienceMs = SILENCE_MS;
  }

  /** Ends the request as well, if it still runs. */
  stop(): void {
    clearInterval(this.#timer);
    this.#owner.removeEventListener('abort', this.#leave);
    this.#abort.abort();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}
