import { describe, expect, it } from 'vitest';
import { agree, PROTOCOL_VERSION } from '../src/index.ts';

describe('a session speaks', () => {
  it('the newest version that both know', () => {
    expect(agree({ min: 1, max: 1 })).toBe(1);
    expect(agree({ min: 1, max: 2 })).toBe(2);
    expect(agree({ min: 2, max: PROTOCOL_VERSION + 5 })).toBe(PROTOCOL_VERSION);
  });

  it('nothing where there is none', () => {
    expect(agree({ min: 0, max: 0 })).toBeNull();
    expect(agree({ min: PROTOCOL_VERSION + 1, max: PROTOCOL_VERSION + 2 })).toBeNull();
  });
});
