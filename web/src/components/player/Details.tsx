import type { TransportName } from '../../play/race.ts';
import type { PlayerRecords } from '../../play/records.ts';
import { codecName } from '../codecs.ts';

const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`);

type Row = [name: string, value: string];

const TRANSPORTS: Record<TransportName, string> = {
  webtransport: 'WebTransport',
  whep: 'WebRTC',
};

function pictureWords({ picture }: PlayerRecords): string {
  if (picture === null) return '–';
  const size = `${picture.width} × ${picture.height}`;
  return picture.codec === '' ? size : `${size}, ${codecName(picture.codec)}`;
}

/** What goes wrong differs by the way that frames come. */
function faults(records: PlayerRecords, transport: TransportName | null): Row[] {
  if (transport === 'whep') {
    return [['Dropped frames / lost packets', `${records.framesDropped} / ${records.packetsLost}`]];
  }
  return [
    ['Skips / late frames', `${records.skips} / ${records.lateFrames}`],
    ['Decoder errors', String(records.decoderErrors)],
  ];
}

function rows(records: PlayerRecords, transport: TransportName | null): Row[] {
  return [
    ['Picture', pictureWords(records)],
    ['Connection', transport === null ? '–' : TRANSPORTS[transport]],
    ['Latency p50 / p95', `${ms(records.latencyP50Ms)} / ${ms(records.latencyP95Ms)}`],
    ['Round trip', ms(records.rttMs)],
    ['Held back for even motion', ms(records.bufferMs)],
    ['First picture after', ms(records.firstPictureMs)],
    ['Largest gap', ms(records.largestGapMs)],
    [
      'Received / decoded / shown',
      `${records.framesReceived} / ${records.framesDecoded} / ${records.framesShown}`,
    ],
    ['Black frames', String(records.blackFrames + records.blankResets)],
    ...faults(records, transport),
    ['Sessions opened / closed', `${records.sessionsOpened} / ${records.sessionsClosed}`],
  ];
}

export interface DetailsProps {
  records: PlayerRecords;
  transport: TransportName | null;
}

/** The figures behind the picture, for whoever helps a viewer. */
export function Details({ records, transport }: DetailsProps) {
  return (
    <dl className="player-details numeric">
      {rows(records, transport).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
