/** Links to private broadcasts. */

import { randomBytes } from 'node:crypto';
import type { Stage } from './stage.ts';

/** Every broadcast of such a relay is private, unless its maker says otherwise. */
export const PRIVATE_RELAY = ['--broadcast-private=true'] as const;

/** A key, and the tokens of a broadcast with it, as they stand in links. */
export function linksOf(
  { broadcast }: Pick<Stage, 'broadcast'>,
  key = randomBytes(32).toString('base64url'),
) {
  const whole = (token: string) => `${token}&key=${key}`;
  return { key, publish: whole(broadcast.publishToken), play: whole(broadcast.playToken) };
}

/** Token and key, as they stand behind `#token=`; null: there is no key. */
export function wholeLink(link: string): string | null {
  const [, fragment = ''] = link.split('#token=');
  return fragment.includes('&key=') ? fragment : null;
}
