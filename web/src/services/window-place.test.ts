import { expect, it } from 'vitest';
import { placeBeside } from './window-place.ts';

const screen = { availWidth: 1_920, availHeight: 1_040 };

it('is beside the panel, on the side that has room', () => {
  const panel = { screenX: 0, screenY: 40, outerWidth: 1_200, screen };
  expect(placeBeside(panel)).toBe('left=1200,top=40,width=640,height=720');
  expect(placeBeside({ ...panel, screenX: 700 })).toBe('left=60,top=40,width=640,height=720');
});

it('is at the bottom right of a panel that fills the screen', () => {
  const panel = { screenX: 0, screenY: 0, outerWidth: 1_920, screen };
  expect(placeBeside(panel)).toBe('left=1280,top=320,width=640,height=720');
});

it('stays on the panel’s own screen, and no larger than it', () => {
  const second = { ...screen, availLeft: 1_920, availTop: 20 };
  const panel = { screenX: 1_920, screenY: 900, outerWidth: 1_000, screen: second };
  expect(placeBeside(panel)).toBe('left=2920,top=340,width=640,height=720');
  const small = { availWidth: 600, availHeight: 400 };
  expect(placeBeside({ screenX: 0, screenY: 0, outerWidth: 600, screen: small })).toBe(
    'left=0,top=0,width=600,height=400',
  );
});
