import { useState } from 'react';
import { HISTORY_MS, MINUTE_MS, type Sample } from '../../publish/history.ts';
import type { HostStatus } from '../../publish/status.ts';
import { figuresWords } from '../../words/index.ts';
import { count } from '../../words/numbers.ts';
import { codecName } from '../codecs.ts';
import { Sparkline } from './Sparkline.tsx';
import { bitrate, milliseconds, wholeFrames } from './time.ts';

const SPANS = { minute: MINUTE_MS, minutes: HISTORY_MS } as const;
type Span = keyof typeof SPANS;
const SPAN_NAMES: readonly Span[] = ['minute', 'minutes'];

/** The running figures of the host, with a line each of how they have been. */
export function Figures(props: { status: HostStatus; history: readonly Sample[] }) {
  const [span, setSpan] = useState<Span>('minute');
  const words = figuresWords();
  return (
    <section className="figures-block" aria-label={words.label}>
      <header className="figures-head">
        <h2>{words.title}</h2>
        <SpanChoice span={span} onSpan={setSpan} />
      </header>
      <div className="figures">
        {[...streamTiles(props.status), ...relayTiles(props.status)].map((tile) => (
          <Tile key={tile.name} {...tile} span={span} history={props.history} />
        ))}
      </div>
    </section>
  );
}

function SpanChoice({ span, onSpan }: { span: Span; onSpan: (span: Span) => void }) {
  const words = figuresWords();
  return (
    <fieldset className="segments">
      <legend className="spoken">{words.span}</legend>
      {SPAN_NAMES.map((name) => (
        <label key={name} data-chosen={name === span}>
          <input
            type="radio"
            name="figures-span"
            value={name}
            checked={name === span}
            onChange={() => onSpan(name)}
          />
          {words.spans[name]}
        </label>
      ))}
    </fieldset>
  );
}

interface TileFacts {
  name: string;
  value: string;
  unit?: string;
  note: string | null;
  /** What its line is of; without, it has none. */
  line?: {
    pick: (sample: Sample) => number;
    /** A value as the line's text has it. */
    say: (value: number) => string;
    ceiling: number;
  };
}

function streamTiles(status: HostStatus): TileFacts[] {
  const { rates, picture, quality } = status;
  const { names, notes } = figuresWords();
  return [
    {
      name: names.fps,
      value: wholeFrames(rates.fpsSent),
      note: motionNote(status),
      line: { pick: (sample) => sample.fps, say: wholeFrames, ceiling: 10 },
    },
    {
      name: names.bitrate,
      ...bitrate(rates.bitsPerSecond),
      note: notes.aim(rateText(quality.bitrate)),
      line: { pick: (sample) => sample.bitsPerSecond, say: rateText, ceiling: 200_000 },
    },
    {
      name: names.encode,
      value: milliseconds(rates.encodeMs),
      unit: 'ms',
      note: picture && `${codecName(picture.codec)}, ${picture.width} × ${picture.height}`,
      line: { pick: (sample) => sample.encodeMs, say: timeText, ceiling: 10 },
    },
  ];
}

function relayTiles({ rttMs, carrier, players, counts }: HostStatus): TileFacts[] {
  const { names, notes } = figuresWords();
  return [
    {
      name: names.roundTrip,
      value: milliseconds(rttMs),
      unit: 'ms',
      note: carrier === 'websocket' ? notes.toRelayOverTcp : notes.toRelay,
      line: { pick: (sample) => sample.rttMs, say: timeText, ceiling: 20 },
    },
    {
      name: names.viewers,
      value: count(players),
      note: notes.connected,
      line: {
        pick: (sample) => sample.players,
        say: (value) => count(Math.round(value)),
        ceiling: 4,
      },
    },
    {
      name: names.keyframes,
      value: count(counts.keyframeRequests),
      note: notes.keyframesSent(count(counts.keyframesSent)),
    },
  ];
}

function Tile(props: TileFacts & { span: Span; history: readonly Sample[] }) {
  const { name, value, unit, note, line } = props;
  return (
    <div className="tile">
      <h3>{name}</h3>
      <p className="tile-value numeric">
        {value}
        {unit !== undefined && <small> {unit}</small>}
      </p>
      {line !== undefined && <TileLine {...props} line={line} />}
      <p className="tile-note faint">{note ?? ' '}</p>
    </div>
  );
}

function TileLine(props: {
  name: string;
  line: NonNullable<TileFacts['line']>;
  span: Span;
  history: readonly Sample[];
}) {
  const { name, line, span, history } = props;
  const points = history.map((sample) => ({ atMs: sample.atMs, value: line.pick(sample) }));
  const sinceMs = (points.at(-1)?.atMs ?? 0) - SPANS[span];
  const values = points.filter(({ atMs }) => atMs >= sinceMs).map(({ value }) => value);
  const words = figuresWords();
  const least = line.say(Math.min(...values));
  const range =
    values.length === 0 ? '' : `, ${words.between(least, line.say(Math.max(...values)))}`;
  const label = `${words.over[span](name)}${range}`;
  return <Sparkline points={points} spanMs={SPANS[span]} ceiling={line.ceiling} label={label} />;
}

const rateText = (bitsPerSecond: number) => {
  const { value, unit } = bitrate(bitsPerSecond);
  return `${value} ${unit}`;
};
const timeText = (ms: number) => `${milliseconds(ms)} ms`;

function motionNote({ state, motion, quality }: HostStatus): string {
  const { notes } = figuresWords();
  if (state !== 'live') return notes.offline;
  if (motion === 'still') return notes.still;
  return motion === 'sharpening' ? notes.sharpening : notes.atMost(String(quality.frameRate));
}
