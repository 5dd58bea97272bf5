import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { CaptureHost } from '../../publish/host.ts';
import { type HostStatus, isGoingOut, isSharing } from '../../publish/status.ts';
import { captureWords } from '../../words/capture.ts';
import { hostWords } from '../../words/host.ts';
import { sharingWords } from '../../words/index.ts';
import { GoLive } from '../admin/GoLive.tsx';
import { PausePicture } from '../admin/PausePicture.tsx';
import { StateBadge } from '../admin/StateBadge.tsx';
import { saidOf } from '../admin/sound/said.ts';
import { bitrate, duration, wholeFrames } from '../admin/time.ts';
import { useAskBeforeLeaving } from '../admin/useAskBeforeLeaving.ts';
import { useKeptFocus } from '../admin/useKeptFocus.ts';
import { useNow } from '../admin/useNow.ts';
import { useWakeLock } from '../admin/useWakeLock.ts';
import { explainCode, type Words, wordsForHost } from '../admin/words.ts';
import { codecName } from '../codecs.ts';
import { Notice } from './Notice.tsx';

/** After these the window has no further use. */
const CLOSE_AFTER_STOP_MS = 700;
const CLOSE_SECOND_MS = 5_000;

/** What the window of a capture host shows: small, and quiet while all is well. */
export function CaptureWindow({ host }: { host: CaptureHost }) {
  const { phase, status } = useSyncExternalStore(host.subscribe, host.snapshot);
  useTabTitle(status);
  useCloseAfterStop(host, status);
  useCloseAtOnce(phase === 'left');
  const sharing = status !== null && isSharing(status.state) && phase === 'open';
  useAskBeforeLeaving(sharing);
  useWakeLock(sharing);
  if (phase === 'second') return <SecondWindow />;
  if (phase === 'crashed') return <Crashed />;
  if (status === null) return <Notice title={captureWords().opening} detail={null} />;
  return <Running host={host} status={status} />;
}

function Running({ host, status }: { host: CaptureHost; status: HostStatus }) {
  const said = captureWords();
  const words = wordsForHost(status);
  const page = useRef<HTMLElement>(null);
  useKeptFocus(page);
  const nowMs = useNow();
  const sharing = isSharing(status.state);
  return (
    <main ref={page} tabIndex={-1} className="capture">
      <header className="capture-head">
        <StateBadge words={words} />
        {sharing && <span className="faint numeric">{duration(nowMs - status.sinceMs)}</span>}
      </header>
      <div className="capture-body" aria-live="polite">
        <h1>{titleFor(status, words.title)}</h1>
        <p className="soft">{ownDetail(status, words) ?? words.detail}</p>
      </div>
      {isGoingOut(status.state) && <Figures status={status} nowMs={nowMs} />}
      {sharing && <p className="soft">{saidOf(status).text}</p>}
      <Actions host={host} status={status} />
      <p className="faint capture-hint">{sharing ? said.keepOpen : said.idleHint}</p>
    </main>
  );
}

function titleFor(status: HostStatus, title: string | null): string {
  const said = captureWords();
  if (status.state === 'needs-gesture') {
    return status.counts.sessionsOpened > 0 ? said.shareYours : said.ready;
  }
  return title ?? said.sharing;
}

/** Where this window says something else than the panel, which talks about it. */
function ownDetail(status: HostStatus, words: Words): string | null {
  switch (status.state) {
    case 'asking':
      return status.standby ? captureWords().askingStandby : captureWords().asking;
    case 'needs-gesture':
      return captureWords().oneClick;
    case 'live':
      return words.title === null ? sourceName(status) : null;
    default:
      return null;
  }
}

function sourceName({ source, crop }: HostStatus): string {
  const { sources, uncropped, cropped } = captureWords();
  const { other, ...known } = sources;
  const name = new Map(Object.entries(known)).get(source?.surface ?? '') ?? other;
  return crop === null ? uncropped(name) : cropped(name, `${crop.width} × ${crop.height}`);
}

function Figures({ status, nowMs }: { status: HostStatus; nowMs: number }) {
  const { figures } = captureWords();
  const rate = bitrate(status.rates.bitsPerSecond);
  const retryS = status.retryAtMs === null ? null : Math.ceil((status.retryAtMs - nowMs) / 1_000);
  return (
    <dl className="capture-figures numeric">
      <div>
        <dt>{figures.viewers}</dt>
        <dd>{status.players}</dd>
      </div>
      <div>
        <dt>{status.motion === 'still' ? figures.picture : figures.frames}</dt>
        <dd>
          {status.motion === 'still' ? figures.atRest : `${wholeFrames(status.rates.fpsSent)}/s`}
        </dd>
      </div>
      <div>
        <dt>{retryS === null || retryS < 1 ? figures.rate : figures.nextTry}</dt>
        <dd>{retryS === null || retryS < 1 ? `${rate.value} ${rate.unit}` : `${retryS} s`}</dd>
      </div>
      <div>
        <dt>{figures.codec}</dt>
        <dd>{status.picture === null ? '–' : codecName(status.picture.codec)}</dd>
      </div>
    </dl>
  );
}

function Actions({ host, status }: { host: CaptureHost; status: HostStatus }) {
  const said = captureWords();
  if (status.state === 'asking') return null;
  if (status.state === 'standby') return <StandbyActions host={host} />;
  if (isSharing(status.state)) {
    return (
      <div className="capture-actions">
        <PausePicture paused={status.paused} onPause={(paused) => host.pause(paused)} />
        <button
          type="button"
          className="button"
          onClick={() => void host.share({ resume: true, standby: false })}
        >
          {said.another}
        </button>
        <button type="button" className="button button-danger" onClick={() => void host.stop()}>
          {hostWords().panel.stop}
        </button>
      </div>
    );
  }
  if (status.state === 'refused' && explainCode(status.code) !== null) {
    return (
      <div className="capture-actions">
        <button type="button" className="button" onClick={() => window.close()}>
          {said.close}
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
            status.state === 'needs-gesture'
              ? undefined
              : { resume: false, standby: status.standby },
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
  return (
    <div className="capture-actions">
      <GoLive onLive={() => host.goLive()} />
      <button type="button" className="button" onClick={() => void host.stop()}>
        {sharingWords().discard}
      </button>
    </div>
  );
}

function buttonLabel({ state }: HostStatus): string {
  const said = captureWords();
  const { start } = hostWords();
  if (state === 'needs-gesture') return isResuming() ? said.resume : said.shareYours;
  if (state === 'superseded') return start.takeBack;
  return state === 'idle' ? said.shareYours : start.again;
}

/** A reloaded window goes on with what it did. */
function isResuming(): boolean {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return entry?.type === 'reload';
}

function SecondWindow() {
  const said = captureWords();
  useEffect(() => {
    const timer = setTimeout(() => window.close(), CLOSE_SECOND_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Notice title={said.secondTitle} detail={said.secondDetail}>
      <button type="button" className="button" onClick={() => window.close()}>
        {said.closeNow}
      </button>
    </Notice>
  );
}

function Crashed() {
  const said = captureWords();
  return (
    <Notice title={said.crashedTitle} detail={said.crashedDetail}>
      <button type="button" className="button button-primary" onClick={() => location.reload()}>
        {said.startAgain}
      </button>
    </Notice>
  );
}

/** The taskbar says it too. */
function useTabTitle(status: HostStatus | null): void {
  const title = status === null ? captureWords().tab : `${wordsForHost(status).badge} · Steadycast`;
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
