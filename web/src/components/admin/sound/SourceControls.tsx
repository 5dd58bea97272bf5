import { GAIN_MAX, type SourceChoice } from '../../../publish/sound/choice.ts';
import type { SourceName } from '../../../publish/sound/facts.ts';
import type { ShareService } from '../../../services/AdminScreenShareService.ts';
import { soundWords } from '../../../words/sound.ts';
import { Meter } from './Meter.tsx';

export interface SourceControlsProps {
  service: ShareService;
  source: SourceName;
  name: string;
  choice: SourceChoice;
  onChange: (change: Partial<SourceChoice>) => void;
}

/** A source's level, how loud it is to be, and its mute. */
export function SourceControls({ service, source, name, choice, onChange }: SourceControlsProps) {
  const words = soundWords();
  const { gain, muted } = choice;
  return (
    <div className="sound-source" data-muted={muted}>
      <div className="sound-line">
        <span>{name}</span>
        <button
          type="button"
          className="button sound-mute"
          aria-label={muted ? words.unmuteIt(name) : words.muteIt(name)}
          onClick={() => onChange({ muted: !muted })}
        >
          {muted ? words.unmute : words.mute}
        </button>
      </div>
      <Meter service={service} source={source} label={words.level(name)} />
      <div className="sound-line">
        <input
          type="range"
          min={0}
          max={GAIN_MAX}
          step={0.05}
          value={gain}
          aria-label={words.loudness(name)}
          aria-valuetext={percent(gain)}
          onChange={(event) => onChange({ gain: Number(event.target.value) })}
        />
        <span className="faint numeric sound-gain">{percent(gain)}</span>
      </div>
    </div>
  );
}

function percent(gain: number): string {
  return `${Math.round(gain * 100)} %`;
}
