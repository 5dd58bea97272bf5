/**
 * Measures what the README promises, with real browsers:
 * `npm run bench -- [--only join,latency,reload,restart,sealing,soak,sound] [--joins 20]
 * [--seconds 20] [--reloads 20] [--restarts 100] [--players 5] [--minutes 60] [--sound-minutes 10]`
 *
 * `STEADYCAST_PRIVATELY=webtransport` measures the same with private broadcasts.
 */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Relay, relayBinary } from '../src/relay.ts';
import type { Row } from './figures.ts';
import { measureJoins } from './join.ts';
import { measureLatency } from './latency.ts';
import { measureReloads } from './reload.ts';
import { measureRestarts } from './restart.ts';
import { measureSealing } from './sealing.ts';
import { measureSoak } from './soak.ts';
import { measureSound } from './sound.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'join,latency,reload,restart,sealing,soak,sound' },
    joins: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
    reloads: { type: 'string', default: '20' },
    restarts: { type: 'string', default: '100' },
    players: { type: 'string', default: '5' },
    minutes: { type: 'string', default: '60' },
    'sound-minutes': { type: 'string', default: '10' },
  },
});

const measures: Record<string, (relay: Relay) => Promise<Row[]>> = {
  join: (relay) => measureJoins(relay, Number(values.joins)),
  latency: (relay) => measureLatency(relay, Number(values.seconds)),
  reload: (relay) => measureReloads(relay, Number(values.reloads)),
  sealing: () => measureSealing(),
  soak: (relay) => measureSoak(relay, Number(values.minutes)),
  sound: (relay) => measureSound(relay, Number(values['sound-minutes']), Number(values.restarts)),
  restart: (relay) => measureRestarts(relay, Number(values.restarts), Number(values.players)),
};

const binary = relayBinary(['release', 'debug']);
const profile = binary.includes('/release/') ? 'release' : 'debug';
process.stdout.write(`relay: ${profile} build; ${cpus().length} cores, ${cpus()[0]?.model}\n`);
const results: Record<string, Row[]> = {};
for (const name of values.only.split(',')) {
  const measure = measures[name];
  if (measure === undefined) throw new Error(`no measurement is called ${name}`);
  const relay = await Relay.start({ binary });
  try {
    results[name] = await measure(relay);
  } finally {
    await relay.remove();
  }
}
process.stdout.write(`\n${JSON.stringify(results)}\n`);
