/**
 * `window.steadycast` of a panel: what support asks an admin to read out, and what tests read.
 * Read-only, and a public interface: fields are added, not changed.
 */

import type { HostStatus } from '../../publish/status.ts';
import type {
  AdminScreenShareService,
  ShareSnapshot,
} from '../../services/AdminScreenShareService.ts';

export interface PanelDiagnostics {
  /** What the capture host says; null without one. */
  status(): HostStatus | null;
  /** What the panel knows and shows; null before there is a broadcast. */
  panel(): ShareSnapshot | null;
}

let shown: AdminScreenShareService | null = null;

/** The service that the page shows at present. */
export function showService(service: AdminScreenShareService): void {
  shown = service;
}

export function exposeDiagnostics(): void {
  const value: PanelDiagnostics = Object.freeze({
    status: () => shown?.status() ?? null,
    panel: () => shown?.snapshot() ?? null,
  });
  Object.defineProperty(window, 'steadycast', { value });
}
