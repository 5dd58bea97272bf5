import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Places, type Verdict } from './places.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const C = 'https://c.example';

class Refusal extends Error {
  readonly verdict: Verdict;
  constructor(relay: string, verdict: Verdict) {
    super(`${relay} ${verdict}`);
    this.verdict = verdict;
  }
}

/** What each relay says: that it is there, by its name, or why not; null: nothing at all. */
let says: Record<string, 'there' | Verdict | null>;
let asked: string[];

beforeEach(() => {
  vi.useFakeTimers();
  says = { [A]: 'there', [B]: 'there', [C]: 'there' };
  asked = [];
  vi.stubGlobal('fetch', async (url: URL) => {
    const { origin } = url;
    if (says[origin] !== 'there') throw new TypeError('not reached');
    const relays = [A, B, C].filter((relay) => relay !== origin).map((relay) => ({ url: relay }));
    return Response.json({ session: '/session', certificateHashes: [], relays });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function call(relay: string): Promise<string> {
  asked.push(relay);
  const said = says[relay];
  if (said === null) return new Promise(() => undefined);
  if (said !== 'there') throw new Refusal(relay, said ?? 'silent');
  return relay;
}

async function placesOfThree(): Promise<Places> {
  const places = new Places(A, (error) => (error instanceof Refusal ? error.verdict : 'silent'));
  expect(await places.ask(call)).toBe(A);
  await vi.advanceTimersByTimeAsync(0);
  asked = [];
  return places;
}

it('asks the page\u2019s own relay for as long as that answers, whatever it says', async () => {
  const places = await placesOfThree();
  says[A] = 'answered';
  await expect(places.ask(call)).rejects.toThrow(`${A} answered`);
  expect(asked).toEqual([A]);
  expect(places.at).toBe(A);
});

it('goes to another that answers, and stays there', async () => {
  const places = await placesOfThree();
  says = { ...says, [A]: 'silent', [B]: 'silent' };
  expect(await places.ask(call)).toBe(C);
  expect(await places.ask(call)).toBe(C);
  expect(asked).toEqual([A, B, C, C]);
  // Back to the first one, when that is the only one.
  says = { ...says, [A]: 'there', [C]: 'silent' };
  expect(await places.ask(call)).toBe(A);
});

it('takes no word of a relay that does not know it', async () => {
  const places = await placesOfThree();
  says = { ...says, [A]: 'silent', [B]: 'stranger', [C]: 'answered' };
  await expect(places.ask(call)).rejects.toThrow(`${C} answered`);
  expect(places.at).toBe(C);
});

it('waits for nobody for long who says nothing, where there are others', async () => {
  const places = await placesOfThree();
  says[A] = null;
  const answer = places.ask(call);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await answer).toBe(B);
});

it('does nothing twice that is to be done once, but does the next elsewhere', async () => {
  const places = await placesOfThree();
  says[A] = 'silent';
  await expect(places.ask(call, { once: true })).rejects.toThrow(`${A} silent`);
  expect(asked).toEqual([A]);
  expect(await places.ask(call, { once: true })).toBe(B);
});

it('says that its relay is silent where nobody answers', async () => {
  const places = await placesOfThree();
  says = { [A]: 'silent', [B]: 'silent', [C]: 'silent' };
  await expect(places.ask(call)).rejects.toThrow(`${A} silent`);
  expect(asked).toEqual([A, B, C]);
  expect(places.at).toBe(A);
});
