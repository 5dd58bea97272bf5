import { useSyncExternalStore } from 'react';
import type { AudienceSnapshot, AudienceSource } from '../../../services/audience.ts';

/** What the relay says of viewers; it is asked while this is shown. */
export function useAudience({ subscribe, snapshot }: AudienceSource): AudienceSnapshot {
  return useSyncExternalStore(subscribe, snapshot);
}
