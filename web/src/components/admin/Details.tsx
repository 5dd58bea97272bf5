import type { HostStatus } from '../../publish/status.ts';
import { figuresWords } from '../../words/index.ts';
import { decimal } from '../../words/numbers.ts';
import { wholeFrames } from './time.ts';

/** Everything that is counted, for the curious and for support. */
export function Details({ status }: { status: HostStatus }) {
  const { counts, rates, sound } = status;
  const { details: words } = figuresWords();
  const rows: [string, string | number][] = [
    [words.framesIn, counts.framesIn],
    [words.unchanged, counts.framesUnchanged],
    [words.sent, counts.framesSent],
    [words.refinements, counts.refinementsSent],
    [words.fpsIn, wholeFrames(rates.fpsIn)],
    [words.forRate, counts.skippedForRate],
    [words.forEncoder, counts.skippedForEncoder],
    [words.forNetwork, counts.skippedForUplink],
    [words.gap, `${Math.round(counts.largestGapMs)} ms`],
    [words.bytes, `${decimal(counts.bytesSent / 1_000_000, 1)} MB`],
    [words.opened, counts.sessionsOpened],
    [words.lost, counts.sessionsLost],
    [words.epoch, `${status.epoch}, ${status.group}`],
    [words.failures, counts.encoderErrors],
    [words.soundRate, `${Math.round(sound.bitsPerSecond / 1_000)} kbit/s`],
    [words.soundSent, sound.sent],
    [words.soundLeft, sound.left],
    [words.soundGaps, sound.gaps],
  ];
  return (
    <details className="details">
      <summary>{words.title}</summary>
      <dl className="numeric">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
