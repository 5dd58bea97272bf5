/** What sharing and watching are made of, for any page, with or without a framework. */

export { comparisonCode, type LinkKey, newLinkKey, readLinkKey } from '@steadycast/codec-glue';
export type { HeardSound, PlayerSnapshot } from '../play/messages.ts';
export type { PlayerRecords, ShownFrame } from '../play/records.ts';
export type { SoundRecords } from '../play/sound/records.ts';
export type { SoundWish } from '../play/sound/wish.ts';
export type { PlayoutMode } from '../play/spread.ts';
export type { PlayerState } from '../play/state.ts';
export type { Crop } from '../publish/geometry.ts';
export type { Quality } from '../publish/quality.ts';
export type { SoundChoice } from '../publish/sound/choice.ts';
export type { Levels, SoundFacts } from '../publish/sound/facts.ts';
export type { HostState, HostStatus } from '../publish/status.ts';
export {
  AdminScreenShareService,
  type HostPresence,
  type OwnShareOptions,
  type PreviewImage,
  type ShareOptions,
  type ShareService,
  type ShareSnapshot,
} from '../services/AdminScreenShareService.ts';
export {
  ApiError,
  type BroadcastFacts,
  type CreatedBroadcast,
  createBroadcast,
  endBroadcast,
  type ListedBroadcast,
  listBroadcasts,
  makeTimedLink,
  type NewLinks,
  type OwnBroadcast,
  type Page,
  readBroadcast,
  renewLinks,
} from '../services/api.ts';
export {
  type PlayerReport,
  type PlayerService,
  PlayerStreamService,
  type PlayOptions,
} from '../services/PlayerStreamService.ts';
export { readToken, type TokenClaims } from '../session/token.ts';
export { type Language, language, speak } from '../words/language.ts';
