import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Who has logged in as an admin, by the cookie of the browser. */
export class Admins {
  readonly #password: string;
  readonly #sessions = new Set<string>();

  constructor(password: string) {
    this.#password = password;
  }

  /** The cookie to be set; null: that was not the password. */
  login(password: string): string | null {
    if (password !== this.#password) return null;
    const session = randomUUID();
    this.#sessions.add(session);
    return `admin=${session}; HttpOnly; SameSite=Strict; Path=/`;
  }

  has({ headers }: IncomingMessage): boolean {
    const session = /(?:^|; )admin=([^;]+)/.exec(headers.cookie ?? '')?.[1];
    return session !== undefined && this.#sessions.has(session);
  }
}
