import type { HostStatus } from '../../publish/status.ts';
import { figuresWords } from '../../words/index.ts';
import { renditionLines } from './renditions.ts';

/** The versions that run for viewers who cannot show the main one, and why. */
export function Renditions({ status }: { status: HostStatus }) {
  const lines = renditionLines(status);
  if (lines.length === 0) return null;
  return (
    <ul className="card renditions" aria-label={figuresWords().renditions.label} aria-live="polite">
      {lines.map(({ codec, tone, text, figures }) => (
        <li key={codec}>
          <span className={`badge badge-${tone}`}>{codec}</span>
          <span className="rendition-text">{text}</span>
          {figures !== null && (
            <span className="rendition-figures numeric faint" aria-hidden="true">
              {figures}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
