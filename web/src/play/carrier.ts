import type { RelaySession } from '../session/session.ts';

/** What the player asks of whatever brings it frames and messages; a relay session is one. */
export type Carrier = Pick<
  RelaySession,
  | 'welcome'
  | 'clock'
  | 'rttUs'
  | 'silentMs'
  | 'groups'
  | 'heard'
  | 'send'
  | 'onStatus'
  | 'onMessage'
  | 'onDatagram'
>;
