/**
 * Whether a peer connection still brings what the relay sends; pure. Browsers say nothing of a
 * picture that stands still, and a static screen sends nothing at all, so it is told from what
 * moves and what does not between two samples.
 */

/** What is known at a moment; counts are totals of this connection. */
export interface Sample {
  atMs: number;
  /** The worse one of the connection's and ICE's states. */
  connection: RTCPeerConnectionState;
  bytesReceived: number;
  framesReceived: number;
  framesDecoded: number;
  /** How many of them the page has shown; null: it cannot tell, or shows none for a good reason. */
  framesShown: number | null;
  /** How many frames the relay says it has sent to this peer; null: it does not say. */
  framesSent: number | null;
  /** For how long the event stream has brought nothing. */
  eventsSilentMs: number;
  /** Whether the event stream is cut, and could not be opened again so far. */
  eventsCut: boolean;
  /** A hidden page is not given frames in time by every browser. */
  hidden: boolean;
}

/** frozen: connected, but no picture comes of it; failed: there is no connection any more. */
export type Verdict = { kind: 'ok' } | { kind: 'frozen' | 'failed'; reason: string };

type Rule = 'disconnected' | 'cut' | 'undecoded' | 'unshown' | 'fragments' | 'missing';

/** How long a rule's suspicion must hold to be a fault. */
const PATIENCE_MS: Record<Rule, number> = {
  disconnected: 2_000,
  cut: 1_000,
  undecoded: 3_000,
  unshown: 3_000,
  fragments: 4_000,
  missing: 2_000,
};
/**
 * A large keyframe over a narrow path is nothing but fragments for long, and the relay delivers it:
 * while it has not sent frames whole that are not here, what comes is on its way to a picture. Where
 * it does not say, and at the beginning, where the next connection would only begin again, so long.
 */
const UNTOLD_FRAGMENTS_MS = 30_000;
/** As on WebTransport (PROTOCOL 2.6). */
const SILENCE_MS = 3_000;
/** Samples are about a second apart; more, and this side was asleep. */
const AWAKE_MS = 2_500;

/** The relay's count comes once per second: it may tell of a frame after that has arrived. */
const SETTLED_MS = 2_500;

const OK: Verdict = { kind: 'ok' };

export class Watch {
  readonly #since = new Map<Rule, number>();
  #last: Sample | null = null;
  /** When bytes were last received. */
  #bytesMs = 0;
  /** When a frame was last received. */
  #frameMs = 0;
  /**
   * `framesReceived` and `framesSent` when the picture last moved on; `whole`: when frames came;
   * `decoded`: how many there were when one was last shown.
   */
  #mark = { received: 0, decoded: 0, sent: 0, whole: 0 };

  /** Judges the newest of successive samples. */
  judge(sample: Sample): Verdict {
    const { atMs, connection } = sample;
    const last = this.#last ?? sample;
    if (this.#last === null || atMs - last.atMs > AWAKE_MS) this.#restart(sample);
    if (sample.bytesReceived > last.bytesReceived) this.#bytesMs = atMs;
    this.#last = sample;
    if (connection === 'failed' || connection === 'closed') return failed('connection failed');
    if (this.#holds('disconnected', connection === 'disconnected', atMs)) {
      return failed('connection interrupted');
    }
    if (Math.min(sample.eventsSilentMs, atMs - this.#bytesMs) >= SILENCE_MS) {
      return failed('nothing heard from the relay');
    }
    const cut = sample.eventsCut && sample.bytesReceived === last.bytesReceived;
    if (this.#holds('cut', cut, atMs)) return failed('the relay is gone');
    return this.#judgePicture(sample, last);
  }

  /** For how long nothing at all was heard; a relay that is silent vouches for nothing. */
  silentMs(nowMs: number): number {
    if (this.#last === null) return 0;
    const sinceMs = nowMs - this.#last.atMs;
    return Math.min(this.#last.eventsSilentMs + sinceMs, nowMs - this.#bytesMs);
  }

  #judgePicture(sample: Sample, last: Sample): Verdict {
    const { atMs, framesReceived, framesSent, hidden } = sample;
    const decoded = sample.framesDecoded > last.framesDecoded;
    const received = framesReceived > last.framesReceived;
    const bytes = sample.bytesReceived > last.bytesReceived;
    if (decoded || hidden) this.#mark.received = framesReceived;
    if (hidden || atMs - this.#bytesMs < SETTLED_MS) this.#mark.sent = framesSent ?? 0;
    if (received || decoded || hidden) this.#frameMs = atMs;
    if (atMs - this.#frameMs < SETTLED_MS) this.#mark.whole = framesSent ?? 0;
    if (this.#holds('undecoded', framesReceived > this.#mark.received, atMs)) {
      return frozen('frames come but are not decoded');
    }
    if (sample.framesShown === null || sample.framesShown !== last.framesShown) {
      this.#mark.decoded = sample.framesDecoded;
    }
    if (this.#holds('unshown', sample.framesDecoded > this.#mark.decoded, atMs)) {
      return frozen('frames are decoded but not shown');
    }
    const whole = framesSent === null || framesSent > this.#mark.whole;
    const fragments = bytes && whole && !(received || decoded || hidden);
    const told = framesReceived > 0 && framesSent !== null;
    const patienceMs = told ? PATIENCE_MS.fragments : UNTOLD_FRAGMENTS_MS;
    if (this.#holds('fragments', fragments, atMs, patienceMs)) {
      return frozen('packets come but make no frame');
    }
    if (this.#holds('missing', (framesSent ?? 0) > this.#mark.sent, atMs)) {
      return frozen('what the relay sends does not arrive');
    }
    return OK;
  }

  /** Whether the rule's suspicion has held for long enough. */
  #holds(rule: Rule, suspicious: boolean, nowMs: number, ms = PATIENCE_MS[rule]): boolean {
    if (!suspicious) {
      this.#since.delete(rule);
      return false;
    }
    const sinceMs = this.#since.get(rule) ?? nowMs;
    this.#since.set(rule, sinceMs);
    return nowMs - sinceMs >= ms;
  }

  /** Nothing from before a sleep is held against the connection. */
  #restart({ atMs, framesReceived, framesDecoded, framesSent }: Sample): void {
    this.#since.clear();
    this.#bytesMs = atMs;
    this.#frameMs = atMs;
    const sent = framesSent ?? 0;
    this.#mark = { received: framesReceived, decoded: framesDecoded, sent, whole: sent };
  }
}

function failed(reason: string): Verdict {
  return { kind: 'failed', reason };
}

function frozen(reason: string): Verdict {
  return { kind: 'frozen', reason };
}
