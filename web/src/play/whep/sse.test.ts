import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SseParser } from './sse.ts';

const parse = (...pieces: string[]) => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

it('reads names and data, one line or more', () => {
  expect(parse('event: state\ndata: {"a":\ndata: 1}\n\ndata:x\n\n')).toEqual([
    { name: 'state', data: '{"a":\n1}' },
    { name: 'message', data: 'x' },
  ]);
});

it('ignores comments, other fields, and events without data', () => {
  expect(parse(': hello\n\nid: 7\nretry: 5\nevent: nothing\n\ndata\n\n')).toEqual([
    { name: 'message', data: '' },
  ]);
});

it('finds the same events wherever the pieces end, and whatever ends the lines', () => {
  const text = 'event: ping\ndata: {}\n\n: beat\n\nevent: state\ndata: a\ndata: b\n\n';
  const whole = parse(text);
  fc.assert(
    fc.property(
      fc.array(fc.nat(text.length * 2)),
      fc.constantFrom('\n', '\r\n', '\r'),
      (cuts, end) => {
        // A CR that ends the text could be half of a CRLF: it waits for what follows.
        const ended = `${text.replaceAll('\n', end)}:`;
        const places = [0, ...cuts.map((cut) => Math.min(cut, ended.length)), ended.length];
        const sorted = places.toSorted((one, other) => one - other);
        const pieces = sorted.slice(1).map((to, at) => ended.slice(sorted[at], to));
        expect(parse(...pieces)).toEqual(whole);
      },
    ),
  );
});

it('holds only so much', () => {
  const parser = new SseParser();
  parser.push(`data: ${'x'.repeat(60_000)}`);
  expect(() => parser.push('x'.repeat(60_000))).toThrow(RangeError);
});
