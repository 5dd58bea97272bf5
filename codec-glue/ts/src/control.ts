/** Control messages as bytes (PROTOCOL 2.1). */

import { BincodeReader, BincodeWriter, utf8Length } from './bytes.ts';
import {
  CODEC_KINDS,
  type CodecKind,
  codecOf,
  MAIN_TRACK,
  MEDIA_KINDS,
  type Rendition,
  SERVICES,
  type Serving,
  TRACK_MAX,
  type WantedTrack,
} from './codec.ts';
import { malformed, tooLarge } from './error.ts';
import {
  AGENT_MAX,
  BROADCAST_MAX,
  CONTROL_MESSAGE_MAX,
  GOODBYE_MESSAGE_MAX,
  PLACE_MAX,
  PLACES_MAX,
  REFUSAL_REASON_MAX,
  REGION_MAX,
  RELAY_ID_SIZE,
  RELAYS_MAX,
  RESUME_SIZE,
  SOUND_CHANNELS_MAX,
  SOUND_REPEATS_MAX,
  TOKEN_MAX,
} from './limits.ts';
import {
  type ClientMessage,
  PHASES,
  type RelayMessage,
  ROLES,
  type Status,
  type TrackGroup,
} from './message.ts';
import { SOUND_CODECS, type SoundFormat } from './sound.ts';
import {
  CLIENT_NUMBERS,
  CLIENT_VARIANTS,
  type ClientType,
  MAY_GROW,
  RELAY_NUMBERS,
  RELAY_VARIANTS,
  type RelayType,
  variant,
} from './variants.ts';
import { PROTOCOL_VERSION } from './version.ts';

/** The message with its length in front, ready for the control stream. */
export function encodeClientMessage(message: ClientMessage): Uint8Array {
  check(message);
  const out = new BincodeWriter();
  out.u32(CLIENT_NUMBERS.get(message.type) ?? -1);
  writeClientFields(out, message);
  return framed(out.written);
}

export function encodeRelayMessage(message: RelayMessage): Uint8Array {
  check(message);
  const out = new BincodeWriter();
  out.u32(RELAY_NUMBERS.get(message.type) ?? -1);
  writeRelayFields(out, message);
  return framed(out.written);
}

/**
 * Decodes one message without its length; null for one of a later version that may be skipped
 * (PROTOCOL 2.12). Throws WireError.
 */
export function decodeClientMessage(body: Uint8Array): ClientMessage | null {
  const input = new BincodeReader(body);
  const type = variant(input, CLIENT_VARIANTS);
  if (type === null) return null;
  const message = readClientMessage(input, type);
  // Who comes does not know yet what the relay speaks.
  const comes = message.type === 'hello' || message.type === 'pull';
  const grows = comes && message.version > PROTOCOL_VERSION;
  if (!grows) input.end();
  check(message);
  return message;
}

/**
 * Decodes one message without its length; null for one of a later version that may be skipped
 * (PROTOCOL 2.12). Throws WireError.
 */
export function decodeRelayMessage(body: Uint8Array): RelayMessage | null {
  const input = new BincodeReader(body);
  const type = variant(input, RELAY_VARIANTS);
  if (type === null) return null;
  const message = readRelayMessage(input, type);
  if (!MAY_GROW.has(message.type)) input.end();
  check(message);
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
function check(message: ClientMessage | RelayMessage): void {
  switch (message.type) {
    case 'hello':
      checkText('token', message.token, TOKEN_MAX);
      checkText('agent', message.agent, AGENT_MAX);
      break;
    case 'goodbye':
      checkText('goodbye', message.message, GOODBYE_MESSAGE_MAX);
      break;
    case 'renditionRefused':
      checkText('refusal', message.reason, REFUSAL_REASON_MAX);
      if (message.track === MAIN_TRACK) throw malformed('the main track is no rendition');
      break;
    case 'pause':
      if (message.from[0]?.track !== MAIN_TRACK) throw malformed('a pause without the main track');
      checkOrder(message.from.slice(1));
      break;
    case 'pull':
      checkText('broadcast', message.broadcast, BROADCAST_MAX);
      checkRelays(message.relays);
      break;
    case 'branch':
      checkText("relay's address", message.place ?? '', PLACE_MAX);
      checkText('region', message.region ?? '', REGION_MAX);
      checkPlaces(message.vain);
      break;
    case 'through':
      checkRelays(message.relays);
      break;
    case 'ask':
      checkText("relay's address", message.relay, PLACE_MAX);
      break;
    case 'relays':
      checkPlaces(message.relays);
      break;
    case 'renditions':
      checkRenditions(message.wanted);
      break;
    case 'tracks':
      checkOrder(message.wanted);
      break;
    case 'sound':
      checkFormat(message.sound);
      break;
    case 'listeners':
      if (message.repeat > SOUND_REPEATS_MAX) throw malformed(`${message.repeat} frames repeated`);
      break;
  }
}

function checkRelays(relays: readonly Uint8Array[]): void {
  if (relays.length === 0) throw malformed('a way through no relay');
  if (relays.length > RELAYS_MAX) throw tooLarge(`a way through ${relays.length} relays`);
}

/** A handful of addresses. */
function checkPlaces(relays: readonly string[]): void {
  if (relays.length > PLACES_MAX) throw tooLarge(`${relays.length} other relays`);
  for (const url of relays) checkText("relay's address", url, PLACE_MAX);
}

/** Each track once, in order, with the codec that goes with it. */
function checkRenditions(wanted: readonly Rendition[]): void {
  for (const { track, codec } of wanted) {
    if (codecOf(track) !== codec) throw malformed("a rendition on another codec's track");
  }
  checkOrder(wanted);
}

/** Each track once, in order, and not the main one. */
function checkOrder(wanted: readonly { track: number }[]): void {
  let last = MAIN_TRACK;
  for (const { track } of wanted) {
    if (track <= last) throw malformed('tracks out of order');
    last = track;
  }
}

function checkFormat(sound: SoundFormat | null): void {
  if (sound === null) return;
  if (sound.channels < 1 || sound.channels > SOUND_CHANNELS_MAX) {
    throw malformed(`sound of ${sound.channels} channels`);
  }
}

function checkText(name: string, text: string, max: number): void {
  const length = utf8Length(text);
  if (length > max) throw tooLarge(`a ${name} of ${length} bytes, at most ${max}`);
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
    case 'decodes':
      writeCodecs(out, message.codecs);
      break;
    case 'renditionRefused':
      writeTrack(out, message.track);
      out.string(message.reason);
      break;
    case 'pause':
      writeTrackGroups(out, message.from);
      break;
    case 'continue':
      break;
    case 'sound':
      writeSound(out, message.sound);
      break;
    case 'listen':
      out.bool(message.on);
      break;
    case 'pull':
      out.u16(message.version);
      out.string(message.broadcast);
      writeRelays(out, message.relays);
      break;
    case 'audience':
      out.u32(message.players);
      out.u32(message.listeners);
      break;
    case 'needs':
      out.u32(CODEC_KINDS.indexOf(message.codec));
      out.option(message.maxKbps, (value) => out.u32(value));
      break;
    case 'branch':
      out.option(message.place, (value) => out.string(value));
      out.option(message.region, (value) => out.string(value));
      writeTexts(out, message.vain);
      out.u32(message.children);
      out.u32(message.relays);
      out.u8(message.links);
      break;
  }
}

function readClientMessage(input: BincodeReader, type: ClientType): ClientMessage {
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
    case 'decodes':
      return { type, codecs: readCodecs(input) };
    case 'renditionRefused':
      return { type, track: readTrack(input), reason: input.string() };
    case 'pause':
      return { type, from: readTrackGroups(input) };
    case 'continue':
      return { type };
    case 'sound':
      return { type, sound: readSound(input) };
    case 'listen':
      return { type, on: input.bool() };
    case 'pull':
      return {
        type,
        version: input.u16(),
        broadcast: input.string(),
        relays: readRelays(input),
      };
    case 'audience':
      return { type, players: input.u32(), listeners: input.u32() };
    case 'needs':
      return {
        type,
        codec: choice(input, CODEC_KINDS),
        maxKbps: input.option(() => input.u32()),
      };
    case 'branch':
      return {
        type,
        place: input.option(() => input.string()),
        region: input.option(() => input.string()),
        vain: readTexts(input),
        children: input.u32(),
        relays: input.u32(),
        links: input.u8(),
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
      writeTrack(out, message.track);
      break;
    case 'goodbye':
      out.u16(message.code);
      out.string(message.message);
      out.option(message.retryAfterMs, (value) => out.u32(value));
      break;
    case 'renditions':
      out.u64(message.wanted.length);
      for (const rendition of message.wanted) writeRendition(out, rendition);
      break;
    case 'serving':
      writeServing(out, message.serving);
      break;
    case 'tracks':
      out.u64(message.wanted.length);
      for (const wanted of message.wanted) writeWantedTrack(out, wanted);
      break;
    case 'sound':
      writeSound(out, message.sound);
      break;
    case 'listeners':
      out.u32(message.players);
      out.u8(message.repeat);
      break;
    case 'through':
      writeRelays(out, message.relays);
      break;
    case 'pause':
      out.u32(message.epoch);
      writeTrackGroups(out, message.from);
      break;
    case 'continue':
      break;
    case 'ask':
      out.string(message.relay);
      break;
    case 'path':
      out.bool(message.narrow);
      out.option(message.carriesKbps, (value) => out.u32(value));
      break;
    case 'arrived':
      out.u64(message.bytes);
      out.u64(message.relayUs);
      break;
    case 'relays':
      writeTexts(out, message.relays);
      break;
    case 'move':
      out.u32(message.withinMs);
      break;
  }
}

function readRelayMessage(input: BincodeReader, type: RelayType): RelayMessage {
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
      return { type, track: readTrack(input) };
    case 'goodbye':
      return {
        type,
        code: input.u16(),
        message: input.string(),
        retryAfterMs: input.option(() => input.u32()),
      };
    case 'renditions':
      return { type, wanted: readRenditions(input) };
    case 'serving':
      return { type, serving: readServing(input) };
    case 'tracks':
      return { type, wanted: readWantedTracks(input) };
    case 'sound':
      return { type, sound: readSound(input) };
    case 'listeners':
      return { type, players: input.u32(), repeat: input.u8() };
    case 'through':
      return { type, relays: readRelays(input) };
    case 'pause':
      return { type, epoch: input.u32(), from: readTrackGroups(input) };
    case 'continue':
      return { type };
    case 'ask':
      return { type, relay: input.string() };
    case 'path':
      return { type, narrow: input.bool(), carriesKbps: input.option(() => input.u32()) };
    case 'arrived':
      return { type, bytes: input.u64(), relayUs: input.u64() };
    case 'relays':
      return { type, relays: readTexts(input) };
    case 'move':
      return { type, withinMs: input.u32() };
  }
}

function writeSound(out: BincodeWriter, sound: SoundFormat | null): void {
  out.option(sound, ({ codec, channels }) => {
    out.u32(SOUND_CODECS.indexOf(codec));
    out.u8(channels);
  });
}

function readSound(input: BincodeReader): SoundFormat | null {
  return input.option(() => ({ codec: choice(input, SOUND_CODECS), channels: input.u8() }));
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

function writeTrack(out: BincodeWriter, track: number): void {
  if (track > TRACK_MAX) throw malformed(`track ${track}`);
  out.u8(track);
}

function readTrack(input: BincodeReader): number {
  const track = input.u8();
  if (track > TRACK_MAX) throw malformed(`track ${track}`);
  return track;
}

function writeRelays(out: BincodeWriter, relays: readonly Uint8Array[]): void {
  out.u64(relays.length);
  for (const id of relays) {
    if (id.length !== RELAY_ID_SIZE) throw malformed(`a relay's id of ${id.length} bytes`);
    out.raw(id);
  }
}

function readRelays(input: BincodeReader): Uint8Array[] {
  const relays: Uint8Array[] = [];
  // A count that lies meets the end of the message.
  for (let left = input.u64(); left > 0; left -= 1) relays.push(input.raw(RELAY_ID_SIZE));
  return relays;
}

function writeTexts(out: BincodeWriter, texts: readonly string[]): void {
  out.u64(texts.length);
  for (const text of texts) out.string(text);
}

function readTexts(input: BincodeReader): string[] {
  const texts: string[] = [];
  // A count that lies meets the end of the message.
  for (let left = input.u64(); left > 0; left -= 1) texts.push(input.string());
  return texts;
}

function writeTrackGroups(out: BincodeWriter, groups: readonly TrackGroup[]): void {
  out.u64(groups.length);
  for (const { track, group } of groups) {
    writeTrack(out, track);
    out.u32(group);
  }
}

function readTrackGroups(input: BincodeReader): TrackGroup[] {
  const groups: TrackGroup[] = [];
  // A count that lies meets the end of the message.
  for (let left = input.u64(); left > 0; left -= 1) {
    groups.push({ track: readTrack(input), group: input.u32() });
  }
  return groups;
}

/** One byte, a bit for each codec. */
function writeCodecs(out: BincodeWriter, codecs: readonly CodecKind[]): void {
  out.u8(codecs.reduce((bits, codec) => bits | (1 << CODEC_KINDS.indexOf(codec)), 0));
}

function readCodecs(input: BincodeReader): CodecKind[] {
  const bits = input.u8();
  if (bits >= 1 << CODEC_KINDS.length) throw malformed(`codecs ${bits}`);
  return CODEC_KINDS.filter((_, place) => (bits & (1 << place)) !== 0);
}

function writeRendition(out: BincodeWriter, { track, codec, players }: Rendition): void {
  writeTrack(out, track);
  out.u32(CODEC_KINDS.indexOf(codec));
  out.u32(players);
}

function readRenditions(input: BincodeReader): Rendition[] {
  const wanted: Rendition[] = [];
  // A count that lies meets the end of the message.
  for (let left = input.u64(); left > 0; left -= 1) {
    wanted.push({
      track: readTrack(input),
      codec: choice(input, CODEC_KINDS),
      players: input.u32(),
    });
  }
  return wanted;
}

function writeWantedTrack(out: BincodeWriter, wanted: WantedTrack): void {
  writeTrack(out, wanted.track);
  out.u32(MEDIA_KINDS.indexOf(wanted.kind));
  out.u32(CODEC_KINDS.indexOf(wanted.codec));
  out.option(wanted.maxKbps, (value) => out.u32(value));
  out.u32(wanted.players);
}

function readWantedTracks(input: BincodeReader): WantedTrack[] {
  const wanted: WantedTrack[] = [];
  for (let left = input.u64(); left > 0; left -= 1) {
    wanted.push({
      track: readTrack(input),
      kind: choice(input, MEDIA_KINDS),
      codec: choice(input, CODEC_KINDS),
      maxKbps: input.option(() => input.u32()),
      players: input.u32(),
    });
  }
  return wanted;
}

function writeServing(out: BincodeWriter, { service, track, codec }: Serving): void {
  out.u32(SERVICES.indexOf(service));
  writeTrack(out, track);
  out.option(codec, (kind) => out.u32(CODEC_KINDS.indexOf(kind)));
}

function readServing(input: BincodeReader): Serving {
  return {
    service: choice(input, SERVICES),
    track: readTrack(input),
    codec: input.option(() => choice(input, CODEC_KINDS)),
  };
}
