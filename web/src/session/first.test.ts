import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeRelay } from './fake.ts';
import { connectFirst } from './first.ts';
import type { Connect, Transport } from './transport.ts';

const ENDPOINT = {
  sessionUrl: 'https://relay.test/session',
  certificateHashes: [],
  versions: { min: 1, max: 2 },
  clock: null,
};

/** A way in the test's hands. */
function way() {
  const relay = new FakeRelay();
  let open: (transport: Transport) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  let signal: AbortSignal | undefined;
  const connect = vi.fn<Connect>((_, given) => {
    signal = given;
    return new Promise((resolve, reject) => {
      open = resolve;
      fail = reject;
    });
  });
  return {
    relay,
    connect,
    open: () => open(relay.transport),
    fail: () => fail(new Error('no')),
    given: () => signal?.aborted,
  };
}

function connect(...ways: ReturnType<typeof way>[]) {
  const abort = new AbortController();
  const ended = vi.fn();
  connectFirst(ways.map((one) => one.connect))(ENDPOINT, abort.signal).then(ended, ended);
  return { abort, ended };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('needs no other way where the first is open in time', async () => {
  const [one, other] = [way(), way()];
  const { ended } = connect(one, other);
  await vi.advanceTimersByTimeAsync(499);
  one.open();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ended).toHaveBeenCalledWith(one.relay.transport);
  expect(other.connect).not.toHaveBeenCalled();
});

it('tries the next one after its head start, and gives up the slower one', async () => {
  const [one, other] = [way(), way()];
  const { ended } = connect(one, other);
  await vi.advanceTimersByTimeAsync(500);
  other.open();
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toHaveBeenCalledWith(other.relay.transport);
  expect(one.given()).toBe(true);
  // It may have been open at the very same moment.
  one.open();
  await vi.advanceTimersByTimeAsync(0);
  expect([one.relay.closedWith, other.relay.closedWith]).toEqual([{}, null]);
});

it('waits for nothing after a failure, and fails when all have', async () => {
  const [one, other] = [way(), way()];
  const { ended } = connect(one, other);
  one.fail();
  await vi.advanceTimersByTimeAsync(0);
  expect(other.connect).toHaveBeenCalled();
  expect(ended).not.toHaveBeenCalled();
  other.fail();
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toHaveBeenCalledWith(new Error('no'));
});

it('is given up with the signal', async () => {
  const [one, other] = [way(), way()];
  const { abort, ended } = connect(one, other);
  abort.abort('enough');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ended).toHaveBeenCalledWith('enough');
  expect([one.given(), other.connect.mock.calls.length]).toEqual([true, 0]);
});
