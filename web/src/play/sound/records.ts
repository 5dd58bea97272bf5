/** What a player counts of its sound while it listens. */
export interface SoundRecords {
  framesReceived: number;
  /** Lost on their way, and repeated by a later datagram; WebTransport only. */
  framesRepaired: number;
  framesLost: number;
  /** Came after they had been given up. */
  framesLate: number;
  /** Datagrams that broke the protocol. */
  malformed: number;
  playedMs: number;
  /** Something stood in for sound that was missing. */
  concealedMs: number;
  /** Decoded too late to be heard. */
  lateMs: number;
  /** How many times some was missing. */
  gaps: number;
  /** From the capture to the ear, at present; null: nothing is heard. */
  latencyMs: number | null;
}
