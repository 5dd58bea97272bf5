import { describe, expect, it } from 'vitest';
import { StateMachine } from './state.ts';

/** A player that watches a live broadcast since 1,000. */
function watching(): StateMachine {
  const machine = new StateMachine();
  machine.opened(900);
  machine.status('live', 0);
  machine.shown(false, 1_000);
  return machine;
}

describe('the player’s state', () => {
  it('begins by connecting, and counts its attempts', () => {
    const machine = new StateMachine();
    machine.connecting(3);
    machine.lost(10);
    expect(machine.at(20, 0)).toEqual({ kind: 'connecting', attempt: 3 });
  });

  it('joins until there is a picture', () => {
    const machine = new StateMachine();
    machine.opened(0);
    machine.status('live', 0);
    expect(machine.at(50, 0).kind).toBe('connecting');
    machine.shown(false, 60);
    expect(machine.at(60, 0)).toEqual({ kind: 'live' });
  });

  it('waits for an admin who has not started', () => {
    const machine = new StateMachine();
    machine.opened(0);
    machine.status('waiting', 0);
    expect(machine.at(10, 0)).toEqual({ kind: 'waiting' });
  });

  it('is live while a large frame is on its way', () => {
    const machine = watching();
    machine.arriving(4_000);
    expect(machine.at(4_500, 0).kind).toBe('live');
    expect(machine.at(5_100, 0).kind).toBe('static');
  });

  it('is static after a second without new content; refinements are not new', () => {
    const machine = watching();
    machine.shown(true, 1_900);
    expect(machine.at(1_999, 0).kind).toBe('live');
    expect(machine.at(2_000, 0)).toEqual({ kind: 'static', sinceMs: 1_000 });
    machine.shown(false, 2_500);
    expect(machine.at(2_500, 0)).toEqual({ kind: 'live' });
  });

  it('calls nothing static that the relay does not vouch for', () => {
    expect(watching().at(9_000, 2_600).kind).toBe('live');
  });

  it('says at once that the admin is away, and since when', () => {
    const machine = watching();
    machine.status('held', 1_200);
    expect(machine.at(1_300, 0)).toEqual({ kind: 'away', sinceMs: 1_200 });
    machine.status('live', 5_000);
    expect(machine.at(5_020, 0), 'back, though its picture is yet to come').toEqual({
      kind: 'live',
    });
    machine.shown(false, 5_040);
    expect(machine.at(5_041, 0).kind).toBe('live');
  });

  it('prepares while a version for this browser is on its way, and says when there is none', () => {
    const machine = new StateMachine();
    machine.opened(0);
    machine.status('live', 0);
    const h264 = { track: 1, codec: 'h264' } as const;
    machine.served({ service: 'preparing', ...h264 });
    expect(machine.at(10, 0)).toEqual({ kind: 'preparing' });
    machine.served({ service: 'unsupported', track: 0, codec: 'av1' });
    expect(machine.at(20, 0)).toEqual({ kind: 'undecodable', codec: 'av1' });
    machine.served({ service: 'ready', ...h264 });
    expect(machine.at(30, 0).kind).toBe('connecting');
    machine.shown(false, 40);
    expect(machine.at(40, 0).kind).toBe('live');
    // The last picture is there: that the admin is away is the more important news.
    machine.served({ service: 'preparing', ...h264 });
    machine.status('held', 50);
    expect(machine.at(60, 0)).toEqual({ kind: 'away', sinceMs: 50 });
    // Another session knows nothing of it.
    machine.lost(70);
    machine.opened(80);
    machine.status('live', 80);
    expect(machine.at(90, 0).kind).toBe('live');
  });

  it('reconnects from the moment it lost the session, however many attempts it takes', () => {
    const machine = watching();
    machine.lost(2_000);
    machine.connecting(1);
    machine.lost(4_000);
    expect(machine.at(5_000, 0)).toEqual({ kind: 'reconnecting', sinceMs: 2_000, covered: false });
    machine.opened(6_000);
    expect(machine.at(6_000, 0).kind).toBe('live');
  });

  it('tells an end from a refusal', () => {
    const ended = watching();
    ended.refused('broadcast_ended', 'over');
    expect(ended.at(1, 0)).toEqual({ kind: 'ended', reason: 'broadcast_ended' });
    const refused = watching();
    refused.refused('token_expired', 'old');
    refused.lost(5);
    expect(refused.at(1, 0)).toMatchObject({ kind: 'refused', reason: 'token_expired' });
  });
});

it('covers a picture that was taken back, also while the connection is lost', () => {
  const machine = new StateMachine();
  machine.opened(0);
  machine.status('live', 0);
  machine.shown(false, 10);
  machine.status('paused', 20);
  expect(machine.at(30, 0)).toEqual({ kind: 'paused', sinceMs: 20 });
  machine.lost(40);
  expect(machine.at(50, 0)).toEqual({ kind: 'reconnecting', sinceMs: 40, covered: true });
  machine.opened(60);
  machine.status('live', 60);
  expect(machine.at(70, 0).kind).toBe('live');
});
