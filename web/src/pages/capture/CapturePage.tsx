import { useEffect, useSyncExternalStore } from 'react';
import { StateBadge } from '../../components/admin/StateBadge.tsx';
import { bitrate, duration, wholeFrames } from '../../components/admin/time.ts';
import { useAskBeforeLeaving } from '../../components/admin/useAskBeforeLeaving.ts';
import { useNow } from '../../components/admin/useNow.ts';
import { useWakeLock } from '../../components/admin/useWakeLock.ts';
import { explainCode, type Words, wordsForHost } from '../../components/admin/words.ts';
import { codecName } from '../../components/codecs.ts';
import type { CaptureHost } from '../../publish/host.ts';
import { type HostStatus, isGoingOut, isSharing } from '../../publish/status.ts';
import { sharingWords } from '../../words/index.ts';

/** After these the window has no further use. */
const CLOSE_AFTER_STOP_MS = 700;
const CLOSE_SECOND_MS = 5_000;

/** The capture host's own window: small, and quiet while all is well. */
export function CapturePage({ host }: { host: CaptureHost }) {
  const { phase, status } = useSyncExternalStore(host.subscribe, host.snapshot);
  useTitle(status);
  useCloseAfterStop(host, status);
  useCloseAtOnce(phase === 'left');
  const sharing = status !== null && isSharing(status.state) && phase === 'open';
  useAskBeforeLeaving(sharing);
  useWakeLock(sharing);
  if (phase === 'second') return <SecondWindow />;
  if (phase === 'crashed') return <Crashed />;
  if (status === null) return <Notice title="Opening…" detail={null} />;
  return <Running host={host} status={status} />;
}

function Running({ host, status }: { host: CaptureHost; status: HostStatus }) {
  const words = wordsForHost(status);
  const nowMs = useNow();
  const sharing = isSharing(status.state);
  return (
    <main className="capture">
      <header className="capture-head">
        <StateBadge words={words} />
        {sharing && <span className="faint numeric">{duration(nowMs - status.sinceMs)}</span>}
      </header>
      <div className="capture-body" aria-live="polite">
        <h1>{titleFor(status, words.title)}</h1>
        <p className="soft">{ownDetail(status, words) ?? words.detail}</p>
      </div>
      {isGoingOut(status.state) && <Figures status={status} nowMs={nowMs} />}
      <Actions host={host} status={status} />
      <p className="faint capture-hint">
        {sharing
          ? 'Keep this window open; minimise it if you like. Crop, quality and everything else are on the sharing page.'
          : 'The sharing page shows what this window does.'}
      </p>
    </main>
  );
}

function titleFor(status: HostStatus, title: string | null): string {
  if (status.state === 'needs-gesture') {
    return status.counts.sessionsOpened > 0 ? 'Share your screen' : 'Ready to share';
  }
  return title ?? 'Your screen is being shared';
}

/** Where this window says something else than the panel, which talks about it. */
function ownDetail(status: HostStatus, words: Words): string | null {
  switch (status.state) {
    case 'asking':
      return 'The browser asks what to share. Sharing begins as soon as you have chosen.';
    case 'needs-gesture':
      return 'The browser wants one click before it lets this window see the screen.';
    case 'live':
      return words.title === null ? sourceName(status) : null;
    default:
      return null;
  }
}

function sourceName({ source, crop }: HostStatus): string {
  const names: Record<string, string> = {
    monitor: 'A whole screen',
    window: 'One window',
    browser: 'One browser tab',
  };
  const name = names[source?.surface ?? ''] ?? 'A screen';
  return crop === null
    ? `${name}, uncropped.`
    : `${name}, cropped to ${crop.width} × ${crop.height}.`;
}

function Figures({ status, nowMs }: { status: HostStatus; nowMs: number }) {
  const rate = bitrate(status.rates.bitsPerSecond);
  const retryS = status.retryAtMs === null ? null : Math.ceil((status.retryAtMs - nowMs) / 1_000);
  return (
    <dl className="capture-figures numeric">
      <div>
        <dt>Viewers</dt>
        <dd>{status.players}</dd>
      </div>
      <div>
        <dt>{status.motion === 'still' ? 'Picture' : 'Frames'}</dt>
        <dd>{status.motion === 'still' ? 'at rest' : `${wholeFrames(status.rates.fpsSent)}/s`}</dd>
      </div>
      <div>
        <dt>{retryS === null || retryS < 1 ? 'Rate' : 'Next try'}</dt>
        <dd>{retryS === null || retryS < 1 ? `${rate.value} ${rate.unit}` : `${retryS} s`}</dd>
      </div>
      <div>
        <dt>Codec</dt>
        <dd>{status.picture === null ? '–' : codecName(status.picture.codec)}</dd>
      </div>
    </dl>
  );
}

function Actions({ host, status }: { host: CaptureHost; status: HostStatus }) {
  if (status.state === 'asking') return null;
  if (status.state === 'standby') return <StandbyActions host={host} />;
  if (isSharing(status.state)) {
    return (
      <div className="capture-actions">
        <button
          type="button"
          className="button"
          onClick={() => void host.share({ resume: true, standby: false })}
        >
          Share another screen
        </button>
        <button type="button" className="button button-danger" onClick={() => void host.stop()}>
          Stop sharing
        </button>
      </div>
    );
  }
  if (status.state === 'refused' && explainCode(status.code) !== null) {
    return (
      <div className="capture-actions">
        <button type="button" className="button" onClick={() => window.close()}>
          Close this window
        </button>
      </div>
    );
  }
  return (
    <div className="capture-actions">
      <button
        type="button"
        className="button button-primary"
        // biome-ignore lint/a11y/noAutofocus: the window's only purpose, reached with one key.
        autoFocus
        onClick={() =>
          void host.share(
            status.state === 'needs-gesture' ? undefined : { resume: false, standby: false },
          )
        }
      >
        {buttonLabel(status)}
      </button>
    </div>
  );
}

/** What nobody sees yet: the panel has the crop and the same ways on. */
function StandbyActions({ host }: { host: CaptureHost }) {
  const words = sharingWords();
  return (
    <div className="capture-actions">
      <button type="button" className="button button-primary" onClick={() => host.goLive()}>
        {words.goLive}
      </button>
      <button type="button" className="button" onClick={() => void host.stop()}>
        {words.discard}
      </button>
    </div>
  );
}

function buttonLabel({ state }: HostStatus): string {
  if (state === 'needs-gesture') return isResuming() ? 'Resume' : 'Share your screen';
  if (state === 'superseded') return 'Take back';
  return state === 'idle' ? 'Share your screen' : 'Share again';
}

/** A reloaded window goes on with what it did. */
function isResuming(): boolean {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return entry?.type === 'reload';
}

function SecondWindow() {
  useEffect(() => {
    const timer = setTimeout(() => window.close(), CLOSE_SECOND_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Notice
      title="Another window is sharing already"
      detail="This broadcast has its capture window in this browser. This one is not needed and closes by itself."
    >
      <button type="button" className="button" onClick={() => window.close()}>
        Close now
      </button>
    </Notice>
  );
}

function Crashed() {
  return (
    <Notice title="Capturing broke down" detail="Start it again; crop and quality are kept.">
      <button type="button" className="button button-primary" onClick={() => location.reload()}>
        Start again
      </button>
    </Notice>
  );
}

/** A page with one thing to say. */
export function Notice(props: {
  title: string;
  detail: string | null;
  children?: React.ReactNode;
}) {
  return (
    <main className="capture">
      <div className="capture-body" aria-live="polite">
        <h1>{props.title}</h1>
        {props.detail !== null && <p className="soft">{props.detail}</p>}
      </div>
      {props.children !== undefined && <div className="capture-actions">{props.children}</div>}
    </main>
  );
}

/** The taskbar says it too. */
function useTitle(status: HostStatus | null): void {
  const title =
    status === null ? 'Steadycast capture' : `${wordsForHost(status).badge} · Steadycast`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

function useCloseAfterStop(host: CaptureHost, status: HostStatus | null): void {
  const stopped = status?.state === 'stopped';
  useEffect(() => {
    if (!stopped) return;
    const timer = setTimeout(() => {
      host.sayBye();
      window.close();
    }, CLOSE_AFTER_STOP_MS);
    return () => clearTimeout(timer);
  }, [host, stopped]);
}

function useCloseAtOnce(over: boolean): void {
  useEffect(() => {
    if (over) window.close();
  }, [over]);
}
