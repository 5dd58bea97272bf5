import type { ReactNode } from 'react';

/** A page with one thing to say. */
export function Notice(props: { title: string; detail: string | null; children?: ReactNode }) {
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
