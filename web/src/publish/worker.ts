/** The capture host's worker: every frame's path, whatever the document does. */

import { HostCore } from './core.ts';
import { channelName } from './messages.ts';
import { memoryOf } from './storage.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The worker's global object, as far as it is used; the project's types are a document's. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let core: HostCore | null = null;

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'begin':
      core = new HostCore({
        begin: data,
        channel: new BroadcastChannel(channelName(data.broadcast)),
        memory: memoryOf(data.broadcast),
        post: (message) => scope.postMessage(message),
      });
      break;
    case 'capture':
      core?.setCapture(data.phase, data.reason);
      break;
    case 'muted':
      core?.setMuted(data.muted);
      break;
    case 'source':
      void core?.share(data);
      break;
    case 'stop':
      void core?.stop(data.ended).then(() => scope.postMessage({ type: 'stopped' }));
      break;
  }
};
