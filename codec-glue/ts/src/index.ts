/** The Steadycast wire (PROTOCOL.md) for browsers: bytes to messages and frames, and back. */

export { CODES, type CodeEntry, type CodeName, codeName, fromHttp3, toHttp3 } from './code.ts';
export {
  type ClientGoodbye,
  type ClientMessage,
  decodeClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  encodeRelayMessage,
  type GroupRequest,
  type Hello,
  type Phase,
  type Ping,
  type Pong,
  type RelayGoodbye,
  type RelayMessage,
  type Report,
  type Role,
  type Status,
  type StatusChange,
  type TrackRequest,
  type Welcome,
} from './control.ts';
export { WireError } from './error.ts';
export {
  type DecoderConfig,
  type EncodedFrame,
  encodeFrame,
  type Frame,
  type FrameHeader,
  sameDecoderConfig,
} from './frame.ts';
export * from './limits.ts';
export { ControlParser, GroupParser, groupPreamble } from './stream.ts';
