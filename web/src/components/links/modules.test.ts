import { expect, it } from 'vitest';
import { pathOf } from './modules.ts';

it('draws each run of dark modules once', () => {
  const [dark, light] = [true, false];
  expect(pathOf([])).toBe('');
  expect(pathOf([[light, light]])).toBe('');
  expect(
    pathOf([
      [dark, dark, light, dark],
      [light, dark, dark, dark],
    ]),
  ).toBe('M0 0h2v1h-2zM3 0h1v1h-1zM1 1h3v1h-3z');
});
