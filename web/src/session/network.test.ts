// @vitest-environment jsdom
import { afterEach, expect, it, vi } from 'vitest';
import { networkName, onNetworkChange } from './network.ts';

afterEach(() => vi.unstubAllGlobals());

it('is another one when it has another name, or is there again', () => {
  const connection = Object.assign(new EventTarget(), { type: 'wifi' });
  vi.stubGlobal('navigator', { connection });
  const changed = vi.fn();
  const stop = onNetworkChange(changed);
  connection.dispatchEvent(new Event('change'));
  expect(changed, 'it has only become slower').not.toHaveBeenCalled();
  connection.type = 'cellular';
  connection.dispatchEvent(new Event('change'));
  expect([networkName(), changed.mock.calls.length]).toEqual(['cellular', 1]);
  dispatchEvent(new Event('online'));
  expect(changed).toHaveBeenCalledTimes(2);
  stop();
  connection.type = 'wifi';
  connection.dispatchEvent(new Event('change'));
  dispatchEvent(new Event('online'));
  expect(changed).toHaveBeenCalledTimes(2);
});

it('has no name where the browser has none for it', () => {
  expect(networkName()).toBe('');
  const changed = vi.fn();
  onNetworkChange(changed)();
  dispatchEvent(new Event('online'));
  expect(changed).not.toHaveBeenCalled();
});
