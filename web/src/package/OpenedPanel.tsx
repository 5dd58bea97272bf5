import type { ReactElement } from 'react';
import { StreamControlPanel } from '../components/StreamControlPanel.tsx';
import { missingForHost } from '../publish/screen.ts';
import type { OwnShareOptions, ShareOptions } from '../services/AdminScreenShareService.ts';
import { deskWords, sharingWords } from '../words/index.ts';
import { useShare } from './useShare.ts';

/** The panel of a publish token's broadcast, or of an admin's own, with a service of its own. */
export function OpenedPanel(options: ShareOptions | OwnShareOptions): ReactElement {
  const { service, problem, again } = useShare(options);
  const missing = missingForHost();
  const owned = 'adminId' in options;
  if (problem !== null) return <Problem problem={problem} onAgain={owned ? again : null} />;
  return (
    <>
      {missing !== null && <p className="notice">{missing}</p>}
      {service !== null && (
        <StreamControlPanel
          service={service}
          watchOnly={missing !== null}
          {...(owned && { onNewBroadcast: again })}
        />
      )}
    </>
  );
}

/** `onAgain`: null: the token of now is as bad the next time. */
function Problem({ problem, onAgain }: { problem: Error; onAgain: (() => void) | null }) {
  const words = sharingWords();
  if (onAgain === null) return <p className="notice">{deskWords().badLink}</p>;
  return (
    <div className="notice" role="alert">
      <p>
        <strong>{words.notMade}.</strong> {problem.message}
      </p>
      <button type="button" className="button" onClick={onAgain}>
        {words.tryAgain}
      </button>
    </div>
  );
}
