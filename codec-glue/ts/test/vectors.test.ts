/** The golden bytes that the Rust side of the wire reads too. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeFixedHeader } from '../src/frame.ts';
import {
  type ClientMessage,
  ControlParser,
  decodeSound,
  encodeClientMessage,
  encodeFrame,
  encodeRelayMessage,
  encodeSound,
  type FrameHeader,
  GroupParser,
  groupPreamble,
  type RelayMessage,
  type SoundPacket,
  WireError,
} from '../src/index.ts';
import { join, outcome } from './sample.ts';

interface Good {
  name: string;
  hex: string;
  value: unknown;
}

type Kind = 'client' | 'relay' | 'group' | 'sound';

interface Later {
  name: string;
  kind: Kind;
  hex: string;
  values: unknown[];
}

interface Bad {
  name: string;
  kind: Kind;
  hex: string;
  error: string;
}

const folder = new URL('../../vectors/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

function vectors<T>(file: string): T[] {
  return files.includes(file) ? JSON.parse(readFileSync(new URL(file, folder), 'utf8')) : [];
}

it('every file of vectors is read', () => {
  const good = ['client_messages.json', 'relay_messages.json', 'frames.json', 'sound.json'];
  // privacy.test.ts reads the sealed ones, carried.test.ts those in packets.
  const known = [...good, 'sealed.json', 'carried.json', 'later.json', 'malformed.json'];
  expect(files.filter((file) => !known.includes(file))).toEqual([]);
});

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** In JSON bytes are hex. */
const toJson = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, inner: unknown) =>
      inner instanceof Uint8Array ? toHex(inner) : inner,
    ),
  );

const message = <T>(value: unknown): T => {
  const json = value as { type: string; resume?: string | null; relays?: string[] | number };
  // Other relays are told by their addresses, those on a way by their ids.
  if (Array.isArray(json.relays) && json.type !== 'relays')
    return { ...json, relays: json.relays.map(fromHex) } as T;
  return (typeof json.resume === 'string' ? { ...json, resume: fromHex(json.resume) } : json) as T;
};

describe.each(vectors<Good>('client_messages.json'))('client message $name', ({ hex, value }) => {
  it('decodes', () => {
    const { values, error } = outcome(ControlParser.client(), [fromHex(hex)]);
    expect([toJson(values), error]).toEqual([[value], null]);
  });
  it('encodes', () => {
    expect(toHex(encodeClientMessage(message<ClientMessage>(value)))).toBe(hex);
  });
});

describe.each(vectors<Good>('relay_messages.json'))('relay message $name', ({ hex, value }) => {
  it('decodes', () => {
    const { values, error } = outcome(ControlParser.relay(), [fromHex(hex)]);
    expect([toJson(values), error]).toEqual([[value], null]);
  });
  it('encodes', () => {
    expect(toHex(encodeRelayMessage(message<RelayMessage>(value)))).toBe(hex);
  });
});

describe.each(vectors<Good>('frames.json'))('frame $name', ({ hex, value }) => {
  const { header, payload } = value as {
    header: FrameHeader & { config: { description: string } | null };
    payload: string;
  };

  it('encodes', () => {
    const config =
      header.config === null
        ? null
        : { ...header.config, description: fromHex(String(header.config.description)) };
    const { head, payload: body } = encodeFrame({ ...header, config }, fromHex(payload));
    expect(toHex(join([head, body]))).toBe(hex);
  });

  it('decodes its fixed header', () => {
    const fixed = decodeFixedHeader(fromHex(hex));
    expect({ ...fixed.header, config: header.config }).toEqual(header);
    expect(fixed.payloadLength).toBe(payload.length / 2);
  });

  // A frame in the middle of a group has no stream of its own to be decoded from.
  if (!header.keyframe) return;
  it('decodes', () => {
    const { values, error } = outcome(new GroupParser(), [groupPreamble(), fromHex(hex)]);
    expect([toJson(values), error]).toEqual([[value], null]);
  });
});

describe.each(vectors<Good>('sound.json'))('$name', ({ hex, value }) => {
  it('decodes', () => {
    expect(toJson(decodeSound(fromHex(hex)))).toEqual(value);
  });
  it('encodes', () => {
    const json = value as Omit<SoundPacket, 'repeats' | 'frame'> & {
      repeats: string[];
      frame: string;
    };
    const packet = { ...json, repeats: json.repeats.map(fromHex), frame: fromHex(json.frame) };
    expect(toHex(encodeSound(packet))).toBe(hex);
  });
});

/** What a datagram brings, in the form of what a stream does. */
function soundOutcome(bytes: Uint8Array): { values: unknown[]; error: string | null } {
  try {
    const packet = decodeSound(bytes);
    return { values: packet === null ? [] : [packet], error: null };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { values: [], error: error.code };
  }
}

const parsers = {
  client: () => ControlParser.client(),
  relay: () => ControlParser.relay(),
  group: () => new GroupParser(),
};

function outcomeOf(kind: Kind, hex: string): { values: unknown[]; error: string | null } {
  const bytes = fromHex(hex);
  return kind === 'sound' ? soundOutcome(bytes) : outcome<unknown>(parsers[kind](), [bytes]);
}

describe.each(vectors<Later>('later.json'))('of a later version: $kind $name', (later) => {
  it('is read over', () => {
    const read = outcomeOf(later.kind, later.hex);
    expect([toJson(read.values), read.error]).toEqual([later.values, null]);
  });
});

describe.each(vectors<Bad>('malformed.json'))('malformed $kind $name', ({ kind, hex, error }) => {
  it(`is ${error}`, () => {
    expect(outcomeOf(kind, hex).error).toBe(error);
  });
});
