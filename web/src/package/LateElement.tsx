import type { ReactElement } from 'react';
import { MountedElement } from './MountedElement.ts';
import { Scope } from './Scope.tsx';

/** An element whose component is fetched with the first one of a page. */
export abstract class LateElement<Props extends object> extends MountedElement {
  #View: ((props: Props) => ReactElement) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#fetch();
  }

  /** @internal */
  protected abstract fetchView(): Promise<(props: Props) => ReactElement>;

  /** What the attributes of now say. @internal */
  protected abstract props(): Props;

  /** @internal */
  protected view(): ReactElement {
    const View = this.#View;
    return <Scope>{View !== null && <View {...this.props()} />}</Scope>;
  }

  async #fetch(): Promise<void> {
    this.#View ??= await this.fetchView();
    this.renew();
  }
}
