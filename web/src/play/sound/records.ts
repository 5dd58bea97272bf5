/** What a player counts of its sound while it listens. */
export interface SoundRecords {
  framesReceived: number;
  /** Came beside a later one alone: lost before, or sent so where many listen; WebTransport only. */
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
