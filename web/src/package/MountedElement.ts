import type { ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import '../styles/base.css';
import './element.css';
import { adoptSheets } from './sheets.ts';

/** A server that makes pages has none, and may import this all the same. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** An element that shows a component in a shadow root, as long as it is in a document. */
export abstract class MountedElement extends Base {
  #root: Root | null = null;

  /** What is to be seen by the attributes of now. @internal */
  protected abstract view(): ReactElement;

  connectedCallback(): void {
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    const place = document.createElement('div');
    place.style.height = '100%';
    shadow.replaceChildren(place);
    this.#root = createRoot(place);
    this.renew();
  }

  disconnectedCallback(): void {
    this.#root?.unmount();
    this.#root = null;
  }

  attributeChangedCallback(): void {
    this.renew();
  }

  /** Shows what is to be seen now, with the styles that are here by now. */
  protected renew(): void {
    if (this.#root === null || this.shadowRoot === null) return;
    adoptSheets(this.shadowRoot);
    this.#root.render(this.view());
  }

  /** The attribute, without what surrounds it; empty where there is none. */
  protected text(name: string): string {
    return this.getAttribute(name)?.trim() ?? '';
  }
}
