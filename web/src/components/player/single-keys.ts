/** Whether single keys do anything, as this browser keeps it (WCAG 2.1.4). */

const KEY = 'steadycast-single-keys';

/** They do, unless somebody has switched them off. */
export function singleKeys(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

export function keepSingleKeys(on: boolean): void {
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // It holds for as long as the page is open.
  }
}
