/** What a player has to know only where there are other relays: a file of its own, fetched after the first picture. */

export { Journey } from './journey.ts';
export { Scouts } from './scouts.ts';
