/** The capture host's worker: every frame's path, whatever the document does. */

import { HostCore } from './core.ts';
import { type Channel, type ChannelKeys, SealedChannel } from './sealed.ts';
import { memoryOf } from './storage.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The worker's global object, as far as it is used; the project's types are a document's. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

/** A panel in sight asks every second; what nobody hears is asked of the relay this rarely. */
const UNHEARD_MS = 30_000;

const scope = globalThis as unknown as WorkerScope;
let core: HostCore | null = null;
let heard = false;

setInterval(() => {
  if (!heard) scope.postMessage({ type: 'unheard' });
  heard = false;
}, UNHEARD_MS);

/** The panels' channel; notes whether anything is heard there. */
function listening(keys: ChannelKeys): Channel {
  const channel = new SealedChannel(keys);
  return {
    post: (message) => channel.post(message),
    listen: (listener) =>
      channel.listen((message) => {
        heard = true;
        listener(message);
      }),
    close: () => channel.close(),
  };
}

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'begin':
      core = new HostCore({
        begin: data,
        channel: listening(data.keys),
        memory: memoryOf(data.broadcast),
        post: (message) => scope.postMessage(message),
      });
      break;
    case 'keys':
      core?.move(listening(data.keys));
      break;
    case 'capture':
      core?.setCapture(data.phase, data.reason, data.standby);
      break;
    case 'muted':
      core?.setMuted(data.muted);
      break;
    case 'source':
      void core?.share(data);
      break;
    case 'shared':
    case 'microphone':
      core?.hear(data);
      break;
    case 'pause':
      core?.pause(data.paused);
      break;
    case 'live':
      void core?.goLive();
      break;
    case 'stop':
      void core?.stop(data.ended).then(() => scope.postMessage({ type: 'stopped' }));
      break;
  }
};
