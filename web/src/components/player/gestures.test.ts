import { expect, it } from 'vitest';
import { Gestures, wheelFactor } from './gestures.ts';

const at = (x: number, y: number) => ({ x, y });

it('moves the picture with a finger, which may tremble before', () => {
  const gestures = new Gestures();
  gestures.down(1, at(0, 0), 0);
  expect(gestures.move(1, at(3, 2))).toBeNull();
  expect(gestures.move(1, at(20, 0))).toMatchObject({ by: at(20, 0), factor: 1 });
  expect(gestures.move(1, at(20, 9))).toMatchObject({ by: at(0, 9), factor: 1 });
  expect(gestures.up(1, 100)).toBeNull();
  expect(gestures.active).toBe(false);
});

it('magnifies between two fingers, and moves with them', () => {
  const gestures = new Gestures();
  gestures.down(1, at(-50, 0), 0);
  gestures.down(2, at(50, 0), 10);
  expect(gestures.move(2, at(150, 0))).toEqual({
    kind: 'follow',
    by: at(50, 0),
    factor: 2,
    at: at(50, 0),
  });
  gestures.up(2, 50);
  // The finger that stays moves it on, and the picture does not jump.
  expect(gestures.move(1, at(-40, 0))).toMatchObject({ by: at(10, 0), factor: 1 });
  expect(gestures.up(1, 60)).toBeNull();
});

it('knows a double tap from two taps', () => {
  const gestures = new Gestures();
  const tap = (x: number, ms: number) => {
    gestures.down(1, at(x, 0), ms);
    return gestures.up(1, ms + 50);
  };
  expect(tap(0, 0)).toBeNull();
  expect(tap(5, 200)).toEqual({ kind: 'closer', at: at(5, 0) });
  expect(tap(5, 400)).toBeNull();
  expect(tap(5, 1_400)).toBeNull();
  expect(tap(300, 1_600)).toBeNull();
});

it('takes neither a long press nor what the browser takes over for a tap', () => {
  const gestures = new Gestures();
  gestures.down(1, at(0, 0), 0);
  expect(gestures.up(1, 100)).toBeNull();
  gestures.down(1, at(0, 0), 200);
  gestures.cancel(1);
  gestures.down(1, at(0, 0), 250);
  expect(gestures.up(1, 300)).toBeNull();
  gestures.down(1, at(0, 0), 400);
  expect(gestures.up(1, 1_000)).toBeNull();
});

it('magnifies by the wheel, the other way back, and never in a leap', () => {
  const turn = (deltaY: number, deltaMode = 0, ctrlKey = false) =>
    wheelFactor({ deltaY, deltaMode, ctrlKey });
  expect(turn(-100)).toBeCloseTo(1.22, 2);
  expect(turn(-100) * turn(100)).toBeCloseTo(1);
  expect(turn(-3, 1)).toBeCloseTo(1.21, 2);
  expect(turn(-10, 0, true)).toBeCloseTo(1.105, 2);
  expect(turn(-9_999)).toBe(2);
});
