import { describe, expect, it } from 'vitest';
import { type Deed, did, noPast, type Past, redo, undo } from './crop-history.ts';

const MOVE: Deed = { kind: 'move' };
const RESIZE: Deed = { kind: 'resize' };

/** Numbers stand for crops. */
function after(...crops: number[]): Past<number> {
  return crops.reduce(
    (past, crop, at) => did(past, { before: crops[at - 1] ?? 0, after: crop, deed: MOVE }, false),
    noPast<number>(),
  );
}

describe('a past', () => {
  it('is gone back step by step, to its beginning', () => {
    const two = undo(after(1, 2));
    expect(two?.step).toMatchObject({ before: 1, after: 2 });
    const one = two === null ? null : undo(two.past);
    expect(one?.step).toMatchObject({ before: 0, after: 1 });
    expect(one === null ? undefined : undo(one.past)).toBeNull();
  });

  it('is come forward again, until something else is done', () => {
    const back = undo(after(1, 2))?.past ?? noPast<number>();
    expect(redo(back)?.step).toMatchObject({ before: 1, after: 2 });
    expect(redo(redo(back)?.past ?? back)).toBeNull();
    const other = did(back, { before: 1, after: 5, deed: MOVE }, false);
    expect(redo(other)).toBeNull();
    expect(undo(other)?.step).toMatchObject({ before: 1, after: 5 });
  });

  it('has one step for a key that is held', () => {
    let past = after(1, 2);
    past = did(past, { before: 2, after: 3, deed: MOVE }, true);
    past = did(past, { before: 3, after: 4, deed: MOVE }, true);
    expect(undo(past)?.step).toMatchObject({ before: 1, after: 4 });
    // With another key beside it, something else begins.
    past = did(past, { before: 4, after: 5, deed: RESIZE }, true);
    expect(undo(past)?.step).toMatchObject({ before: 4, after: 5 });
  });
});
