/** A relay of its own for every scenario: own port, own state directory, own log. */

import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PRIVATE_FLAG, wished } from './privately.ts';
import { end, freePort, launch } from './process.ts';
import { signToken, type TokenFacts } from './token.ts';
import { until } from './until.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const ADMIN_KEY = 'browser-tests-admin-key-browser-tests-admin';

export interface CreatedBroadcast {
  id: string;
  publishToken: string;
  playToken: string;
  links: { admin: string; player: string };
}

/** A broadcast's snapshot (PROTOCOL 7.2), as far as it is read here. */
export interface BroadcastSnapshot {
  id: string;
  phase: 'waiting' | 'live' | 'held';
  sinceUs: number;
  epoch: number;
  players: number;
  /** Missing from relays of versions before. */
  private?: boolean;
  cache: { groups: number; frames: number; bytes: number };
  sound: { listeners: number } | null;
  renditions: { track: number; codec: string; players: number; framesReceived: number }[];
  totals: {
    publishersJoined: number;
    playersJoined: number;
    playersLeft: Record<string, number>;
    framesReceived: number;
    bytesReceived: number;
    framesSent: number;
    lateFrames: number;
    keyframeRequests: number;
    skips: number;
    blackFrames: number;
    decoderErrors: number;
    newestKeyframeUs: number;
    largestGapUs: number;
  };
}

/** Where the relay to be tested is; `STEADYCAST_BINARY` names another one. */
export function relayBinary(profiles: readonly string[] = ['debug', 'release']): string {
  const chosen = process.env['STEADYCAST_BINARY'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const built = profiles.map((profile) => join(ROOT, 'target', profile, 'steadycast'));
  const binary = built.find((path) => existsSync(path));
  if (binary === undefined) throw new Error('no relay: cargo build -p steadycast-relay');
  return binary;
}

/** Where a relay is going to be. */
export interface RelayPlace {
  /** Its state directory, which is there already. */
  state: string;
  origin: string;
}

export interface RelayOptions {
  /** Further flags, which depend on where it is. */
  flagsAt?: (place: RelayPlace) => Promise<string[]>;
  /** As `--limits-sessions=5`. */
  flags?: readonly string[];
  binary?: string;
  /** Listens on all addresses, not on this machine's own only. */
  everywhere?: boolean;
  /** Its broadcasts are private, and the tokens of links come with a key, as in links. */
  isPrivate?: boolean;
}

export class Relay {
  readonly #binary: string;
  readonly #port: number;
  readonly #state: string;
  readonly #flags: readonly string[];
  readonly #everywhere: boolean;
  /** Which no relay knows; null: its broadcasts are not private. */
  readonly #linkKey: string | null;
  #child: ChildProcess | null = null;

  private constructor(
    port: number,
    state: string,
    options: Required<Omit<RelayOptions, 'flagsAt'>>,
  ) {
    this.#port = port;
    this.#state = state;
    this.#binary = options.binary;
    this.#flags = options.flags;
    this.#everywhere = options.everywhere;
    this.#linkKey = options.isPrivate ? randomBytes(32).toString('base64url') : null;
  }

  /** Starts one and waits until it answers. */
  static async start(options: RelayOptions = {}): Promise<Relay> {
    const { flags = [], binary = relayBinary(), everywhere = false } = options;
    const { isPrivate = wished() !== null } = options;
    const state = await mkdtemp(join(tmpdir(), 'steadycast-relay-'));
    const port = await freePort();
    const more = (await options.flagsAt?.({ state, origin: originAt(port) })) ?? [];
    if (isPrivate) more.push(PRIVATE_FLAG);
    const all = { flags: [...flags, ...more], binary, everywhere, isPrivate };
    const relay = new Relay(port, state, all);
    await relay.#launch();
    return relay;
  }

  /**
   * By address: Chromium opens sessions to the first address of a name only, and that of
   * `localhost` is not the one that this relay listens on.
   */
  get origin(): string {
    return originAt(this.#port);
  }

  /** Where a relay that listens everywhere is for other machines; null: this one has no network. */
  get networkOrigin(): string | null {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const outer = all.find(({ family, internal }) => family === 'IPv4' && !internal);
    return outer === undefined ? null : `http://${outer.address}:${this.#port}`;
  }

  /** What opens the desk. */
  get adminKey(): string {
    return ADMIN_KEY;
  }

  /** Whether the broadcasts that are made here are. */
  get isPrivate(): boolean {
    return this.#linkKey !== null || this.#flags.includes(PRIVATE_FLAG);
  }

  /** Its state directory, with its log. */
  get state(): string {
    return this.#state;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the relay does not run');
    return pid;
  }

  get logPath(): string {
    return join(this.#state, 'relay.log');
  }

  /** SIGTERM says goodbye to everybody; SIGKILL does not. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM', withinMs?: number): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child !== null) await end(child, signal, withinMs);
  }

  /** Lets it stand still, as if its machine had; `goOn` wakes it. */
  standStill(): void {
    this.#child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Starts again on the same port with the same state. */
  async startAgain(): Promise<void> {
    if (this.#child === null) await this.#launch();
  }

  /** Ends it and forgets its state. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#state, { recursive: true, force: true });
  }

  async createBroadcast(title = 'Browser test'): Promise<CreatedBroadcast> {
    return this.#whole(await this.#call('POST', '/api/broadcasts', { title }));
  }

  async snapshot(broadcast: string): Promise<BroadcastSnapshot> {
    return this.#call('GET', `/api/broadcasts/${broadcast}`) as Promise<BroadcastSnapshot>;
  }

  /** New links, and the end of those until now for these roles. */
  async renewLinks(broadcast: string, end: ('publish' | 'play')[]): Promise<CreatedBroadcast> {
    return this.#whole(await this.#call('POST', `/api/broadcasts/${broadcast}/links`, { end }));
  }

  /** A token for one viewer, with a name. */
  async invite(broadcast: string, name: string): Promise<string> {
    const wish = { broadcast, roles: ['play'], name };
    const { token } = (await this.#call('POST', '/api/tokens', wish)) as { token: string };
    return this.#withKey(token);
  }

  /** Ends it for everybody. */
  async endBroadcast(broadcast: string): Promise<void> {
    await this.#call('DELETE', `/api/broadcasts/${broadcast}`);
  }

  /** A token signed with this relay's own key, whatever it says. */
  async forge(facts: TokenFacts): Promise<string> {
    const keys = await readFile(join(this.#state, 'token.key'), 'utf8');
    // The first one signs, and is the first word of its line.
    const [key = ''] = keys.split(/\s/);
    return this.#withKey(signToken(facts, Buffer.from(key, 'base64url')));
  }

  #whole(made: unknown): CreatedBroadcast {
    const broadcast = made as CreatedBroadcast;
    const { publishToken, playToken } = broadcast;
    const whole = [publishToken, playToken].map((token) => this.#withKey(token)) as [
      string,
      string,
    ];
    return { ...broadcast, publishToken: whole[0], playToken: whole[1] };
  }

  /** A token as links have it, with what stands beside it. */
  #withKey(token: string): string {
    return this.#linkKey === null ? token : `${token}&key=${this.#linkKey}`;
  }

  async #launch(): Promise<void> {
    const log = await open(this.logPath, 'a');
    const host = this.#everywhere ? '0.0.0.0' : '127.0.0.1';
    const args = [
      ...['serve', '--dev', '--server-listen', `${host}:${this.#port}`],
      ...['--server-state-dir', this.#state, '--server-admin-key', ADMIN_KEY],
      ...this.#flags,
    ];
    // Every such variable is a setting to the relay, and it knows none of these names.
    const { STEADYCAST_BINARY: _, STEADYCAST_PRIVATELY: __, ...env } = process.env;
    const child = launch(this.#binary, args, { env, stdio: ['ignore', log.fd, log.fd] });
    this.#child = child;
    await log.close();
    await until('the relay to answer', async () => {
      if (child.exitCode !== null) throw new Error(`the relay ended; see ${this.logPath}`);
      return (await fetch(`${this.origin}/health`)).ok;
    });
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }
}

function originAt(port: number): string {
  return `http://127.0.0.1:${port}`;
}
