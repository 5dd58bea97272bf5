import { readLinkKey } from '@steadycast/codec-glue';
import type { ShareOptions } from '../services/AdminScreenShareService.ts';
import { LateElement } from './LateElement.tsx';

/**
 * `<steadycast-panel relay="https://relay.example:4443" token="…" host-page="/capture">`: all that an admin does
 * with a broadcast. `host-page`: where the page with the `<steadycast-host>` is; without it this page captures.
 * `link-key`: what a private broadcast is sealed with. `player-page`: where viewers are sent; without it to the relay's own page.
 */
export class SteadycastPanelElement extends LateElement<ShareOptions> {
  static readonly observedAttributes: readonly string[] = [
    ...['relay', 'token', 'link-key'],
    ...['host-page', 'player-page'],
  ];

  /** @internal */
  protected async fetchView() {
    return (await import('./admin-views.ts')).OpenedPanel;
  }

  /** @internal */
  protected props(): ShareOptions {
    const hostPage = this.text('host-page');
    const playerPage = this.text('player-page');
    return {
      origin: this.text('relay'),
      token: this.text('token'),
      key: readLinkKey(this.text('link-key')),
      ...(hostPage !== '' && { hostPage }),
      ...(playerPage !== '' && { playerPage }),
    };
  }
}
