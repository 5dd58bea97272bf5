/** The elements, which need no framework and bring their styles. */

import { type Language, speak } from '../words/language.ts';
import { SteadycastHostElement } from './HostElement.tsx';
import { SteadycastPanelElement } from './PanelElement.tsx';
import { SteadycastPlayerElement } from './PlayerElement.tsx';

export {
  type Language,
  SteadycastHostElement,
  SteadycastPanelElement,
  SteadycastPlayerElement,
  speak,
};

declare global {
  interface HTMLElementTagNameMap {
    'steadycast-player': SteadycastPlayerElement;
    'steadycast-panel': SteadycastPanelElement;
    'steadycast-host': SteadycastHostElement;
  }
}

const ELEMENTS = {
  'steadycast-player': SteadycastPlayerElement,
  'steadycast-panel': SteadycastPanelElement,
  'steadycast-host': SteadycastHostElement,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  // A second copy on the same page leaves the first one in its place.
  if (globalThis.customElements?.get(name) === undefined) {
    globalThis.customElements?.define(name, element);
  }
}
