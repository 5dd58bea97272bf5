import type { Sample } from '../../publish/history.ts';
import type { HostStatus } from '../../publish/status.ts';
import { Sparkline } from './Sparkline.tsx';
import { bitrate, codecName, milliseconds, wholeFrames } from './time.ts';

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
  const { status, history } = props;
  const { rates, counts, picture } = status;
  const rate = bitrate(rates.bitsPerSecond);
  const line = (pick: (sample: Sample) => number) => history.map(pick);
  return (
    <section className="figures" aria-label="Live figures">
      <Tile
        name="Frames per second"
        value={wholeFrames(rates.fpsSent)}
        note={motionNote(status)}
        values={line((sample) => sample.fps)}
        ceiling={10}
      />
      <Tile
        name="Bitrate"
        value={rate.value}
        unit={rate.unit}
        note={`aims at ${bitrate(status.quality.bitrate).value} ${bitrate(status.quality.bitrate).unit}`}
        values={line((sample) => sample.bitsPerSecond)}
        ceiling={200_000}
      />
      <Tile
        name="Encode time"
        value={milliseconds(rates.encodeMs)}
        unit="ms"
        note={
          picture === null
            ? null
            : `${codecName(picture.codec)}, ${picture.width} × ${picture.height}`
        }
        values={line((sample) => sample.encodeMs)}
        ceiling={10}
      />
      <Tile
        name="Round trip"
        value={milliseconds(status.rttMs)}
        unit="ms"
        note="to the relay"
        values={line((sample) => sample.rttMs)}
        ceiling={20}
      />
      <Tile
        name="Viewers"
        value={String(status.players)}
        note="connected now"
        values={line((sample) => sample.players)}
        ceiling={4}
      />
      <Tile
        name="Keyframe requests"
        value={String(counts.keyframeRequests)}
        note={`${counts.keyframesSent} sent`}
      />
    </section>
  );
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
