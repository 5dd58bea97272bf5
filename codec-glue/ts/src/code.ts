/** The codes of goodbyes, stream resets and HTTP problems (PROTOCOL 5). */

/** What a code means to the side that receives it. */
export interface CodeEntry {
  /** The number on the wire. */
  readonly number: number;
  /** Whether a client that ends with this code reconnects by itself. */
  readonly retries: boolean;
}

export const CODES = {
  done: { number: 0, retries: false },
  shutting_down: { number: 1, retries: true },
  broadcast_ended: { number: 2, retries: false },
  held_too_long: { number: 3, retries: false },
  superseded: { number: 4, retries: false },
  skipped: { number: 5, retries: false },
  too_slow: { number: 6, retries: true },
  silent: { number: 7, retries: true },
  malformed: { number: 16, retries: false },
  too_large: { number: 17, retries: false },
  unknown_message: { number: 18, retries: false },
  out_of_order: { number: 19, retries: false },
  stale_epoch: { number: 20, retries: false },
  wrong_role: { number: 21, retries: false },
  unsupported_version: { number: 22, retries: false },
  unauthorized: { number: 23, retries: false },
  token_expired: { number: 24, retries: false },
  unknown_broadcast: { number: 25, retries: false },
  hello_timeout: { number: 26, retries: true },
  unexpected_stream: { number: 27, retries: false },
  too_many: { number: 28, retries: true },
  internal: { number: 29, retries: true },
  revoked: { number: 30, retries: false },
  kicked: { number: 31, retries: false },
  exists: { number: 32, retries: false },
  elsewhere: { number: 33, retries: false },
  too_far: { number: 34, retries: false },
  unclaimed: { number: 35, retries: true },
  private: { number: 36, retries: false },
} as const satisfies Record<string, CodeEntry>;

export type CodeName = keyof typeof CODES;

const names = new Map<number, CodeName>(
  Object.entries(CODES).map(([name, entry]) => [entry.number, name as CodeName]),
);

/** The name of a code number, or null for a number this version does not know. */
export function codeName(number: number): CodeName | null {
  return names.get(number) ?? null;
}

const HTTP3_BASE = 0x52e4a40fa8db;
const HTTP3_LAST = HTTP3_BASE + 0xffff_ffff + Math.floor(0xffff_ffff / 0x1e);

/** The HTTP/3 error code that carries `number` on a WebTransport stream (PROTOCOL 5.1). */
export function toHttp3(number: number): number {
  return HTTP3_BASE + number + Math.floor(number / 0x1e);
}

/** The inverse of {@link toHttp3}; null for a code outside the range or one that HTTP/3 reserves. */
export function fromHttp3(http3: number): number | null {
  if (http3 < HTTP3_BASE || http3 > HTTP3_LAST) return null;
  // HTTP/3 reserves every code of the form 0x1f * n + 0x21, so those carry nothing.
  if ((http3 - 0x21) % 0x1f === 0) return null;
  const shifted = http3 - HTTP3_BASE;
  return shifted - Math.floor(shifted / 0x1f);
}
