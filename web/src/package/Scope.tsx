import type { ReactElement, ReactNode } from 'react';

export interface ScopeProps {
  /** As high as what it stands in. */
  filling?: boolean;
  children: ReactNode;
}

/** Every rule of the package's styles is for what is within one of these, and for nothing else of the app. */
export function Scope({ filling = false, children }: ScopeProps): ReactElement {
  return (
    <div className="steadycast" style={filling ? { height: '100%' } : {}}>
      {children}
    </div>
  );
}
