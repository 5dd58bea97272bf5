/** `<steadycast-player>` and `<steadycast-panel>`, which need no framework and bring their styles. */

import { type Language, speak } from '../words/language.ts';
import { SteadycastPanelElement } from './PanelElement.tsx';
import { SteadycastPlayerElement } from './PlayerElement.tsx';

export { type Language, SteadycastPanelElement, SteadycastPlayerElement, speak };

declare global {
  interface HTMLElementTagNameMap {
    'steadycast-player': SteadycastPlayerElement;
    'steadycast-panel': SteadycastPanelElement;
  }
}

const ELEMENTS = {
  'steadycast-player': SteadycastPlayerElement,
  'steadycast-panel': SteadycastPanelElement,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  // A second copy on the same page leaves the first one in its place.
  if (globalThis.customElements?.get(name) === undefined) {
    globalThis.customElements?.define(name, element);
  }
}
