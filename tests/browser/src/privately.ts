/**
 * Scenarios that are played once more with a private broadcast, without a line of their own: links have a key, and
 * browsers have the carrier that is wished.
 */

/**
 * What brings the broadcast to those who watch: a carrier for host and players, or WebTransport with a player in Firefox
 * beside those that the scenario has.
 */
export type Privately = 'webtransport' | 'websocket' | 'firefox';

const ALL: readonly Privately[] = ['webtransport', 'websocket', 'firefox'];

/** Has a relay make nothing but private broadcasts, unless somebody says otherwise. */
export const PRIVATE_FLAG = '--broadcast-private=true';

/** How all scenarios of this run are to be played; null: with broadcasts that are not private. */
export function wished(): Privately | null {
  const text = process.env['STEADYCAST_PRIVATELY'];
  if (text === undefined || text === '') return null;
  const found = ALL.find((one) => one === text);
  if (found === undefined) throw new Error(`STEADYCAST_PRIVATELY: ${text} is none of ${ALL}`);
  return found;
}
