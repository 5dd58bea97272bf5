/**
 * Glass to glass: a clock drawn in a captured page of moving text, read from the pixels that
 * players in other browsers show. Prints one JSON object ({@link GlassReport}) on stdout, and what
 * it is doing on stderr:
 *
 *     npm run --silent glass --workspace tests/browser -- --seconds 60 --transport webtransport,whep
 *
 * --seconds N       how long is measured (30), after --warm-up N seconds (5) that are cut off
 * --transport LIST  webtransport, whep, websocket or auto (webtransport); with several, separated by commas,
 *                   a player each, all at the same time
 * --player-exec CMD a command that a player's browser is run by, as in "ip netns exec NAME"; given
 *                   several times, players of every transport behind each
 * --host-exec CMD   the same for the host's browser
 * --admin-url URL   the links that a relay printed; without them a relay is started for the run
 * --player-url URL  (the newest build in target, or STEADYCAST_BINARY), on this machine's loopback
 * --relay-flags S   for that relay, separated by spaces
 * --codec NAME      auto, av1, h264, vp9 or vp8 (auto, which is AV1 where the browser has it)
 * --bitrate N       bits a second that the encoder aims at (2,000,000)
 * --fps N           drawings a second (30)
 * --busy N          lines of text written anew in each drawing, which is what costs bits (1: 2 Mbit/s in H.264)
 * --mode NAME       the viewer's setting for play-out: automatic (as if absent), live or smooth
 * --store JSON      more of what the player's page finds in localStorage, as {"key": "value"}
 * --sound NAME      off: the host captures none; unheard: it does, and no player listens; heard: players do
 *                   (unheard)
 * --slow-encoder N  the host's encoders take so many times as long (1)
 * --first-within N  seconds that a first picture may take (30)
 * --still N         then the captured page stands still for so many seconds, and it is measured how
 *                   sharp its text is shown
 *
 * Times are Unix milliseconds of this machine's clock, which browsers in other network namespaces
 * share; `samples` hold one entry per new picture: `t` since `startedMs`, and the picture's `age`.
 * The pixels are looked at in every animation frame, sixty times a second.
 */

import { parseArgs } from 'node:util';
import type { TransportName } from '../../../web/src/play/race.ts';
import { type CodecChoice, DEFAULT_QUALITY } from '../../../web/src/publish/quality.ts';
import type { HostStatus } from '../../../web/src/publish/status.ts';
import { linkTo } from '../src/links.ts';
import type { HostPage, Records } from '../src/pages.ts';
import { type BroadcastSnapshot, Relay, relayBinary } from '../src/relay.ts';
import { pause } from '../src/until.ts';
import { GlassPlayer, type GlassTransport, openHost } from './glass-browsers.ts';
import { sharpness } from './sharpness.ts';
import { figuresOf, type SightFigures } from './sights.ts';

export interface GlassReport {
  startedMs: number;
  seconds: number;
  codec: string | null;
  players: PlayerReport[];
  host: HostStatus | null;
  /** The broadcast at the end; null: the relay is not this run's own. */
  relay: BroadcastSnapshot | null;
  still: Still | null;
}

/** The captured page has stood still for so long: PSNR in dB of the text that players show, in their order. */
export interface Still {
  seconds: number;
  psnr: number[];
}

/** What a host is at, in few words. */
function brief(status: HostStatus | null) {
  if (status === null) return null;
  const { limits, motion, rates, counts, renditions } = status;
  const { keyframesSent } = counts;
  return { limits, motion, ...rates, keyframesSent, renditions };
}

interface PlayerReport extends SightFigures {
  /** As asked for, and what brought the picture at the end. */
  transport: GlassTransport;
  used: TransportName | null;
  exec: string;
  samples: { t: number; age: number }[];
  /** From opening the page, in a browser that was just started, to its first picture. */
  firstPictureMs: number | null;
  sessionsOpened: number;
  sessionsClosed: number;
  /** How often the pixels were looked at, in vain at times, and what a look cost the page. */
  looks: { count: number; unread: number; costMs: number };
  records: Omit<Records, 'shown'>;
  /** What was heard meanwhile; null: nothing. */
  sound: Heard | null;
}

interface Heard {
  playedMs: number;
  concealedMs: number;
  gaps: number;
  /** From the capture to the ear, at the end; null: nothing is heard. */
  latencyMs: number | null;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    'warm-up': { type: 'string', default: '5' },
    transport: { type: 'string', default: 'webtransport' },
    'player-exec': { type: 'string', multiple: true, default: [''] },
    'host-exec': { type: 'string', default: '' },
    'admin-url': { type: 'string' },
    'player-url': { type: 'string' },
    'relay-flags': { type: 'string', default: '' },
    codec: { type: 'string', default: 'auto' },
    bitrate: { type: 'string', default: '2000000' },
    fps: { type: 'string', default: '30' },
    busy: { type: 'string', default: '1' },
    mode: { type: 'string' },
    store: { type: 'string', default: '{}' },
    sound: { type: 'string', default: 'unheard' },
    'slow-encoder': { type: 'string', default: '1' },
    'first-within': { type: 'string', default: '30' },
    still: { type: 'string' },
  },
});

interface Links {
  admin: URL;
  player: URL;
  snapshot: (() => Promise<BroadcastSnapshot>) | null;
  close: () => Promise<void>;
}

/** What is to be closed at the end, in the order of opening. */
const open: { close(): Promise<void> }[] = [];
try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`);
} finally {
  for (const one of open.reverse()) await one.close().catch(() => undefined);
}

async function measure(): Promise<GlassReport> {
  const links = await linksOf();
  open.push(links);
  const quality = {
    ...DEFAULT_QUALITY,
    codec: values.codec as CodecChoice,
    bitrate: Number(values.bitrate),
  };
  const reading = { fps: Number(values.fps), busy: Number(values.busy) };
  const slower = Number(values['slow-encoder']);
  const sounds = values.sound !== 'off';
  const hosting = { exec: values['host-exec'], link: links.admin, slower, sounds };
  const { glass, host } = await openHost(hosting, reading, quality);
  open.push(glass);
  say('the host is live');
  const players = await openPlayers(links.player);
  await pause(Number(values['warm-up']) * 1_000);
  await Promise.all(players.map(({ player }) => player.resetEye()));
  const before = await Promise.all(players.map(({ player }) => player.records()));
  const startedMs = Date.now();
  const seconds = Number(values.seconds);
  say('measuring', { startedMs });
  for (let second = 0; second < seconds; second += 1) {
    await pause(Math.max(0, startedMs + (second + 1) * 1_000 - Date.now()));
    say('a second', { host: brief(await host.status()) });
  }
  const untilMs = Date.now();
  say('measured');
  const still = values.still === undefined ? null : await rest(host, players);
  const status = await host.status();
  return {
    startedMs,
    seconds,
    codec: status?.picture?.codec ?? null,
    players: await Promise.all(
      players.map((one, at) => reportOf(one, startedMs, untilMs, before[at]?.sound ?? null)),
    ),
    host: status,
    relay: (await links.snapshot?.()) ?? null,
    still,
  };
}

/** Has the captured page stand still for as long as was said; how sharp players show it then. */
async function rest(host: HostPage, players: Watching[]): Promise<Still> {
  await host.page.evaluate(() => {
    if (window.reading !== undefined) window.reading.moving = false;
  });
  const seconds = Number(values.still);
  for (let second = 0; second < seconds; second += 1) {
    await pause(1_000);
    say('a second at rest', { host: brief(await host.status()) });
  }
  const psnr = players.map(({ player }) => sharpness(host.page, player.page));
  return { seconds, psnr: await Promise.all(psnr) };
}

async function linksOf(): Promise<Links> {
  const { 'admin-url': admin, 'player-url': player, 'relay-flags': flags } = values;
  if (admin !== undefined && player !== undefined) {
    const close = async () => undefined;
    return { admin: new URL(admin), player: new URL(player), snapshot: null, close };
  }
  const relay = await Relay.start({
    binary: relayBinary(['release', 'debug']),
    flags: flags.split(' ').filter((flag) => flag !== ''),
  });
  const { id, publishToken, playToken } = await relay.createBroadcast('Glass to glass');
  return {
    admin: new URL(linkTo(relay.origin, 'admin', publishToken)),
    player: new URL(linkTo(relay.origin, 'play', playToken)),
    snapshot: () => relay.snapshot(id),
    close: () => relay.remove(),
  };
}

interface Watching {
  player: GlassPlayer;
  transport: GlassTransport;
  exec: string;
}

/** One after another: each has the machine for itself while it opens. */
async function openPlayers(link: URL): Promise<Watching[]> {
  const stored = {
    ...(values.sound === 'heard' ? {} : { 'steadycast-sound': 'off 1' }),
    ...(JSON.parse(values.store) as Record<string, string>),
    ...modeEntry(),
  };
  const players: Watching[] = [];
  for (const exec of values['player-exec']) {
    for (const transport of values.transport.split(',') as GlassTransport[]) {
      const listens = values.sound === 'heard';
      const player = await GlassPlayer.open({ exec, link, listens }, transport, stored);
      open.push(player.glass);
      players.push({ player, transport, exec });
      await player.waitForSight(Number(values['first-within']) * 1_000);
      say('a player has a picture', { transport, exec });
    }
  }
  return players;
}

function modeEntry(): Record<string, string> {
  return values.mode === undefined ? {} : { 'steadycast-playout': values.mode };
}

async function reportOf(
  { player, transport, exec }: Watching,
  startedMs: number,
  untilMs: number,
  heardBefore: Records['sound'],
): Promise<PlayerReport> {
  const { sights, looks, unread, spentMs, firstMs } = await player.eye();
  const { shown: _, ...records } = await player.records();
  const seen = sights.filter(({ atMs }) => atMs >= startedMs && atMs < untilMs);
  return {
    transport,
    used: await player.transport(),
    exec,
    ...figuresOf(sights, startedMs, untilMs),
    firstPictureMs: firstMs,
    sessionsOpened: records.sessionsOpened,
    sessionsClosed: records.sessionsClosed,
    looks: { count: looks, unread, costMs: looks === 0 ? 0 : spentMs / looks },
    records,
    sound: heardSince(heardBefore, records.sound),
    samples: seen.map(({ atMs, ageMs }) => ({ t: atMs - startedMs, age: ageMs })),
  };
}

function heardSince(before: Records['sound'], now: Records['sound']): Heard | null {
  if (now === null) return null;
  return {
    playedMs: now.playedMs - (before?.playedMs ?? 0),
    concealedMs: now.concealedMs - (before?.concealedMs ?? 0),
    gaps: now.gaps - (before?.gaps ?? 0),
    latencyMs: now.latencyMs,
  };
}

function say(what: string, more: object = {}): void {
  process.stderr.write(`${JSON.stringify({ what, atMs: Date.now(), ...more })}\n`);
}
