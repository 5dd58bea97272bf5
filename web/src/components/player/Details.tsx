import type { PlayerRecords } from '../../play/records.ts';

const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`);

function rows(records: PlayerRecords): [name: string, value: string][] {
  const { picture } = records;
  return [
    ['Picture', picture === null ? '–' : `${picture.width} × ${picture.height}, ${picture.codec}`],
    ['Latency p50 / p95', `${ms(records.latencyP50Ms)} / ${ms(records.latencyP95Ms)}`],
    ['Round trip', ms(records.rttMs)],
    ['Jitter buffer', ms(records.bufferMs)],
    ['First picture after', ms(records.firstPictureMs)],
    ['Largest gap', ms(records.largestGapMs)],
    [
      'Received / decoded / shown',
      `${records.framesReceived} / ${records.framesDecoded} / ${records.framesShown}`,
    ],
    ['Black frames', String(records.blackFrames + records.blankResets)],
    ['Skips / late frames', `${records.skips} / ${records.lateFrames}`],
    ['Decoder errors', String(records.decoderErrors)],
    ['Sessions opened / closed', `${records.sessionsOpened} / ${records.sessionsClosed}`],
  ];
}

/** The figures behind the picture, for whoever helps a viewer. */
export function Details({ records }: { records: PlayerRecords }) {
  return (
    <dl className="player-details numeric">
      {rows(records).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
