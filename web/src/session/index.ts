/** Sessions with a relay; for dedicated workers, so nothing here touches a document. */

export { type ClockSample, localUs, RelayClock } from './clock.ts';
export { fetchEndpoint, type Health, probe, type RelayEndpoint } from './endpoint.ts';
export { SessionError, type SessionErrorKind } from './error.ts';
export {
  type ConnectionState,
  type KeepConnectedOptions,
  type KeepOpenOptions,
  type KeptSession,
  keepConnected,
  keepOpen,
  type Refusal,
} from './reconnect.ts';
export { RelaySession, type SessionEnd, type SessionOptions } from './session.ts';
export { type Transport, webTransportWorks } from './transport.ts';
