import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ControlParser,
  decodeClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  encodeRelayMessage,
} from '../src/index.ts';
import { chunked, clientMessages, join, outcome, relayMessages, strangers } from './sample.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const sizes = fc
  .array(fc.nat(9), { minLength: 1, maxLength: 6 })
  .filter((all) => all.some(Boolean));

describe('control messages', () => {
  it('come back as they were sent', () => {
    fc.assert(
      fc.property(clientMessages, (message) => {
        expect(decodeClientMessage(encodeClientMessage(message).subarray(2))).toEqual(message);
      }),
    );
    fc.assert(
      fc.property(relayMessages, (message) => {
        expect(decodeRelayMessage(encodeRelayMessage(message).subarray(2))).toEqual(message);
      }),
    );
  });

  it('arrive the same in any chunks', () => {
    fc.assert(
      fc.property(fc.array(relayMessages, { maxLength: 5 }), sizes, (messages, sizes) => {
        const bytes = join(messages.map(encodeRelayMessage));
        expect(outcome(ControlParser.relay(), chunked(bytes, sizes))).toEqual({
          values: messages,
          error: null,
        });
      }),
    );
  });

  it('that may be skipped are as if they had not been sent', () => {
    const pairs = fc.array(fc.tuple(strangers, relayMessages), { maxLength: 4 });
    fc.assert(
      fc.property(pairs, strangers, sizes, (pairs, last, sizes) => {
        const bytes = pairs.flatMap(([skipped, known]) => [skipped, encodeRelayMessage(known)]);
        expect(outcome(ControlParser.relay(), chunked(join([...bytes, last]), sizes))).toEqual({
          values: pairs.map(([, known]) => known),
          error: null,
        });
      }),
    );
  });

  it('made of random bytes fail as WireError, the same in any chunks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (bytes, sizes) => {
        for (const parser of [ControlParser.relay, ControlParser.client]) {
          const whole = outcome<unknown>(parser(), [bytes]);
          expect(outcome<unknown>(parser(), chunked(bytes, sizes))).toEqual(whole);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('decode from any body to a message or a WireError', () => {
    fc.assert(
      fc.property(fc.nat(7), fc.uint8Array({ maxLength: 80 }), (variant, rest) => {
        const body = new Uint8Array([variant, ...rest]);
        const framed = new Uint8Array([0, body.length, ...body]);
        outcome<unknown>(ControlParser.relay(), [framed]);
        outcome<unknown>(ControlParser.client(), [framed]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a control stream in error', () => {
  const code = (bytes: string) => outcome(ControlParser.client(), [hex(bytes)]).error;

  it('is malformed for a message of no bytes', () => expect(code('0000')).toBe('malformed'));
  it('is too large for a message beyond 16384 bytes', () => expect(code('4001')).toBe('too_large'));
  it('is unknown for a variant of later versions', () =>
    expect(code('00013f')).toBe('unknown_message'));
  it('is malformed for bytes left over', () => expect(code('000401010200')).toBe('malformed'));
  it('is malformed for an integer wider than its field', () =>
    expect(code('000702fc0000000000')).toBe('malformed'));
  it('is malformed for an integer above 2^53', () =>
    expect(code('000b0101fd0000000000002000')).toBe('malformed'));
  it('is malformed for text that is not UTF-8', () =>
    expect(code('0005020002c328')).toBe('malformed'));
  it('is malformed for a text that claims more than there is', () =>
    expect(code('000b0200fdffffffff00000000')).toBe('malformed'));
  it('is malformed when it ends inside a message', () => expect(code('0003')).toBe('malformed'));

  it('delivers what came before the error, then fails for good', () => {
    const parser = ControlParser.client();
    parser.push(hex('0003010102' + '0000'));
    expect(parser.next()).toEqual({ type: 'ping', sequence: 1, sentUs: 2 });
    expect(() => parser.next()).toThrow('no bytes');
    parser.push(hex('0003010102'));
    expect(() => parser.next()).toThrow('no bytes');
  });

  it('does not begin with a message that breaks a limit', () => {
    const hello = { type: 'hello', version: 1, role: 'player', agent: '', resume: null } as const;
    expect(() => encodeClientMessage({ ...hello, token: 'x'.repeat(4_097) })).toThrow('token');
    expect(() => encodeClientMessage({ ...hello, token: '', resume: new Uint8Array(15) })).toThrow(
      'lineage',
    );
    expect(() => encodeClientMessage({ type: 'ping', sequence: -1, sentUs: 0 })).toThrow('-1');
  });
});
