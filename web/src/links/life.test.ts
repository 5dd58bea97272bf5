import { expect, it } from 'vitest';
import { lifeOf } from './life.ts';

function linkWith(grant: object): string {
  const claims = { exp: 100, steadycast: { broadcast: 'main', roles: ['play'], ...grant } };
  const payload = btoa(JSON.stringify(claims)).replaceAll('=', '');
  return `https://relay.example/play#token=e30.${payload}.sig`;
}

it('opens the page until then, or ends access then', () => {
  expect(lifeOf(linkWith({}))).toEqual({ endsMs: 100_000, endsAccess: false });
  expect(lifeOf(linkWith({ expiry: 'connect_by' }))?.endsAccess).toBe(false);
  expect(lifeOf(linkWith({ expiry: 'stay_until' }))?.endsAccess).toBe(true);
});

it('is not known of what is no token of the relay', () => {
  expect(lifeOf('https://relay.example/play#token=opaque')).toBeNull();
  expect(lifeOf('https://relay.example/play')).toBeNull();
});
