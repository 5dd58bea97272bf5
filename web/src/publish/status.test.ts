import { describe, expect, it } from 'vitest';
import { deriveState, type LinkPhase } from './status.ts';

const link = (phase: LinkPhase, code: string | null = null, everOpen = false) => ({
  phase,
  code,
  everOpen,
});

describe('the state of a host', () => {
  it('follows the session while the screen is captured', () => {
    expect(deriveState('capturing', link('connecting'), false)).toBe('connecting');
    expect(deriveState('capturing', link('open', null, true), false)).toBe('live');
    expect(deriveState('capturing', link('lost', null, true), false)).toBe('reconnecting');
    expect(deriveState('capturing', link('connecting', null, true), false)).toBe('reconnecting');
    expect(deriveState('capturing', link('lost'), false)).toBe('connecting');
  });

  it('tells being taken over from being refused', () => {
    expect(deriveState('capturing', link('refused', 'superseded'), false)).toBe('superseded');
    expect(deriveState('capturing', link('refused', 'stale_epoch'), false)).toBe('superseded');
    expect(deriveState('capturing', link('refused', 'token_expired'), false)).toBe('refused');
  });

  it('follows the admin’s new attempt after a refusal', () => {
    expect(deriveState('asking', link('refused', 'superseded'), false)).toBe('asking');
    expect(deriveState('cancelled', link('refused', 'superseded'), false)).toBe('cancelled');
  });

  it('is what the document says when nothing is captured', () => {
    expect(deriveState('idle', link('off'), false)).toBe('idle');
    expect(deriveState('gesture', link('off'), false)).toBe('needs-gesture');
    expect(deriveState('ended', link('off'), false)).toBe('ended');
    expect(deriveState('stopped', link('off'), false)).toBe('stopped');
  });

  it('is failed when there is no way', () => {
    expect(deriveState('capturing', link('open', null, true), true)).toBe('failed');
    expect(deriveState('capturing', link('unsupported'), false)).toBe('failed');
    expect(deriveState('failed', link('off'), false)).toBe('failed');
  });
});
