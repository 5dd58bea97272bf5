/** The control stream's messages in both directions (PROTOCOL 2). */

import { BincodeReader, BincodeWriter, utf8Length } from './bytes.ts';
import { malformed, tooLarge, WireError } from './error.ts';
import {
  AGENT_MAX,
  CONTROL_MESSAGE_MAX,
  GOODBYE_MESSAGE_MAX,
  RESUME_SIZE,
  TOKEN_MAX,
} from './limits.ts';

/** In the order of the wire's variants. */
const ROLES = ['publisher', 'player'] as const;
const PHASES = ['waiting', 'live', 'held'] as const;

export type Role = (typeof ROLES)[number];
/** waiting: nothing published yet; live: a publisher is heard; held: it is away (PROTOCOL 2.5). */
export type Phase = (typeof PHASES)[number];

/** What the relay says of the broadcast. */
export interface Status {
  phase: Phase;
  /** When the phase began: relay clock, microseconds. */
  sinceUs: number;
  epoch: number;
  players: number;
}

export interface Hello {
  type: 'hello';
  version: number;
  role: Role;
  token: string;
  /** A name for the relay's log. */
  agent: string;
  /** The lineage to go on with, 16 bytes (PROTOCOL 3.3). */
  resume: Uint8Array | null;
}

export interface Ping {
  type: 'ping';
  sequence: number;
  /** The client's clock, microseconds. */
  sentUs: number;
}

export interface ClientGoodbye {
  type: 'goodbye';
  code: number;
  message: string;
}

/** A player could not decode this group. */
export interface GroupRequest {
  type: 'keyframeRequest';
  epoch: number;
  group: number;
}

/** Totals since the session began. */
export interface Report {
  type: 'report';
  received: number;
  decoded: number;
  shown: number;
  black: number;
  decoderErrors: number;
  /** Capture to display in microseconds; 0 when unknown. */
  latencyUs: number;
}

export interface Welcome {
  type: 'welcome';
  version: number;
  session: number;
  broadcast: string;
  /** The publisher's lineage; null for players. */
  resume: Uint8Array | null;
  heartbeatMs: number;
  /** The relay's clock, microseconds. */
  relayUs: number;
  status: Status;
}

export interface Pong {
  type: 'pong';
  sequence: number;
  sentUs: number;
  relayUs: number;
}

export interface StatusChange {
  type: 'status';
  status: Status;
}

/** The relay wants a new group on this track. */
export interface TrackRequest {
  type: 'keyframeRequest';
  track: number;
}

export interface RelayGoodbye {
  type: 'goodbye';
  code: number;
  message: string;
  /** When to reconnect by itself; null: not at all (PROTOCOL 2.8). */
  retryAfterMs: number | null;
}

export type ClientMessage = Hello | Ping | ClientGoodbye | GroupRequest | Report;
export type RelayMessage = Welcome | Pong | StatusChange | TrackRequest | RelayGoodbye;

/** In the order of the wire's variants. */
const CLIENT_TYPES = ['hello', 'ping', 'goodbye', 'keyframeRequest', 'report'] as const;
const RELAY_TYPES = ['welcome', 'pong', 'status', 'keyframeRequest', 'goodbye'] as const;

/** The message with its length in front, ready for the control stream. */
export function encodeClientMessage(message: ClientMessage): Uint8Array {
  checkTexts(message);
  const out = new BincodeWriter();
  out.u32(CLIENT_TYPES.indexOf(message.type));
  writeClientFields(out, message);
  return framed(out.written);
}

export function encodeRelayMessage(message: RelayMessage): Uint8Array {
  checkTexts(message);
  const out = new BincodeWriter();
  out.u32(RELAY_TYPES.indexOf(message.type));
  writeRelayFields(out, message);
  return framed(out.written);
}

/** Decodes one message without its length. Throws WireError. */
export function decodeClientMessage(body: Uint8Array): ClientMessage {
  const input = new BincodeReader(body);
  const message = readClientMessage(input, variant(input, CLIENT_TYPES));
  input.end();
  checkTexts(message);
  return message;
}

/** Decodes one message without its length. Throws WireError. */
export function decodeRelayMessage(body: Uint8Array): RelayMessage {
  const input = new BincodeReader(body);
  const message = readRelayMessage(input, variant(input, RELAY_TYPES));
  input.end();
  checkTexts(message);
  return message;
}

function framed(body: Uint8Array): Uint8Array {
  if (body.length > CONTROL_MESSAGE_MAX) {
    throw tooLarge(`a control message of ${body.length} bytes`);
  }
  const bytes = new Uint8Array(2 + body.length);
  new DataView(bytes.buffer).setUint16(0, body.length);
  bytes.set(body, 2);
  return bytes;
}

/** Checked on whole messages, so that rubbish is malformed before it is too large. */
function checkTexts(message: ClientMessage | RelayMessage): void {
  if (message.type === 'hello') {
    checkText('token', message.token, TOKEN_MAX);
    checkText('agent', message.agent, AGENT_MAX);
  } else if (message.type === 'goodbye') {
    checkText('goodbye', message.message, GOODBYE_MESSAGE_MAX);
  }
}

function checkText(name: string, text: string, max: number): void {
  const length = utf8Length(text);
  if (length > max) throw tooLarge(`a ${name} of ${length} bytes, at most ${max}`);
}

function variant<const Types extends readonly string[]>(
  input: BincodeReader,
  types: Types,
): Types[number] {
  const number = input.u32();
  const type = types[number];
  if (type === undefined) throw new WireError('unknown_message', `message variant ${number}`);
  return type;
}

function choice<const Names extends readonly string[]>(
  input: BincodeReader,
  names: Names,
): Names[number] {
  const number = input.u32();
  const name = names[number];
  if (name === undefined) throw malformed(`variant ${number} of ${names.join(', ')}`);
  return name;
}

function writeClientFields(out: BincodeWriter, message: ClientMessage): void {
  switch (message.type) {
    case 'hello':
      out.u16(message.version);
      out.u32(ROLES.indexOf(message.role));
      out.string(message.token);
      out.string(message.agent);
      writeResume(out, message.resume);
      break;
    case 'ping':
      out.u32(message.sequence);
      out.u64(message.sentUs);
      break;
    case 'goodbye':
      out.u16(message.code);
      out.string(message.message);
      break;
    case 'keyframeRequest':
      out.u32(message.epoch);
      out.u32(message.group);
      break;
    case 'report':
      for (const total of [message.received, message.decoded, message.shown, message.black]) {
        out.u64(total);
      }
      out.u32(message.decoderErrors);
      out.u32(message.latencyUs);
      break;
  }
}

function readClientMessage(
  input: BincodeReader,
  type: (typeof CLIENT_TYPES)[number],
): ClientMessage {
  switch (type) {
    case 'hello':
      return {
        type,
        version: input.u16(),
        role: choice(input, ROLES),
        token: input.string(),
        agent: input.string(),
        resume: readResume(input),
      };
    case 'ping':
      return { type, sequence: input.u32(), sentUs: input.u64() };
    case 'goodbye':
      return { type, code: input.u16(), message: input.string() };
    case 'keyframeRequest':
      return { type, epoch: input.u32(), group: input.u32() };
    case 'report':
      return {
        type,
        received: input.u64(),
        decoded: input.u64(),
        shown: input.u64(),
        black: input.u64(),
        decoderErrors: input.u32(),
        latencyUs: input.u32(),
      };
  }
}

function writeRelayFields(out: BincodeWriter, message: RelayMessage): void {
  switch (message.type) {
    case 'welcome':
      out.u16(message.version);
      out.u64(message.session);
      out.string(message.broadcast);
      writeResume(out, message.resume);
      out.u32(message.heartbeatMs);
      out.u64(message.relayUs);
      writeStatus(out, message.status);
      break;
    case 'pong':
      out.u32(message.sequence);
      out.u64(message.sentUs);
      out.u64(message.relayUs);
      break;
    case 'status':
      writeStatus(out, message.status);
      break;
    case 'keyframeRequest':
      out.u8(message.track);
      break;
    case 'goodbye':
      out.u16(message.code);
      out.string(message.message);
      out.option(message.retryAfterMs, (value) => out.u32(value));
      break;
  }
}

function readRelayMessage(input: BincodeReader, type: (typeof RELAY_TYPES)[number]): RelayMessage {
  switch (type) {
    case 'welcome':
      return {
        type,
        version: input.u16(),
        session: input.u64(),
        broadcast: input.string(),
        resume: readResume(input),
        heartbeatMs: input.u32(),
        relayUs: input.u64(),
        status: readStatus(input),
      };
    case 'pong':
      return { type, sequence: input.u32(), sentUs: input.u64(), relayUs: input.u64() };
    case 'status':
      return { type, status: readStatus(input) };
    case 'keyframeRequest':
      return { type, track: input.u8() };
    case 'goodbye':
      return {
        type,
        code: input.u16(),
        message: input.string(),
        retryAfterMs: input.option(() => input.u32()),
      };
  }
}

function writeStatus(out: BincodeWriter, status: Status): void {
  out.u32(PHASES.indexOf(status.phase));
  out.u64(status.sinceUs);
  out.u32(status.epoch);
  out.u32(status.players);
}

function readStatus(input: BincodeReader): Status {
  return {
    phase: choice(input, PHASES),
    sinceUs: input.u64(),
    epoch: input.u32(),
    players: input.u32(),
  };
}

function writeResume(out: BincodeWriter, resume: Uint8Array | null): void {
  if (resume !== null && resume.length !== RESUME_SIZE) {
    throw malformed(`a lineage of ${resume.length} bytes`);
  }
  out.option(resume, (bytes) => out.raw(bytes));
}

function readResume(input: BincodeReader): Uint8Array | null {
  return input.option(() => input.raw(RESUME_SIZE));
}
