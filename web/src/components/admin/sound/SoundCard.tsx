import { useId } from 'react';
import type { SoundChoice } from '../../../publish/sound/choice.ts';
import { type HostStatus, isGoingOut, isSharing } from '../../../publish/status.ts';
import type { ShareService } from '../../../services/AdminScreenShareService.ts';
import { soundWords } from '../../../words/sound.ts';
import { MicrophoneChoice } from './MicrophoneChoice.tsx';
import { SourceControls } from './SourceControls.tsx';
import { problemSaid, saidOf } from './said.ts';
import './sound.css';

export interface SoundCardProps {
  service: ShareService;
  choice: SoundChoice;
  /** Null: no window captures. */
  status: HostStatus | null;
}

/** Whether viewers hear anything, plainly, and what of; with each source's level and loudness. */
export function SoundCard({ service, choice, status }: SoundCardProps) {
  const words = soundWords();
  const title = useId();
  const sharing = status !== null && isSharing(status.state) ? status : null;
  const { heard, text, hint } = saidOf(status);
  const goesOut = heard && sharing !== null && isGoingOut(sharing.state);
  const { kind } = sharing?.sound.shared ?? { kind: null };
  const microphone = sharing?.sound.microphone ?? { label: null, problem: null };
  const { device, muted } = choice.microphone;
  const goesLiveLater = sharing === null && device !== null;
  const set = (change: Partial<SoundChoice>) => service.setSound({ ...choice, ...change });
  return (
    <section className="card sound" aria-labelledby={title}>
      <header>
        <h2 id={title}>{words.title}</h2>
        {goesOut && (
          <span className="faint numeric">{words.listeners(sharing.sound.listeners)}</span>
        )}
      </header>
      <p className="sound-said" data-heard={goesOut} data-sharing={sharing !== null} role="status">
        {text}
      </p>
      {hint !== null && <p className="sound-hint">{hint}</p>}
      {kind !== null && (
        <SourceControls
          service={service}
          source="shared"
          name={words.names[kind]}
          choice={choice.shared}
          onChange={(change) => set({ shared: { ...choice.shared, ...change } })}
        />
      )}
      <MicrophoneChoice
        device={device}
        problem={problemSaid(microphone)}
        onChoose={(device) => set({ microphone: { ...choice.microphone, device } })}
      />
      {goesLiveLater && !muted && <p className="sound-warning">{words.microphoneLater}</p>}
      {(microphone.label !== null || goesLiveLater) && (
        <SourceControls
          service={service}
          source="microphone"
          name={words.names.microphone}
          choice={choice.microphone}
          onChange={(change) => set({ microphone: { ...choice.microphone, ...change } })}
        />
      )}
    </section>
  );
}
