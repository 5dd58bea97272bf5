/**
 * `window.steadycast`: what support asks a viewer to read out, and what tests read. Read-only, and
 * a public interface: fields are added, not changed.
 */

import type { TransportName } from '../../play/race.ts';
import type { PlayerState } from '../../play/state.ts';
import type { PrivacyFacts } from '../../privacy/private-broadcast.ts';
import type { PlayerReport, PlayerStreamService } from '../../services/PlayerStreamService.ts';

export interface SteadycastDiagnostics {
  /** Counts since the page began, and the newest 2,000 shown frames. */
  records(): PlayerReport;
  /** What the viewer is told. */
  state(): PlayerState;
  /** What brings the picture; null: nothing so far. */
  transport(): TransportName | null;
  /** How it stands with a private broadcast; null: it is none, as far as is known. */
  privacy(): PrivacyFacts | null;
}

declare global {
  interface Window {
    readonly steadycast?: SteadycastDiagnostics;
  }
}

export function exposeDiagnostics(service: PlayerStreamService): void {
  const value: SteadycastDiagnostics = Object.freeze({
    records: () => service.records(),
    state: () => service.snapshot().state,
    transport: () => service.snapshot().transport,
    privacy: () => service.snapshot().privacy,
  });
  Object.defineProperty(window, 'steadycast', { value });
}
