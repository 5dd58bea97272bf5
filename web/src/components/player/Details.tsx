import type { LinkKey } from '@steadycast/codec-glue';
import type { TransportName } from '../../play/race.ts';
import type { PlayerRecords } from '../../play/records.ts';
import { decimal } from '../../words/numbers.ts';
import { playerWords } from '../../words/player.ts';
import { codecName } from '../codecs.ts';
import type { Control } from './Controls.tsx';
import { ThemeChoice } from './ThemeChoice.tsx';
import { useComparisonCode } from './useComparisonCode.ts';

const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`);

type Row = [name: string, value: string];

const TRANSPORTS: Record<TransportName, string> = {
  webtransport: 'WebTransport',
  whep: 'WebRTC',
  websocket: 'WebSocket',
};

function pictureWords({ picture }: PlayerRecords): string {
  if (picture === null) return '–';
  const size = `${picture.width} × ${picture.height}`;
  return picture.codec === '' ? size : `${size}, ${codecName(picture.codec)}`;
}

/** Its delay, and how much of it something had to stand in for. */
function soundWords({ sound }: PlayerRecords): string {
  if (sound === null) return '–';
  const share = sound.playedMs === 0 ? 0 : (sound.concealedMs / sound.playedMs) * 100;
  return `${ms(sound.latencyMs)} / ${decimal(share, 1)} %`;
}

/** What goes wrong differs by the way that frames come. */
function faults(records: PlayerRecords, transport: TransportName | null): Row[] {
  const { figures } = playerWords();
  if (transport === 'whep') {
    return [[figures.lost, `${records.framesDropped} / ${records.packetsLost}`]];
  }
  return [
    [figures.skips, `${records.skips} / ${records.lateFrames}`],
    [figures.decoder, String(records.decoderErrors)],
  ];
}

function rows(records: PlayerRecords, transport: TransportName | null): Row[] {
  const { figures } = playerWords();
  return [
    [figures.picture, pictureWords(records)],
    [figures.connection, transport === null ? '–' : TRANSPORTS[transport]],
    [figures.latency, `${ms(records.latencyP50Ms)} / ${ms(records.latencyP95Ms)}`],
    [figures.roundTrip, ms(records.rttMs)],
    [figures.held, ms(records.bufferMs)],
    [figures.first, ms(records.firstPictureMs)],
    [figures.gap, ms(records.largestGapMs)],
    [
      figures.frames,
      `${records.framesReceived} / ${records.framesDecoded} / ${records.framesShown}`,
    ],
    [figures.sound, soundWords(records)],
    [figures.black, String(records.blackFrames + records.blankResets)],
    ...faults(records, transport),
    [figures.sessions, `${records.sessionsOpened} / ${records.sessionsClosed}`],
  ];
}

export interface DetailsProps {
  records: PlayerRecords;
  transport: TransportName | null;
  /** What the picture was opened with; null: it is not private. */
  linkKey: LinkKey | null;
  /** When the newest picture of a private broadcast was captured, by the host's clock: Unix milliseconds. */
  capturedMs: number | null;
  /** The list of shortcuts. */
  shortcuts: Control;
  /** Offers light and dark. */
  themed: boolean;
}

/** The figures behind the picture, for whoever helps a viewer, and what is seldom chosen. */
export function Details(props: DetailsProps) {
  const { records, transport, linkKey, capturedMs, shortcuts, themed } = props;
  return (
    <div className="player-details">
      <dl className="player-figures numeric">
        {rows(records, transport).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {linkKey !== null && <Private linkKey={linkKey} capturedMs={capturedMs} />}
      <div className="player-tools">
        {themed && <ThemeChoice />}
        <button type="button" className="player-tool" onClick={shortcuts.toggle}>
          {playerWords().shortcuts.button}
        </button>
      </div>
    </div>
  );
}

interface PrivateProps {
  linkKey: LinkKey;
  capturedMs: number | null;
}

/** That nobody else can see the picture, how to tell, and when it was made, whatever the server says. */
function Private({ linkKey, capturedMs }: PrivateProps) {
  const words = playerWords();
  const code = useComparisonCode(linkKey);
  const made = capturedMs === null ? '–' : new Date(capturedMs).toLocaleTimeString();
  return (
    <div className="player-private">
      <p>{words.private}</p>
      <p>
        {words.compare} <span className="numeric">{code}</span>
      </p>
      <p>{words.captured(made)}</p>
    </div>
  );
}
