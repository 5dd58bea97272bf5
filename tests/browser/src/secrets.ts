/** A link key in every form in which somebody could have it, and what follows from it (PROTOCOL 12). */

import { createHmac, pbkdf2Sync } from 'node:crypto';

/** What is looked for, by what it is. */
export type Needles = ReadonlyMap<string, Buffer>;

const SUITE = 4;
/** The picture, its first rendition, and sound. */
const SOURCES = [0, 1, 16];
const CODE = { salt: 'steadycast comparison code 1', iterations: 100_000, bytes: 12 };

/** `tenures`: of the hosts that have sealed with it, in hex. */
export function needlesOf(key: string, tenures: readonly string[]): Needles {
  const needles = new Map<string, Buffer>();
  const raw = Buffer.from(key, 'base64url');
  const add = (what: string, bytes: Buffer) => {
    needles.set(what, bytes);
    needles.set(`${what} as hex`, Buffer.from(bytes.toString('hex')));
    needles.set(`${what} as HEX`, Buffer.from(bytes.toString('hex').toUpperCase()));
  };
  add('the key', raw);
  needles.set('the key as base64url', Buffer.from(key));
  needles.set('the key as base64', Buffer.from(raw.toString('base64')));
  // RFC 9605, 4.4.2.
  const secret = createHmac('sha256', '').update(raw).digest();
  add('the secret of SFrame', secret);
  for (const tenure of tenures) {
    for (const source of SOURCES) {
      const keyId = Buffer.from(`${tenure}${source.toString(16).padStart(2, '0')}`, 'hex');
      needles.set(
        `the AES key of ${tenure}, ${source}`,
        expand(secret, 'SFrame 1.0 Secret key ', keyId, 16),
      );
      needles.set(
        `the salt of ${tenure}, ${source}`,
        expand(secret, 'SFrame 1.0 Secret salt ', keyId, 12),
      );
    }
  }
  const code = pbkdf2Sync(raw, CODE.salt, CODE.iterations, CODE.bytes, 'sha256');
  needles.set('what the code is made of', code);
  const digits = [0, 4, 8].map((at) => String(code.readUInt32BE(at) % 10_000).padStart(4, '0'));
  needles.set('the code', Buffer.from(digits.join(' ')));
  return needles;
}

/** One block of HKDF-Expand. */
function expand(secret: Buffer, label: string, keyId: Buffer, length: number): Buffer {
  const info = Buffer.concat([Buffer.from(label), keyId, Buffer.from([0, SUITE])]);
  const block = createHmac('sha256', secret)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
  return block.subarray(0, length);
}

/** Which of them are in there. */
export function found(needles: Needles, place: Buffer): string[] {
  return [...needles].filter(([, bytes]) => place.includes(bytes)).map(([what]) => what);
}
