/** The player's worker: everything but the page's controls runs here. */

import type { RelayEndpoint } from '../session/endpoint.ts';
import { connectBy, keepConnected } from '../session/index.ts';
import { Ahead } from './ahead.ts';
import type { CarriedSessions } from './carried/carried-sessions.ts';
import type { CarriedWord, Transformer } from './carried/words.ts';
import type { ConnectOptions } from './carrier.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { knownOnce } from './once.ts';
import { Player } from './player.ts';

/** The worker's global object, as far as it is used; the project's types are a document's. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  onrtctransform: ((event: Event & { transformer: Transformer }) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let player: Player | null = null;
let ahead: Ahead | null = null;
/** What the page says of the relay. */
let tell: (endpoint: RelayEndpoint | null) => void = () => undefined;
const told = new Promise<RelayEndpoint | null>((resolve) => {
  tell = resolve;
});

/** What knows of the page's WebRTC sessions; asked for by the first word of one. */
let carried: Promise<CarriedSessions> | null = null;

/** In the order in which it is asked for. */
function withCarried<T>(act: (sessions: CarriedSessions) => T): Promise<T> {
  carried ??= import('./opening.ts').then(({ CarriedSessions }) => {
    return new CarriedSessions((answer) => scope.postMessage({ type: 'carried', answer }));
  });
  return carried.then(act);
}

function start(wanted: Extract<ToWorker, { type: 'start' }>): void {
  const { canvas, origin, token, key, playout, carrier, endpoint } = wanted;
  const begun = ahead;
  player = new Player({
    canvas,
    origin,
    token,
    key,
    playout,
    transport: carrier,
    onSnapshot: (snapshot, shown) => scope.postMessage({ type: 'snapshot', snapshot, shown }),
    connect: (options: ConnectOptions) => {
      if (carrier === 'whep') return withCarried((sessions) => sessions.connect(options));
      return (
        begun?.keepConnected(options) ??
        keepConnected({
          ...options,
          connect: connectBy(carrier, options.origin),
          deps: endpoint === null ? {} : knownOnce(endpoint),
        })
      );
    },
    onProgress: (progress) => scope.postMessage({ type: 'progress', progress }),
  });
  void player.run().then(() => scope.postMessage({ type: 'stopped' }));
}

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'prepare':
      ahead = new Ahead(data.origin, { told, connect: connectBy(data.carrier, data.origin) });
      break;
    case 'endpoint':
      tell(data.endpoint);
      break;
    case 'start':
      start(data);
      break;
    case 'playout':
      if (player !== null) player.playout = data.mode;
      break;
    case 'redraw':
      player?.redraw();
      break;
    case 'looked':
      player?.looked(data.blank);
      break;
    case 'hidden':
      if (player !== null) player.hidden = data.hidden;
      break;
    case 'listen':
      void player?.listen(data.port);
      break;
    case 'heard':
      player?.heard(data.at);
      break;
    case 'carried':
      hear(data.word);
      break;
    case 'stop':
      player?.stop();
      break;
  }
};

function hear(word: CarriedWord): void {
  void withCarried((sessions) => sessions.hear(word));
}

// What comes of it waits in the stream until it is read.
scope.onrtctransform = ({ transformer }) => {
  void withCarried((sessions) => sessions.transform(transformer));
};
