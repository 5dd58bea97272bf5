import { captureAddress } from './capture-address.ts';
import { LateElement } from './LateElement.tsx';

/**
 * `<steadycast-host relay="https://relay.example:4443">`: all that the page of capture windows shows, which
 * panels of this origin open.
 */
export class SteadycastHostElement extends LateElement<{ relay: string }> {
  static readonly observedAttributes: readonly string[] = ['relay'];

  override connectedCallback(): void {
    // Nobody is to see the token in the address until the rest is here.
    captureAddress();
    super.connectedCallback();
  }

  /** @internal */
  protected async fetchView() {
    return (await import('./admin-views.ts')).CaptureView;
  }

  /** @internal */
  protected props(): { relay: string } {
    return { relay: this.text('relay') };
  }
}
