import type { Words } from './words.ts';

const TONES = { good: 'badge-good', wait: 'badge-wait', bad: 'badge-bad', plain: 'badge-plain' };

/** A state in one or two words. */
export function StateBadge({ words }: { words: Words }) {
  return <span className={`badge ${TONES[words.tone]}`}>{words.badge}</span>;
}
