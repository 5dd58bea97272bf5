/** Programs of others between browsers and a relay, set up as docs/deploy has it. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { end, freePort, isOpen, launch } from './process.ts';
import { until } from './until.ts';

const DEPLOY = resolve(import.meta.dirname, '../../../docs/deploy');
const run = promisify(execFile);

/** A program that runs until it is closed. */
export interface Intermediary {
  close(): Promise<void>;
}

/** What stands in the files of docs/deploy, and what is there instead in a test. */
type Changes = readonly (readonly [string, string])[];

/** A file of docs/deploy; fails where it does not say what a test has to change. */
export async function deployed(name: string, changes: Changes): Promise<string> {
  let text = await readFile(join(DEPLOY, name), 'utf8');
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${name} does not say ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** Starts a program on files of its own, and waits until something listens on `port`. */
async function start(
  port: number,
  command: string,
  prepare: (directory: string) => Promise<string[]>,
): Promise<Intermediary> {
  const directory = await mkdtemp(join(tmpdir(), `steadycast-${command}-`));
  const args = await prepare(directory);
  const env = { ...process.env, HOME: directory, XDG_DATA_HOME: directory };
  const child = launch(command, args, { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (text) => {
    said = `${said}${text}`.slice(-4_000);
  });
  await until(`${command} to listen`, async () => {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${said}`);
    return isOpen(port);
  });
  return {
    close: async () => {
      await end(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A certificate for 127.0.0.1 that nobody trusts; gives the paths of it and of its key. */
async function certificate(directory: string): Promise<[chain: string, key: string]> {
  const chain = join(directory, 'fullchain.pem');
  const key = join(directory, 'privkey.pem');
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-days', '7', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-out', chain, '-keyout', key],
  ]);
  return [chain, key];
}

/** nginx in front of the relay at `relay`, on `port` of this machine. */
export function startNginx(relay: string, port: number): Promise<Intermediary> {
  return start(port, 'nginx', async (directory) => {
    const [chain, key] = await certificate(directory);
    const site = await deployed('nginx.conf', [
      ['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
      ['listen [::]:443 ssl http2;', ''],
      ['/etc/ssl/share/fullchain.pem', chain],
      ['/etc/ssl/share/privkey.pem', key],
      ['127.0.0.1:4443', relay],
    ]);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${directory}/${kind};`,
    );
    const whole = `daemon off; user root; worker_processes 1; pid ${directory}/pid;
      error_log stderr warn; events {} http { access_log off; ${temporary.join(' ')} ${site} }`;
    await writeFile(join(directory, 'nginx.conf'), whole);
    return ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'];
  });
}

/** Caddy in front of the relay at `relay`, on `port` of this machine. */
export function startCaddy(relay: string, port: number): Promise<Intermediary> {
  return start(port, 'caddy', async (directory) => {
    const [chain, key] = await certificate(directory);
    const site = await deployed('Caddyfile', [
      ['\n{\n', '\n{\n\tadmin off\n\tauto_https disable_redirects\n'],
      ['share.example.org {', `https://127.0.0.1:${port} {`],
      ['/etc/ssl/share/fullchain.pem', chain],
      ['/etc/ssl/share/privkey.pem', key],
      ['127.0.0.1:4443', relay],
      // The relay has a certificate of its own making.
      ['tls_server_name share.example.org', 'tls_insecure_skip_verify'],
    ]);
    const file = join(directory, 'Caddyfile');
    await writeFile(file, site);
    return ['run', '--config', file, '--adapter', 'caddyfile'];
  });
}

/** A proxy on `port` that carries connections (CONNECT) to the relay's port and to no other. */
export function startTinyproxy(relayPort: number, port: number): Promise<Intermediary> {
  return start(port, 'tinyproxy', async (directory) => {
    const file = join(directory, 'tinyproxy.conf');
    const lines = await deployed('tinyproxy.conf', [
      ['Port 8888', `Port ${port}`],
      ['ConnectPort 4443', `ConnectPort ${relayPort}`],
      ['User tinyproxy', 'User root'],
      ['Group tinyproxy', 'Group root'],
    ]);
    await writeFile(file, `${lines}\nListen 127.0.0.1\nLogLevel Warning\n`);
    return ['-d', '-c', file];
  });
}

/** coturn on `port` of this machine, over TCP or over TLS, which sends on to the relay over UDP. */
export function startTurn(scheme: 'turn' | 'turns', port: number): Promise<Intermediary> {
  return start(port, 'turnserver', async (directory) => {
    const [chain, key] = await certificate(directory);
    const other = await freePort();
    const ports = {
      turn: `listening-port=${port}\nno-tls\nno-dtls`,
      turns: `listening-port=${other}\ntls-listening-port=${port}\nno-dtls`,
    };
    const lines = await deployed('turnserver.conf', [
      ['listening-port=3478\ntls-listening-port=5349', ports[scheme]],
      ['/etc/ssl/share/fullchain.pem', chain],
      ['/etc/ssl/share/privkey.pem', key],
      ['allowed-peer-ip=198.51.100.7', 'allowed-peer-ip=127.0.0.1\nallow-loopback-peers'],
    ]);
    const file = join(directory, 'turnserver.conf');
    const here = 'listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nno-udp\nlog-file=stdout';
    const files = `pidfile=${directory}/pid\nuserdb=${directory}/turndb`;
    await writeFile(file, `${lines}\n${here}\n${files}\n`);
    return ['-c', file];
  });
}
