import type { Sample } from '../../publish/history.ts';
import type { HostStatus } from '../../publish/status.ts';
import { codecName } from '../codecs.ts';
import { Sparkline } from './Sparkline.tsx';
import { bitrate, milliseconds, wholeFrames } from './time.ts';

interface TileProps {
  name: string;
  value: string;
  unit?: string;
  note?: string | null;
  values?: readonly number[];
  ceiling?: number;
}

/** The running figures of the host, with a line of the last minute each. */
export function Figures(props: { status: HostStatus; history: readonly Sample[] }) {
  return (
    <section className="figures" aria-label="Live figures">
      {[...streamTiles(props.status), ...relayTiles(props.status)].map(({ pick, ...tile }) => (
        <Tile key={tile.name} {...tile} {...(pick && { values: props.history.map(pick) })} />
      ))}
    </section>
  );
}

type TileFacts = Omit<TileProps, 'values'> & { pick?: (sample: Sample) => number };

function streamTiles(status: HostStatus): TileFacts[] {
  const { rates, picture, quality } = status;
  const rate = bitrate(rates.bitsPerSecond);
  const aim = bitrate(quality.bitrate);
  return [
    {
      name: 'Frames per second',
      value: wholeFrames(rates.fpsSent),
      note: motionNote(status),
      pick: (sample) => sample.fps,
      ceiling: 10,
    },
    {
      name: 'Bitrate',
      ...rate,
      note: `aims at ${aim.value} ${aim.unit}`,
      pick: (sample) => sample.bitsPerSecond,
      ceiling: 200_000,
    },
    {
      name: 'Encode time',
      value: milliseconds(rates.encodeMs),
      unit: 'ms',
      note: picture && `${codecName(picture.codec)}, ${picture.width} × ${picture.height}`,
      pick: (sample) => sample.encodeMs,
      ceiling: 10,
    },
  ];
}

function relayTiles({ rttMs, players, counts }: HostStatus): TileFacts[] {
  return [
    {
      name: 'Round trip',
      value: milliseconds(rttMs),
      unit: 'ms',
      note: 'to the relay',
      pick: (sample) => sample.rttMs,
      ceiling: 20,
    },
    {
      name: 'Viewers',
      value: String(players),
      note: 'connected now',
      pick: (sample) => sample.players,
      ceiling: 4,
    },
    {
      name: 'Keyframe requests',
      value: String(counts.keyframeRequests),
      note: `${counts.keyframesSent} sent`,
    },
  ];
}

function Tile({ name, value, unit, note, values, ceiling = 1 }: TileProps) {
  return (
    <div className="tile">
      <h3>{name}</h3>
      <p className="tile-value numeric">
        {value}
        {unit !== undefined && <small> {unit}</small>}
      </p>
      {values !== undefined && (
        <Sparkline values={values} ceiling={ceiling} label={`${name} over the last minute`} />
      )}
      <p className="tile-note faint">{note ?? ' '}</p>
    </div>
  );
}

function motionNote({ state, motion, quality }: HostStatus): string {
  if (state !== 'live') return 'not connected';
  if (motion === 'still') return 'picture at rest, costs nothing';
  if (motion === 'sharpening') return 'at rest, sharpening';
  return `at most ${quality.frameRate}`;
}

/** Everything that is counted, for the curious and for support. */
export function Details({ status }: { status: HostStatus }) {
  const { counts, rates } = status;
  const rows: [string, string | number][] = [
    ['Frames captured', counts.framesIn],
    ['of them unchanged', counts.framesUnchanged],
    ['Frames sent', counts.framesSent],
    ['of them sharpening', counts.refinementsSent],
    ['Captured per second', wholeFrames(rates.fpsIn)],
    ['Left out for the frame rate', counts.skippedForRate],
    ['Left out for the encoder', counts.skippedForEncoder],
    ['Left out for the network', counts.skippedForUplink],
    ['Longest pause between frames', `${Math.round(counts.largestGapMs)} ms`],
    ['Sent', `${(counts.bytesSent / 1_000_000).toFixed(1)} MB`],
    ['Sessions opened', counts.sessionsOpened],
    ['Sessions lost', counts.sessionsLost],
    ['Epoch, group', `${status.epoch}, ${status.group}`],
    ['Encoder failures', counts.encoderErrors],
  ];
  return (
    <details className="details">
      <summary>All figures</summary>
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
