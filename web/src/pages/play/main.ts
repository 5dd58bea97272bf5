/** What comes first: the way to the relay. The page itself follows while that is being opened. */

import { prepareWorker } from '../../play/spare-worker.ts';
import { relayOf } from '../../session/place.ts';
import { readToken } from '../../session/token.ts';

if (readToken(location.hash.slice(1))?.role === 'play') prepareWorker(relayOf(location.href));
void import('./app.tsx');
