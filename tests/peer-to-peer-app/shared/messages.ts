/** What pages and the signalling server say to each other, as JSON. */

export interface Signal {
  description?: RTCSessionDescriptionInit;
  candidate?: RTCIceCandidateInit;
}

export type ClientMessage =
  /** `to`: a player, from the admin; players have nobody but the admin to speak to. */
  | { type: 'signal'; to?: string; signal: Signal }
  /** From the admin: whether the stream is meant to run. */
  | { type: 'sharing'; sharing: boolean };

export type ServerMessage =
  /** To the admin: everybody who watches. */
  | { type: 'players'; players: string[] }
  /** To players. */
  | { type: 'sharing'; sharing: boolean }
  | { type: 'signal'; from: string; signal: Signal };
