/**
 * What comes first: the way to the relay, and the player. The page itself follows while they are at
 * work, and gives the picture its place. What is to be seen meanwhile is in the document.
 */

import { prepare } from '../../play/prepare.ts';
import { relayOf } from '../../session/place.ts';
import { readToken } from '../../session/token.ts';
import { address } from './address.ts';

/** A page of which a part is missing, since its relay has another version by now, say, is loaded anew after this. */
const ANEW_AFTER_MS = 5_000;

const { token, key } = address.opened();
const origin = relayOf(location.href);
const mayPlay = readToken(token)?.roles.includes('play') === true;

async function open(): Promise<void> {
  if (mayPlay) prepare(origin, token, key !== null);
  const { PlayerStreamService } = await import('../../services/PlayerStreamService.ts');
  // It plays before the page has drawn itself.
  const service = new PlayerStreamService();
  if (mayPlay) service.begin({ origin, token, key });
  const { showPage } = await import('./app.tsx');
  showPage(service);
}

open().catch(() => setTimeout(() => location.reload(), ANEW_AFTER_MS));
