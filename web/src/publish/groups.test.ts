import { GROUP_BYTES_MAX, GROUP_FRAMES_MAX } from '@steadycast/codec-glue';
import { describe, expect, it } from 'vitest';
import { Groups } from './groups.ts';

describe('groups', () => {
  it('number frames from each keyframe, and groups from 1', () => {
    const groups = new Groups();
    expect(groups.place(true, 10)).toEqual({ group: 1, index: 0 });
    expect(groups.place(false, 10)).toEqual({ group: 1, index: 1 });
    expect(groups.place(true, 10)).toEqual({ group: 2, index: 0 });
    expect(groups.newest).toBe(2);
  });

  it('have no place for what depends on no keyframe', () => {
    expect(new Groups().place(false, 10)).toBeNull();
  });

  it('are full before 500 frames', () => {
    const groups = new Groups();
    let frames = 0;
    for (; !groups.full; frames += 1) groups.place(frames === 0, 1_000);
    expect(frames).toBeLessThanOrEqual(500);
    expect(frames).toBeLessThan(GROUP_FRAMES_MAX);
    groups.place(true, 1_000);
    expect(groups.full).toBe(false);
  });

  it('are long well before they are full', () => {
    const groups = new Groups();
    for (let index = 0; index < 90; index += 1) {
      expect(groups.long).toBe(false);
      groups.place(index === 0, 10);
    }
    expect([groups.long, groups.full]).toEqual([true, false]);
    groups.place(true, 10);
    expect(groups.long).toBe(false);
  });

  it('are full at 16 MiB, far below the wire’s limit', () => {
    const groups = new Groups();
    const frame = 4_000_000;
    let bytes = 0;
    for (; !groups.full; bytes += frame) groups.place(bytes === 0, frame);
    expect(bytes + 4 * frame).toBeLessThan(GROUP_BYTES_MAX + frame);
  });
});
