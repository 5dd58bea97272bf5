import { useEffect, useState } from 'react';
import { accessOf } from '../../publish/storage.ts';
import { deskWords } from '../../words/index.ts';
import { address } from './address.ts';
import { PageHeader } from './PageHeader.tsx';
import { toDesk } from './way.ts';

/** Without a token in the address: this browser may have kept it. */
export function KeptPanel({ broadcast }: { broadcast: string }) {
  const [unknown, setUnknown] = useState(false);
  useEffect(() => {
    let over = false;
    void accessOf(broadcast)
      .load()
      .then(({ token }) => {
        if (over) return;
        if (token === null) setUnknown(true);
        else address.open(token);
      });
    return () => {
      over = true;
    };
  }, [broadcast]);
  return unknown ? <LostLink broadcast={broadcast} /> : null;
}

function LostLink({ broadcast }: { broadcast: string }) {
  const words = deskWords();
  return (
    <div className="admin">
      <PageHeader title={null} />
      <main className="admin-narrow">
        <section className="card lost-link">
          <h1>{words.lostTitle}</h1>
          <p className="soft">{words.lostWhat(broadcast)}</p>
          <p className="soft">
            {words.lostHow} <code>steadycast broadcast links {broadcast}</code>
          </p>
          <button type="button" className="button" onClick={toDesk}>
            {words.all}
          </button>
        </section>
      </main>
    </div>
  );
}
