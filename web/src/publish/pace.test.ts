import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

/** A host that offers thirty pictures a second to an encoder that takes so long for each. */
class Machine {
  readonly pace = new Pace();
  /** By the codec: the costly one when null. */
  costMs: { first: number; cheap: number };
  nowMs = 0;
  made = 0;
  changes = 0;
  free = true;
  #freeMs = 0;
  #judgedMs = 0;

  constructor(first: number, cheap = first) {
    this.costMs = { first, cheap };
  }

  run(seconds: number): void {
    const endMs = this.nowMs + seconds * 1_000;
    this.made = 0;
    this.changes = 0;
    let dueMs = this.nowMs;
    while (this.nowMs < endMs) {
      const rate = Math.min(30, this.pace.frameRate ?? 30);
      dueMs = Math.max(dueMs + 1_000 / rate, this.nowMs - 100);
      const startMs = Math.max(dueMs, this.#freeMs);
      const behind = this.#freeMs > dueMs;
      const cost = this.pace.codec === null ? this.costMs.first : this.costMs.cheap;
      this.#freeMs = startMs + cost;
      this.nowMs = this.#freeMs;
      this.pace.encoded(this.nowMs - dueMs, this.nowMs);
      this.made += 1;
      if (this.nowMs - this.#judgedMs < 250) continue;
      this.#judgedMs = this.nowMs;
      // Half a second after the last picture one seems to be at rest.
      const look = { wished: 30, behind, moving: cost < 300, free: this.free };
      if (this.pace.judge(look, this.nowMs)) this.changes += 1;
    }
  }
}

it('asks for everything of an encoder that keeps up', () => {
  const machine = new Machine(20);
  machine.run(60);
  expect(machine.changes).toBe(0);
});

it('asks for fewer pictures of one that does not, within seconds', () => {
  const machine = new Machine(66);
  machine.run(3);
  expect(machine.pace.codec).toBe(null);
  expect(machine.pace.frameRate).toBe(13);
  // It does not go to and fro.
  machine.run(60);
  expect(machine.changes).toBe(0);
});

it('takes another codec where too few would be left, and stays there while it is needed', () => {
  const machine = new Machine(130, 30);
  machine.run(5);
  expect([machine.pace.codec, machine.pace.frameRate]).toEqual(['h264', null]);
  machine.run(300);
  expect(machine.changes).toBe(0);
  expect(machine.made / 300).toBeGreaterThan(25);
});

it('notices as well where a picture takes so long that it seems to rest', () => {
  const machine = new Machine(600, 30);
  machine.run(5);
  expect(machine.pace.codec).toBe('h264');
});

it('says nothing of a picture at rest', () => {
  const machine = new Machine(66);
  machine.run(1);
  for (let nowMs = machine.nowMs; nowMs < machine.nowMs + 10_000; nowMs += 250) {
    const look = { wished: 30, behind: false, moving: false, free: true };
    expect(machine.pace.judge(look, nowMs)).toBe(false);
  }
});

it('leaves the admin the codec that was chosen', () => {
  const machine = new Machine(130, 30);
  machine.free = false;
  machine.run(5);
  expect(machine.pace.codec).toBe(null);
  expect(machine.pace.frameRate).toBe(6);
});

it('asks for more again when there is room, and for the first codec after a while', () => {
  const machine = new Machine(66);
  machine.run(10);
  machine.costMs.first = 15;
  machine.run(20);
  expect(machine.pace.frameRate).toBe(null);
  const other = new Machine(130, 30);
  other.run(10);
  other.costMs = { first: 20, cheap: 5 };
  other.run(70);
  expect([other.pace.codec, other.pace.frameRate]).toEqual([null, null]);
});

it('tries the first codec less and less often where it is too much every time', () => {
  const machine = new Machine(130, 5);
  machine.run(1_000);
  expect(machine.changes).toBeLessThanOrEqual(10);
  expect(machine.pace.codec).toBe('h264');
});
