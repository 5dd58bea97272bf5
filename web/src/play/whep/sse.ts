/** Server-sent events from pieces of text, as the HTML standard parses them; pure. */

export interface ServerEvent {
  name: string;
  data: string;
}

/** More than this without an end of line or of event comes from no relay. */
const PENDING_MAX = 65_536;

export class SseParser {
  #text = '';
  #name = '';
  #data: string[] = [];

  /** The events that end in this piece. Throws when one grows beyond all bounds. */
  push(piece: string): ServerEvent[] {
    this.#text += piece;
    const events: ServerEvent[] = [];
    for (let line = this.#line(); line !== null; line = this.#line()) {
      const event = this.#take(line);
      if (event !== null) events.push(event);
    }
    const pending = this.#data.reduce((sum, { length }) => sum + length, this.#text.length);
    if (pending > PENDING_MAX) throw new RangeError('an event without end');
    return events;
  }

  /** The next whole line without its end; a CR at the very end may be half of one. */
  #line(): string | null {
    const at = this.#text.search(/\r\n|\n|\r(?!$)/);
    if (at === -1) return null;
    const line = this.#text.slice(0, at);
    this.#text = this.#text.slice(at + (this.#text.startsWith('\r\n', at) ? 2 : 1));
    return line;
  }

  #take(line: string): ServerEvent | null {
    if (line === '') return this.#dispatch();
    const [field, value] = split(line);
    if (field === 'event') this.#name = value;
    if (field === 'data') this.#data.push(value);
    return null;
  }

  #dispatch(): ServerEvent | null {
    const event = { name: this.#name || 'message', data: this.#data.join('\n') };
    const empty = this.#data.length === 0;
    this.#name = '';
    this.#data = [];
    return empty ? null : event;
  }
}

function split(line: string): [field: string, value: string] {
  const colon = line.indexOf(':');
  if (colon === -1) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
}
