/** The Steadycast wire (PROTOCOL.md) for browsers: bytes to messages and frames, and back. */

export { CARRIED_NUMBERS, type Carried, readCarried } from './carried.ts';
export { CODES, type CodeEntry, type CodeName, codeName, fromHttp3, toHttp3 } from './code.ts';
export * from './codec.ts';
export { COLOUR_SINCE, type Colour, type ColourNames, colourOf } from './colour.ts';
export {
  decodeClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  encodeRelayMessage,
} from './control.ts';
export { WireError } from './error.ts';
export {
  type DecoderConfig,
  type EncodedFrame,
  encodeFrame,
  encodeHead,
  type Frame,
  type FrameHeader,
  sameDecoderConfig,
} from './frame.ts';
export * from './limits.ts';
export type {
  Arrived,
  Ask,
  Audience,
  Branch,
  ClientGoodbye,
  ClientMessage,
  Continue,
  Decodes,
  GroupRequest,
  Hello,
  Listen,
  Listeners,
  Move,
  Needs,
  OtherRelays,
  PathChange,
  Pause,
  PauseOfEpoch,
  Phase,
  Ping,
  Pong,
  Pull,
  RelayGoodbye,
  RelayMessage,
  RenditionRefused,
  Renditions,
  Report,
  Role,
  ServingChange,
  SoundChange,
  Status,
  StatusChange,
  Through,
  TrackGroup,
  TrackRequest,
  Tracks,
  Welcome,
} from './message.ts';
export { PHASES } from './message.ts';
export * from './privacy/index.ts';
export {
  decodeSound,
  encodeSound,
  opusDurationUs,
  SOUND_CODECS,
  type SoundCodec,
  type SoundFormat,
  type SoundPacket,
} from './sound.ts';
export { ControlParser, GroupParser, groupPreamble } from './stream.ts';
export {
  agree,
  PAUSES_SINCE,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
  SEALED_SINCE,
  SOUND_SINCE,
  type Versions,
} from './version.ts';
