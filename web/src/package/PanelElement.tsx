import type { ReactElement } from 'react';
import { MountedElement } from './MountedElement.ts';
import { Scope } from './Scope.tsx';

type View = typeof import('./PanelView.tsx').PanelView;

/**
 * `<steadycast-panel relay="https://relay.example:4443" token="…">`: all that an admin does with a broadcast.
 * What it shows is fetched with the first one of a page.
 */
export class SteadycastPanelElement extends MountedElement {
  static readonly observedAttributes: readonly string[] = ['relay', 'token'];
  #View: View | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#fetch();
  }

  /** @internal */
  protected view(): ReactElement {
    const View = this.#View;
    return (
      <Scope>
        {View !== null && <View origin={this.text('relay')} token={this.text('token')} />}
      </Scope>
    );
  }

  async #fetch(): Promise<void> {
    this.#View ??= (await import('./PanelView.tsx')).PanelView;
    this.renew();
  }
}
