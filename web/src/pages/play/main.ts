/**
 * What comes first: the way to the relay, and the player. The page itself follows while they are at
 * work, and gives the picture its place.
 */

import { prepare } from '../../play/prepare.ts';
import { relayOf } from '../../session/place.ts';
import { readToken } from '../../session/token.ts';

const token = location.hash.slice(1);
const origin = relayOf(location.href);
const mayPlay = readToken(token)?.roles.includes('play') === true;

async function open(): Promise<void> {
  if (mayPlay) prepare(origin, token);
  const { service } = await import('./player.ts');
  if (mayPlay) service.begin({ origin, token });
  const { showPage } = await import('./app.tsx');
  showPage(service);
}

void open();
