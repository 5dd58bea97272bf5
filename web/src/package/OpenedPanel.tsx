import type { ReactElement } from 'react';
import { StreamControlPanel } from '../components/StreamControlPanel.tsx';
import { missingForHost } from '../publish/screen.ts';
import type { OwnShareOptions, ShareOptions } from '../services/AdminScreenShareService.ts';
import { sharingWords } from '../words/index.ts';
import { useShare } from './useShare.ts';

/** The panel of a publish token's broadcast, or of an admin's own, with a service of its own. */
export function OpenedPanel(options: ShareOptions | OwnShareOptions): ReactElement {
  const { service, problem, again } = useShare(options);
  const missing = missingForHost();
  const owned = 'adminId' in options;
  // What is wrong with the options is wrong the next time as well.
  const onAgain = problem instanceof TypeError || !owned ? null : again;
  if (problem !== null) return <Problem problem={problem} onAgain={onAgain} />;
  return (
    <>
      {missing !== null && <p className="notice">{missing}</p>}
      {service === null ? (
        <p className="notice" role="status">
          {sharingWords().opening}
        </p>
      ) : (
        <StreamControlPanel
          service={service}
          watchOnly={missing !== null}
          adminLink={false}
          {...(owned && { onNewBroadcast: again })}
        />
      )}
    </>
  );
}

function Problem({ problem, onAgain }: { problem: Error; onAgain: (() => void) | null }) {
  const words = sharingWords();
  return (
    <div className="notice" role="alert">
      <p>
        <strong>{words.notOpened}.</strong> {problem.message}
      </p>
      {onAgain !== null && (
        <button type="button" className="button" onClick={onAgain}>
          {words.tryAgain}
        </button>
      )}
    </div>
  );
}
