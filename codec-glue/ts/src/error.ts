import { CODES, type CodeName } from './code.ts';

/** Bytes from the peer, or a value for the peer, that break the protocol; `code` says how (PROTOCOL 5). */
export class WireError extends Error {
  readonly code: CodeName;

  constructor(code: CodeName, message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }

  /** The code's number on the wire. */
  get number(): number {
    return CODES[this.code].number;
  }
}

export function malformed(message: string): WireError {
  return new WireError('malformed', message);
}

export function tooLarge(message: string): WireError {
  return new WireError('too_large', message);
}

export function outOfOrder(message: string): WireError {
  return new WireError('out_of_order', message);
}
