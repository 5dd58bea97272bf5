import { type ReactElement, type ReactNode, useSyncExternalStore } from 'react';

export interface ScopeProps {
  /** As high as what it stands in. */
  filling?: boolean;
  children: ReactNode;
}

/**
 * Every rule of the package's styles is for what is within one of these, and for nothing else of the app. Servers
 * that make pages leave it empty, for all that is in it is about the browser it is shown by.
 */
export function Scope({ filling = false, children }: ScopeProps): ReactElement {
  const shown = useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
  return (
    <div className="steadycast" style={filling ? { height: '100%' } : {}}>
      {shown && children}
    </div>
  );
}

const never = () => () => undefined;
