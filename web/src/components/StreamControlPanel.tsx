import { useRef, useSyncExternalStore } from 'react';
import { type HostStatus, isGoingOut, isSharing } from '../publish/status.ts';
import type { ShareService, ShareSnapshot } from '../services/AdminScreenShareService.ts';
import { hostWords } from '../words/host.ts';
import { sharingWords } from '../words/index.ts';
import { Details } from './admin/Details.tsx';
import { EndBroadcast } from './admin/EndBroadcast.tsx';
import { Figures } from './admin/Figures.tsx';
import { InsideNotice } from './admin/InsideNotice.tsx';
import { NewAdminLink } from './admin/NewAdminLink.tsx';
import { PausePicture } from './admin/PausePicture.tsx';
import { PrivateNote } from './admin/PrivateNote.tsx';
import { QualityForm } from './admin/QualityForm.tsx';
import { Renditions } from './admin/Renditions.tsx';
import { ShareLink } from './admin/ShareLink.tsx';
import { Standby } from './admin/Standby.tsx';
import { StateBadge } from './admin/StateBadge.tsx';
import { SoundCard } from './admin/sound/SoundCard.tsx';
import { duration } from './admin/time.ts';
import { Troubles } from './admin/troubles/Troubles.tsx';
import { useAltKey } from './admin/useAltKey.ts';
import { useAskBeforeLeaving } from './admin/useAskBeforeLeaving.ts';
import { useKeptFocus } from './admin/useKeptFocus.ts';
import { useNow } from './admin/useNow.ts';
import { useWakeLock } from './admin/useWakeLock.ts';
import { Viewers } from './admin/viewers/Viewers.tsx';
import { isDeadLink, startLabel, type Words, wordsForPanel } from './admin/words.ts';
import { ScreenShareCropper } from './ScreenShareCropper.tsx';
import './admin/admin.css';
import './admin/cropper.css';
import './admin/panel.css';

export interface StreamControlPanelProps {
  /** Opened by the caller; may outlive the panel and serve several. */
  service: ShareService;
  /** Offered when the link is of no use any more. */
  onNewBroadcast?: (() => void) | undefined;
  /** This browser cannot capture: nothing is offered that needs it. */
  watchOnly?: boolean | undefined;
  /** Offers links to the relay's own panel; left out: it does. */
  adminLink?: boolean | undefined;
}

/** Everything an admin does with one broadcast. */
export function StreamControlPanel(props: StreamControlPanelProps) {
  const { service, onNewBroadcast, watchOnly = false, adminLink = true } = props;
  const snapshot = useSyncExternalStore(service.subscribe, service.snapshot);
  const { status } = snapshot;
  const words = wordsForPanel(snapshot);
  const panel = useRef<HTMLDivElement>(null);
  useKeptFocus(panel);
  const sharing = status !== null && isSharing(status.state);
  const goingOut = status !== null && isGoingOut(status.state);
  useWakeLock(goingOut);
  // Once there is a picture, the button has the key.
  useAltKey('KeyP', () => {
    if (!goingOut) service.pause(true);
  });
  useAskBeforeLeaving(snapshot.inside && sharing);
  return (
    <div ref={panel} tabIndex={-1} className="panel">
      {status?.state === 'standby' && (
        <Standby onLive={() => service.goLive()} onStop={() => service.stop()} />
      )}
      {snapshot.inside && sharing && (
        <InsideNotice onMove={snapshot.hasHostPage ? () => service.moveOut() : null} />
      )}
      {snapshot.problem?.offline === true && <OfflineNotice sharing={sharing} />}
      {snapshot.broadcast?.warnings.map((warning) => (
        <div key={warning} className="notice" role="status">
          {warning}
        </div>
      ))}
      <div className="panel-main">
        <div className="panel-show">
          <div className="panel-picture">
            {sharing ? (
              // What nobody has seen before going live is not to be undone into sight.
              <ScreenShareCropper key={String(status.state === 'standby')} service={service} />
            ) : (
              <EmptyStage
                service={service}
                snapshot={snapshot}
                words={words}
                onNewBroadcast={onNewBroadcast}
                watchOnly={watchOnly}
              />
            )}
          </div>
          {goingOut && (
            <Troubles service={service} status={status} broadcast={snapshot.broadcast} />
          )}
          {(goingOut || (snapshot.broadcast?.players ?? 0) > 0) && (
            <Viewers
              audience={service.audience}
              still={status?.motion === 'still'}
              live={snapshot.broadcast?.phase === 'live'}
            />
          )}
          {goingOut && <Figures status={status} history={snapshot.history} />}
          {goingOut && <Renditions status={status} />}
        </div>
        <div className="panel-side">
          <StateCard service={service} snapshot={snapshot} words={words} />
          {!isDeadLink(snapshot) && (
            <div className="card link-card">
              {snapshot.broadcast?.isPrivate === true && (
                <PrivateNote linkKey={snapshot.key} isOld={snapshot.isKeyOld} />
              )}
              <ShareLink
                link={snapshot.broadcast?.playerLink ?? null}
                networkLinks={snapshot.broadcast?.networkLinks ?? []}
                onRenew={() => service.renewPlayerLink()}
                onTimed={(ttlS) => service.timedPlayerLink(ttlS)}
              />
            </div>
          )}
          {(sharing || (!watchOnly && !isDeadLink(snapshot))) && (
            <SoundCard service={service} choice={snapshot.sound} status={status} />
          )}
          <QualityForm
            quality={snapshot.quality}
            status={sharing ? status : null}
            onChange={(quality) => service.setQuality(quality)}
          />
        </div>
      </div>
      <footer className="panel-foot">
        {status !== null && sharing ? <Details status={status} /> : <span />}
        {!isDeadLink(snapshot) && (
          <div className="panel-foot-actions">
            {adminLink && (
              <NewAdminLink link={() => service.adminLink()} onNew={() => service.newAdminLink()} />
            )}
            <EndBroadcast onEnd={() => service.endBroadcast()} />
          </div>
        )}
      </footer>
    </div>
  );
}

function StateCard(props: { service: ShareService; snapshot: ShareSnapshot; words: Words }) {
  const { service, snapshot, words } = props;
  const { status } = snapshot;
  const said = hostWords().panel;
  const sharing = status !== null && isGoingOut(status.state);
  return (
    <section className="card state-card" aria-label={said.state}>
      <div className="state-line">
        <StateBadge words={words} />
        <Since snapshot={snapshot} />
      </div>
      <span className="spoken" role="status">
        {words.badge}. {words.title}
      </span>
      {sharing && words.title !== null && (
        <div>
          <p>
            <strong>{words.title}.</strong> <span className="soft">{words.detail}</span>
          </p>
          {status.state === 'reconnecting' && <Retry status={status} />}
        </div>
      )}
      {sharing && (
        <div className="state-actions">
          <PausePicture paused={status.paused} onPause={(paused) => service.pause(paused)} />
          <button type="button" className="button button-danger" onClick={() => service.stop()}>
            {said.stop}
          </button>
        </div>
      )}
    </section>
  );
}

function Since({ snapshot }: { snapshot: ShareSnapshot }) {
  const { status, broadcast, host } = snapshot;
  const sinceMs =
    status?.sinceMs ?? (host === 'none' && broadcast?.phase === 'live' ? broadcast.sinceMs : null);
  const nowMs = useNow(sinceMs !== null);
  if (sinceMs === null) return null;
  return (
    <span className="faint numeric">
      <span aria-hidden="true">{duration(nowMs - sinceMs)}</span>
      <span className="spoken">{hostWords().panel.since(duration(nowMs - sinceMs))}</span>
    </span>
  );
}

function Retry({ status }: { status: HostStatus }) {
  const nowMs = useNow();
  const leftS = status.retryAtMs === null ? 0 : Math.ceil((status.retryAtMs - nowMs) / 1_000);
  const words = hostWords().panel;
  const when = leftS > 0 ? words.retryIn(leftS) : words.retryNow;
  return (
    <p className="faint">{status.reason === null ? `${when}.` : `${when}: ${status.reason}.`}</p>
  );
}

function EmptyStage(props: {
  service: ShareService;
  snapshot: ShareSnapshot;
  words: Words;
  onNewBroadcast: (() => void) | undefined;
  watchOnly: boolean;
}) {
  const { service, snapshot, words, onNewBroadcast, watchOnly } = props;
  const label = watchOnly ? null : startLabel(snapshot);
  return (
    <div className="empty-stage" data-tone={words.tone}>
      <ScreenIcon />
      <h2>{words.title ?? words.badge}</h2>
      {words.detail !== null && !watchOnly && <p className="soft">{words.detail}</p>}
      {label !== null && (
        <div className="empty-actions">
          <button
            type="button"
            className="button button-primary"
            onClick={() => void service.start({ standby: snapshot.status?.standby === true })}
          >
            {label}
          </button>
          <button
            type="button"
            className="button"
            onClick={() => void service.start({ standby: true })}
          >
            {sharingWords().chooseFirst}
          </button>
        </div>
      )}
      {isDeadLink(snapshot) && onNewBroadcast !== undefined && (
        <button type="button" className="button button-primary" onClick={onNewBroadcast}>
          {hostWords().panel.newBroadcast}
        </button>
      )}
    </div>
  );
}

function OfflineNotice({ sharing }: { sharing: boolean }) {
  const words = hostWords().panel;
  return (
    <div className="notice" role="status">
      <strong>{words.offline}</strong> {sharing ? words.offlineSharing : words.offlineAsking}
    </div>
  );
}

function ScreenIcon() {
  return (
    <svg className="screen-icon" viewBox="0 0 64 48" aria-hidden="true">
      <rect x="2" y="2" width="60" height="36" rx="5" />
      <path d="M24 46h16M32 38v8" />
      <path className="screen-icon-crop" d="M18 20v-6h6M46 20v-6h-6M18 22v4h6M46 22v4h-6" />
    </svg>
  );
}
