import { type ReactElement, type ReactNode, useSyncExternalStore } from 'react';
import { adoptSheets } from './sheets.ts';

export interface ScopeProps {
  /** As high as what it stands in. */
  filling?: boolean;
  children: ReactNode;
}

/** Wide enough for what is said, where what it stands in is as wide as what is in there. */
const FILLING = { width: '100%', minWidth: '15rem', height: '100%' };

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
    <div className="steadycast" ref={adopt} style={filling ? FILLING : { width: '100%' }}>
      {shown && children}
    </div>
  );
}

const never = () => () => undefined;

/** The styles are those of what it is in: the document, or the shadow of an app's own element. */
function adopt(place: HTMLElement | null): void {
  const root = place?.getRootNode();
  // Of whatever window it is.
  if (root !== undefined && 'adoptedStyleSheets' in root) adoptSheets(root as ShadowRoot);
}
