import { CODES, type CodeName } from '@steadycast/codec-glue';

/**
 * refused: the relay said no, `code` says why; unreachable: no session came about;
 * unsupported: this browser cannot, now or later.
 */
export type SessionErrorKind = 'refused' | 'unreachable' | 'unsupported';

/** Why no session was opened. */
export class SessionError extends Error {
  readonly kind: SessionErrorKind;
  /** The relay's reason; null when it gave none, or one that this version does not know. */
  readonly code: CodeName | null;
  /** When to try again by oneself; null: the relay wants no other try, or said nothing. */
  readonly retryAfterMs: number | null;

  constructor(
    kind: SessionErrorKind,
    message: string,
    said: { code?: CodeName | null; retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: said.cause });
    this.name = 'SessionError';
    this.kind = kind;
    this.code = said.code ?? null;
    this.retryAfterMs = said.retryAfterMs ?? null;
  }
}

export function unreachable(message: string, cause?: unknown): SessionError {
  return new SessionError('unreachable', message, { cause });
}

/** The code of this name (PROTOCOL 5), if this version knows it. */
export function knownCode(name: unknown): CodeName | null {
  return typeof name === 'string' && Object.hasOwn(CODES, name) ? (name as CodeName) : null;
}
