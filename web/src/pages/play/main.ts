/** What comes first: the way to the relay. The page itself follows while that is being opened. */

import { prepare } from '../../play/prepare.ts';
import { relayOf } from '../../session/place.ts';
import { readToken } from '../../session/token.ts';

const token = location.hash.slice(1);
if (readToken(token)?.role === 'play') prepare(relayOf(location.href), token);
void import('./app.tsx');
