import { describe, expect, it } from 'vitest';
import { explainRefusal } from './screen.ts';

describe('a refused screen', () => {
  it('wants a click when the browser says so, or refuses faster than any hand', () => {
    expect(explainRefusal('InvalidStateError', '', 5, false)).toEqual({ kind: 'gesture' });
    expect(explainRefusal('NotAllowedError', 'Permission denied', 20, false)).toEqual({
      kind: 'gesture',
    });
  });

  it('was cancelled when there was time to look at the picker, or a click before', () => {
    expect(explainRefusal('NotAllowedError', 'Permission denied', 3_000, false)).toEqual({
      kind: 'cancelled',
    });
    expect(explainRefusal('NotAllowedError', 'Permission denied', 20, true)).toEqual({
      kind: 'cancelled',
    });
  });

  it('has failed when it is nobody’s choice', () => {
    expect(explainRefusal('NotReadableError', 'no', 20, false)).toEqual({
      kind: 'failed',
      reason: 'no',
    });
    expect(explainRefusal('NotAllowedError', 'Permission denied by system', 20, false).kind).toBe(
      'failed',
    );
  });
});
