import { describe, expect, it } from 'vitest';
import { Draft } from './draft.ts';

describe('a draft', () => {
  const same = (one: number, other: number) => one === other;

  it('keeps the choice while the host may not have heard of it', () => {
    const draft = new Draft<number>(1, same);
    draft.choose(2, 1_000);
    draft.learn(1, 1_200);
    expect(draft.value).toBe(2);
    draft.learn(2, 1_300);
    draft.learn(3, 1_400);
    expect(draft.value).toBe(3);
  });

  it('believes the host in the end', () => {
    const draft = new Draft<number>(1, same);
    draft.choose(2, 1_000);
    draft.learn(1, 2_100);
    expect(draft.value).toBe(1);
  });
});
