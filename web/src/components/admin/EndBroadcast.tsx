import { useState } from 'react';

/** Ends the broadcast for everyone, after a second thought. */
export function EndBroadcast({ onEnd }: { onEnd: () => Promise<void> }) {
  const [stage, setStage] = useState<'calm' | 'sure' | 'ending'>('calm');
  const [problem, setProblem] = useState<string | null>(null);
  const end = async () => {
    setStage('ending');
    setProblem(null);
    await onEnd().catch((error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
    setStage('calm');
  };
  if (stage === 'calm') {
    return (
      <div className="end-broadcast">
        {problem !== null && (
          <span className="problem" role="alert">
            {problem}
          </span>
        )}
        <button type="button" className="link-button" onClick={() => setStage('sure')}>
          End broadcast…
        </button>
      </div>
    );
  }
  return (
    <div className="end-broadcast" role="alertdialog" aria-label="End the broadcast">
      <span>End it for everyone, for good? All links stop working.</span>
      <button
        type="button"
        className="button button-danger"
        disabled={stage === 'ending'}
        onClick={() => void end()}
      >
        End broadcast
      </button>
      <button
        type="button"
        className="button"
        disabled={stage === 'ending'}
        onClick={() => setStage('calm')}
      >
        Keep it
      </button>
    </div>
  );
}
