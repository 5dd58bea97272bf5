/** Sessions with a relay; for dedicated workers, so nothing here touches a document. */

export { connectBy } from './carriers.ts';
export { type ClockSample, localUs, RelayClock } from './clock.ts';
export { fetchEndpoint, type Health, probe, type RelayEndpoint } from './endpoint.ts';
export { SessionError, type SessionErrorKind } from './error.ts';
export { connectFirst } from './first.ts';
export { Losses } from './losses.ts';
export { onNetworkChange } from './network.ts';
export {
  type ConnectionState,
  type KeepConnectedOptions,
  type KeepOpenOptions,
  type KeptSession,
  keepConnected,
  keepOpen,
  type Loss,
  type Refusal,
} from './reconnect.ts';
export { RelaySession, type SessionEnd, type SessionOptions } from './session.ts';
export {
  CARRIERS,
  type CarrierName,
  type Connect,
  type Transport,
  webTransportWorks,
} from './transport.ts';
export { webSocketWorks } from './websocket/connect.ts';
