/** Where a panel meets the hosts of its broadcast, and how it is let in there. */

import type { LinkKey } from '@steadycast/codec-glue';
import { type KnownKey, keyOfLink, newerKey } from '../publish/link-keys.ts';
import { type Channel, deriveKeys, SealedChannel } from '../publish/sealed.ts';
import { isHeld } from '../publish/sole.ts';
import { type AccessMemory, accessOf } from '../publish/storage.ts';
import { readToken } from '../session/token.ts';

export interface MeetingOptions {
  token: string;
  broadcast: string;
  /** Of the link that the panel was opened with; null: it had none. */
  key: LinkKey | null;
  /** What the broadcast is sealed with, as this browser keeps it. */
  onKey: (key: KnownKey) => void;
  onMessage: (message: unknown) => void;
  /** Hosts are elsewhere from now on; those that were heard before are none any more. */
  onMove: () => void;
}

export class Meeting {
  readonly #options: MeetingOptions;
  readonly #access: AccessMemory;
  #closed = false;
  /** What channel and lock follow from; null: not known yet. */
  #secret: string | null = null;
  #place: { channel: Channel; lock: string } | null = null;
  #tokenKept = false;

  constructor(options: MeetingOptions) {
    this.#options = options;
    this.#access = accessOf(options.broadcast);
  }

  /** Whether it is known where hosts are. */
  get isKnown(): boolean {
    return this.#place !== null;
  }

  /** Whether a host finds the token in what this browser keeps. */
  get tokenKept(): boolean {
    return this.#tokenKept;
  }

  /** What this browser knows of the broadcast: a panel works while the relay is away. */
  async recall(): Promise<void> {
    const { token, key, onKey } = this.#options;
    const kept = await this.#access.load();
    if (this.#closed) return;
    const known = newerKey(keyOfLink(key, token), kept);
    if (known.key !== null) onKey(known);
    if (known.key !== kept.key || known.keyGeneration !== kept.keyGeneration) {
      const { key, keyGeneration } = known;
      await this.#access.save({ key, keyGeneration });
    }
    // One that may be good is left for the relay to decide about: this one may be cut short.
    const endsMs = readToken(kept.token ?? '')?.expiresMs ?? 0;
    if (kept.token === token || endsMs < Date.now()) await this.#keepToken();
    if (kept.panelSecret !== null && this.#secret === null) await this.#go(kept.panelSecret);
  }

  /** What the relay says, which has taken the token, is what this browser keeps. */
  async learn(secret: string | null): Promise<void> {
    if (this.#closed) return;
    if (!this.#tokenKept) await this.#keepToken();
    if (secret === null || secret === this.#secret) return;
    await this.#access.save({ panelSecret: secret });
    await this.#go(secret);
  }

  /** Has another key from now on, which hosts that begin find here. */
  async changeKey({ key, keyGeneration }: KnownKey): Promise<void> {
    await this.#access.save({ key, keyGeneration });
  }

  /** A token of a newer generation of links, which a host may find here as well. */
  async renewToken(token: string): Promise<void> {
    if (this.#tokenKept) await this.#access.save({ token });
  }

  /** Says that to all hosts; to nobody where none can be. */
  say(message: object): void {
    this.#place?.channel.post(message);
  }

  /** Whether a window of this browser hosts the broadcast. */
  async isHosted(): Promise<boolean> {
    return this.#place !== null && (await isHeld(this.#place.lock));
  }

  close(): void {
    this.#closed = true;
    this.#place?.channel.close();
    this.#place = null;
  }

  async #keepToken(): Promise<void> {
    this.#tokenKept = await this.#access.save({ token: this.#options.token });
  }

  async #go(secret: string): Promise<void> {
    this.#secret = secret;
    const keys = await deriveKeys(secret, this.#options.broadcast);
    if (keys === null || this.#closed || this.#secret !== secret) return;
    this.#place?.channel.close();
    const channel = new SealedChannel(keys);
    channel.listen(this.#options.onMessage);
    this.#place = { channel, lock: keys.lock };
    this.#options.onMove();
  }
}
