/**
 * How panels and capture hosts speak, where every page of the origin can listen and speak as well. A
 * channel whose name follows from a secret that only publishers are told (PROTOCOL 7.2), and on it
 * nothing but what is sealed with a key from the same secret.
 */

import { isCount, isRecord, isText } from '../session/parse.ts';

/** What follows from a broadcast's secret, each on its own: none tells of another. */
export interface ChannelKeys {
  /** The `BroadcastChannel`'s name. */
  channel: string;
  /** The name of the Web Lock that the only host of this browser holds. Every page can read such names. */
  lock: string;
  /** AES-GCM. */
  key: CryptoKey;
}

/** Where a panel or a host speaks and listens. */
export interface Channel {
  post(message: object): void;
  /** One listener; another one takes its place. */
  listen(listener: (message: unknown) => void): void;
  close(): void;
}

const SECRET_BYTES = 32;
const NAME_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** A message is JSON behind its length, and then, of a few, bytes. */
const LENGTH_BYTES = 4;
const SEALED_BYTES_MAX = 5_000_000;
/** More than this on its way in or out is dropped: a browser that is so far behind has other worries. */
const WAITING_MAX = 100;
/** Nothing that was said longer ago, or will be, is heard. */
export const FRESH_MS = 10_000;

/** Null: this is no such secret, or the page has no WebCrypto, which takes a secure context. */
export async function deriveKeys(secret: string, broadcast: string): Promise<ChannelKeys | null> {
  const bytes = bytesOf(secret);
  if (bytes?.length !== SECRET_BYTES || globalThis.crypto?.subtle === undefined) return null;
  const { subtle } = crypto;
  const root = await subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits', 'deriveKey']);
  const hkdf = (label: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: utf8(broadcast),
    info: utf8(`steadycast panel ${label}`),
  });
  const name = async (label: string) => {
    const bits = await subtle.deriveBits(hkdf(label), root, NAME_BYTES * 8);
    return `steadycast ${textOf(new Uint8Array(bits))}`;
  };
  const aes = { name: 'AES-GCM', length: 256 };
  const [channel, lock, key] = await Promise.all([
    name('channel'),
    name('lock'),
    subtle.deriveKey(hkdf('key'), root, aes, false, ['encrypt', 'decrypt']),
  ]);
  return { channel, lock, key };
}

/** A secret that nobody else has. */
export function newSecret(): string {
  return textOf(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}

/** What every message says of itself. */
export interface Mark {
  /** Who sends it: each channel of each window is one. */
  from: string;
  /** How many that one has sent before. */
  count: number;
  /** Unix milliseconds. */
  atMs: number;
}

/** Which messages are to be heard: each once, in the order that they were sent in, and while they are new. */
export class Order {
  readonly #heard = new Map<string, { count: number; heardMs: number }>();

  admits({ from, count, atMs }: Mark, nowMs: number): boolean {
    if (Math.abs(nowMs - atMs) > FRESH_MS) return false;
    const last = this.#heard.get(from);
    if (last !== undefined && count <= last.count) return false;
    this.#heard.set(from, { count, heardMs: nowMs });
    // What these have sent is too old by now, all of it.
    for (const [name, { heardMs }] of this.#heard) {
      if (nowMs - heardMs > 2 * FRESH_MS) this.#heard.delete(name);
    }
    return true;
  }
}

/** Sealing takes a moment, so what is posted, or comes, waits for what was before it. */
class Line {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Resolves when that is done, or left out. */
  add(act: () => Promise<void>): Promise<void> {
    if (this.#waiting >= WAITING_MAX) return Promise.resolve();
    this.#waiting += 1;
    const done = this.#last.then(act).catch(() => undefined);
    this.#last = done.then(() => {
      this.#waiting -= 1;
    });
    return this.#last;
  }

  /** Resolves when all is done that waits now. */
  done(): Promise<void> {
    return this.#last;
  }
}

export class SealedChannel implements Channel {
  readonly #channel: BroadcastChannel;
  readonly #key: CryptoKey;
  readonly #order = new Order();
  readonly #out = new Line();
  readonly #in = new Line();
  readonly #from: string = crypto.randomUUID();
  #count = 0;
  #listener: ((message: unknown) => void) | null = null;

  constructor({ channel, key }: Pick<ChannelKeys, 'channel' | 'key'>) {
    this.#key = key;
    this.#channel = new BroadcastChannel(channel);
    this.#channel.onmessage = ({ data }) => this.#hear(data, Date.now());
  }

  /** Says that, after all that was posted before. A message may have bytes: its field `data`. */
  post(message: object): void {
    const plain = write(this.#mark(), message);
    void this.#out.add(async () => this.#channel.postMessage(await seal(this.#key, plain)));
  }

  /** Seals it now, to be said at once by a page that is going. It is heard for ten seconds, and once. */
  async prepare(message: object): Promise<() => void> {
    const plain = write(this.#mark(), message);
    let sealed: Uint8Array | null = null;
    await this.#out.add(async () => {
      sealed = await seal(this.#key, plain);
    });
    return () => this.#channel.postMessage(sealed);
  }

  listen(listener: (message: unknown) => void): void {
    this.#listener = listener;
  }

  /** What was posted is still said. */
  close(): void {
    this.#listener = null;
    void this.#out.done().then(() => this.#channel.close());
  }

  #mark(): Mark {
    this.#count += 1;
    return { from: this.#from, count: this.#count, atMs: Date.now() };
  }

  #hear(data: unknown, nowMs: number): void {
    if (!isBytes(data) || data.length > SEALED_BYTES_MAX) return;
    void this.#in.add(async () => {
      const opened = read(await open(this.#key, data));
      if (opened === null || !this.#order.admits(opened.mark, nowMs)) return;
      this.#listener?.(opened.message);
    });
  }
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return Object.prototype.toString.call(value) === '[object Uint8Array]';
}

async function seal(key: CryptoKey, plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const box = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain);
  const sealed = new Uint8Array(IV_BYTES + box.byteLength);
  sealed.set(iv);
  sealed.set(new Uint8Array(box), IV_BYTES);
  return sealed;
}

/** Null: it was not sealed with this key. */
async function open(
  key: CryptoKey,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (sealed.length < IV_BYTES + TAG_BYTES) return null;
  const iv = sealed.subarray(0, IV_BYTES);
  try {
    const algorithm = { name: 'AES-GCM', iv };
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.subarray(IV_BYTES)));
  } catch {
    return null;
  }
}

function write(mark: Mark, message: object): Uint8Array<ArrayBuffer> {
  const bytes = 'data' in message && message.data instanceof Uint8Array ? message.data : null;
  const said = bytes === null ? message : { ...message, data: undefined };
  const json = utf8(JSON.stringify({ ...mark, message: said }));
  const plain = new Uint8Array(LENGTH_BYTES + json.length + (bytes?.length ?? 0));
  new DataView(plain.buffer).setUint32(0, json.length);
  plain.set(json, LENGTH_BYTES);
  if (bytes !== null) plain.set(bytes, LENGTH_BYTES + json.length);
  return plain;
}

function read(plain: Uint8Array<ArrayBuffer> | null): { mark: Mark; message: unknown } | null {
  if (plain === null || plain.length < LENGTH_BYTES) return null;
  const end = LENGTH_BYTES + new DataView(plain.buffer).getUint32(0);
  if (end > plain.length) return null;
  const said = parsed(new TextDecoder().decode(plain.subarray(LENGTH_BYTES, end)));
  if (said === null) return null;
  const { from, count, atMs, message } = said;
  if (!isText(from) || !isCount(count) || !isCount(atMs)) return null;
  const data = plain.slice(end);
  const whole = data.length > 0 && typeof message === 'object' ? { ...message, data } : message;
  return { mark: { from, count, atMs }, message: whole };
}

function parsed(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
