import { useEffect, useRef } from 'react';
import type { SourceName } from '../../../publish/sound/facts.ts';
import type { ShareService } from '../../../services/AdminScreenShareService.ts';

export interface MeterProps {
  service: ShareService;
  source: SourceName;
  label: string;
}

/** How loud a source goes out. It moves by itself: ten times a second is no matter of the panel's. */
export function Meter({ service, source, label }: MeterProps) {
  const bar = useRef<HTMLDivElement>(null);
  const meter = useRef<HTMLMeterElement>(null);
  useEffect(
    () =>
      service.watchLevels((levels) => {
        bar.current?.style.setProperty('--level', String(levels[source]));
        if (meter.current !== null) meter.current.value = Math.round(levels[source] * 100);
      }),
    [service, source],
  );
  return (
    <div ref={bar} className="level">
      <meter ref={meter} className="spoken" min={0} max={100} aria-label={label} />
    </div>
  );
}
