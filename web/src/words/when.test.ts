import { afterEach, expect, it } from 'vitest';
import { speak } from './language.ts';
import { ago, moment, span } from './when.ts';

afterEach(() => speak('en'));

const NOW = new Date(2_026, 10, 30, 12).getTime();

it('says how long ago in both languages', () => {
  speak('en');
  expect(ago(NOW - 3 * 3_600_000, NOW)).toBe('3 hours ago');
  expect(ago(NOW - 86_400_000, NOW)).toBe('1 day ago');
  expect(ago(NOW - 59_000, NOW)).toBeNull();
  expect(ago(NOW + 5_000, NOW)).toBeNull();
  speak('de');
  expect(ago(NOW - 120_000, NOW)).toBe('vor 2 Minuten');
});

it('names the day, and the year where it is another', () => {
  speak('de');
  expect(moment(NOW + 86_400_000, NOW)).toMatch(/^Di\., 1\. Dez\.,? 12:00$/);
  expect(moment(NOW + 60 * 86_400_000, NOW)).toContain('2027');
});

it('counts hours, and days where they are many', () => {
  speak('en');
  expect([1, 24, 168].map(span)).toEqual(['1 hour', '24 hours', '7 days']);
});
