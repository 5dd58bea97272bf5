/** The event stream of a WHEP session: what is happening to the broadcast (PROTOCOL 8). */

import {
  CODEC_KINDS,
  type CodeName,
  DEFAULT_SERVING,
  type Phase,
  type Serving,
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
  /** How wide the path to this player is; `carriesKbps` null: not known. */
  | { type: 'path'; narrow: boolean; carriesKbps: number | null };

const isState = shape<{ phase: Phase; sinceUs: number; epoch: number; relayUs: number }>({
  phase: oneOf(['waiting', 'live', 'held']),
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
}

/** Silence after which the stream is opened anew (PROTOCOL 2.6). */
const SILENCE_MS = 3_000;
const BACKOFF_MS = { first: 250, most: 2_000 };
const LOOK_MS = 500;

/** Keeps the event stream open until the session is gone or `signal` aborts. */
export class EventStream {
  readonly #options: EventStreamOptions;
  #heardMs = performance.now();
  #cut = false;

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
      this.#cut = true;
      const held = performance.now() - openedMs > SILENCE_MS;
      pauseMs = held ? BACKOFF_MS.first : Math.min(BACKOFF_MS.most, pauseMs * 2);
      await pause(pauseMs, signal);
    }
  }

  async #once(): Promise<'gone' | 'broken'> {
    const watchdog = new Watchdog(this.#options.signal);
    try {
      const answer = await fetch(this.#options.url, {
        cache: 'no-store',
        credentials: 'omit',
        headers: { accept: 'text/event-stream' },
        signal: watchdog.signal,
      });
      if (answer.status === 404 || answer.status === 410) return 'gone';
      if (!answer.ok || answer.body === null) return 'broken';
      // Every stream tells anew where this is not so.
      this.#options.onEvent({ type: 'serving', serving: DEFAULT_SERVING });
      await this.#read(answer.body, watchdog);
      return 'broken';
    } finally {
      watchdog.stop();
    }
  }

  async #read(body: ReadableStream<Uint8Array>, watchdog: Watchdog): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new SseParser();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || this.#options.signal.aborted) return;
      watchdog.heard();
      this.#heardMs = performance.now();
      this.#cut = false;
      for (const piece of parser.push(decoder.decode(value, { stream: true }))) {
        const event = readEvent(piece);
        if (event !== null) this.#options.onEvent(event);
      }
    }
  }
}

/** Aborts a request that brings nothing, or whose owner wants no more. */
class Watchdog {
  readonly #abort = new AbortController();
  readonly #owner: AbortSignal;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #leave = () => this.#abort.abort();
  #heardMs = performance.now();

  constructor(owner: AbortSignal) {
    this.#owner = owner;
    owner.addEventListener('abort', this.#leave);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#heardMs >= SILENCE_MS) this.#abort.abort();
    }, LOOK_MS);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  heard(): void {
    this.#heardMs = performance.now();
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
