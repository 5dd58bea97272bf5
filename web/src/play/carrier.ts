import type { ConnectionState, KeepConnectedOptions } from '../session/reconnect.ts';
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

/** What a player asks of whatever brings sessions one after another. */
export interface ConnectOptions extends Omit<KeepConnectedOptions, 'onState'> {
  onState: (state: ConnectionState<Carrier>) => void;
}
