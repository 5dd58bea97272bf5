import type { ReactNode } from 'react';
import { ThemeChoice } from '../../components/admin/ThemeChoice.tsx';

/** What stands above the desk and every panel. */
export function PageHeader(props: { title: string | null; children?: ReactNode }) {
  return (
    <header className="admin-head">
      <a className="admin-brand" href="./">
        Steadycast
      </a>
      {props.title !== null && <h1>{props.title}</h1>}
      <div className="admin-head-end">
        {props.children}
        <ThemeChoice />
      </div>
    </header>
  );
}
