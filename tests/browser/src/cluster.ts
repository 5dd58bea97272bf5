/** Several relays that know one another: the engine that they have, and the authority by which they do. */

import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { end, freePort, isOpen, launch } from './process.ts';
import { type CreatedBroadcast, Relay, type RelayPlace } from './relay.ts';
import { type Closable, type Stage, scenario } from './stage.ts';
import { until } from './until.ts';

const run = promisify(execFile);
/** What the keys that all of them have are sealed with. */
const SECRET = 'a-secret-of-relays-that-are-there-for-a-scenario';
const ENGINE = resolve(import.meta.dirname, '../../../target/tools/nats/bin/nats-server');

/** Relays with one engine. */
export class Cluster implements Closable {
  readonly #directory: string;
  readonly #enginePort: number;
  readonly #engine: ChildProcess;
  readonly #edges: Relay[] = [];

  private constructor(directory: string, enginePort: number, engine: ChildProcess) {
    this.#directory = directory;
    this.#enginePort = enginePort;
    this.#engine = engine;
  }

  /** An engine and an authority, and no relay yet. */
  static async start(): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'steadycast-cluster-'));
    const port = await freePort();
    const args = ['--jetstream', '--addr=127.0.0.1', `--port=${port}`];
    const store = [`--store_dir=${join(directory, 'engine')}`, `--log=${join(directory, 'log')}`];
    const engine = launch(ENGINE, [...args, ...store], { stdio: 'ignore' });
    await until('the engine', () => isOpen(port));
    const cluster = new Cluster(directory, port, engine);
    await cluster.#found();
    return cluster;
  }

  /** The flags of a relay at this place. */
  async flagsOf({ state, origin }: RelayPlace): Promise<string[]> {
    const certificate = await this.#admit(state);
    const links = `127.0.0.1:${await freePort()}`;
    return [
      ...['--server-public-url', origin, '--cluster-nats', `nats://127.0.0.1:${this.#enginePort}`],
      ...['--cluster-listen', links, '--cluster-advertise', links, '--cluster-lease-s', '3'],
      ...['--cluster-authority', join(this.#directory, 'ca.pem')],
      ...['--cluster-certificate', certificate, '--cluster-key', `${certificate}.key`],
      ...['--cluster-secret', SECRET],
    ];
  }

  /** Another relay, that players may be at. */
  async edge(more: readonly string[] = []): Promise<Relay> {
    const place = async (place: RelayPlace) => [...(await this.flagsOf(place)), ...more];
    const relay = await Relay.start({ flagsAt: place });
    this.#edges.push(relay);
    return relay;
  }

  async close(): Promise<void> {
    for (const relay of this.#edges) {
      relay.goOn();
      await relay.remove();
    }
    await end(this.#engine);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async keep(directory: string): Promise<void> {
    for (const [place, relay] of this.#edges.entries()) {
      await copyFile(relay.logPath, join(directory, `edge-${place}.log`));
    }
  }

  /** Makes the authority. */
  async #found(): Promise<void> {
    const [ca, key] = [join(this.#directory, 'ca.pem'), join(this.#directory, 'ca.key')];
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '7', '-subj', '/CN=Relays', '-out', ca, '-keyout', key],
      ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ]);
  }

  /** A certificate of the authority's for a relay; its key is beside it. */
  async #admit(state: string): Promise<string> {
    const [ca, key] = [join(this.#directory, 'ca.pem'), join(this.#directory, 'ca.key')];
    const certificate = join(state, 'relay.pem');
    const request = join(state, 'relay.csr');
    await run('openssl', [
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=relay', '-out', request, '-keyout', `${certificate}.key`],
    ]);
    const names = join(state, 'names');
    await writeFile(names, 'subjectAltName=DNS:relay.invalid\n');
    await run('openssl', [
      ...['x509', '-req', '-in', request, '-CA', ca, '-CAkey', key, '-CAcreateserial'],
      ...['-days', '7', '-out', certificate, '-extfile', names],
    ]);
    return certificate;
  }
}

/** What a scenario with several relays has: the stage's relay is the one that the publisher is at. */
export interface Cast {
  stage: Stage;
  broadcast: CreatedBroadcast;
  /** Two others. */
  edges: [Relay, Relay];
}

/** A scenario with three relays; `flags`: of the two that players are at. */
export function clusterScenario(
  name: string,
  play: (cast: Cast) => Promise<void>,
  flags: readonly string[] = [],
): void {
  let cluster: Cluster | null = null;
  const prepare = async (place: RelayPlace) => {
    cluster = await Cluster.start();
    return cluster.flagsOf(place);
  };
  scenario(
    name,
    async (stage) => {
      if (cluster === null) throw new Error('no cluster was started');
      stage.closeLater(cluster);
      const edges: [Relay, Relay] = [await cluster.edge(flags), await cluster.edge(flags)];
      for (const relay of edges) await until('relays that know one another', () => knows(relay, 2));
      await play({ stage, broadcast: stage.broadcast, edges });
    },
    { flagsAt: prepare },
  );
}

/** Whether a relay tells pages of so many others. */
export async function knows(relay: Relay, others: number): Promise<boolean> {
  const answer = await fetch(`${relay.origin}/api/relay`);
  const { relays } = (await answer.json()) as { relays: unknown[] };
  return relays.length === others;
}
