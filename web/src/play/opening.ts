/** What a player needs for private broadcasts alone: a file of its own, fetched when one is there. */

export { PrivateBroadcast } from '../privacy/private-broadcast.ts';
export { CarriedSessions } from './carried/carried-sessions.ts';
