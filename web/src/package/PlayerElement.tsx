import { readLinkKey } from '@steadycast/codec-glue';
import type { ReactElement } from 'react';
import { SFUStreamPlayer } from '../components/SFUStreamPlayer.tsx';
import { PlayerStreamService } from '../services/PlayerStreamService.ts';
import { MountedElement } from './MountedElement.ts';
import { Scope } from './Scope.tsx';

/**
 * `<steadycast-player relay="https://relay.example:4443" token="…">`: shows a broadcast. `name`: what it is
 * called, for files; may be left out. `link-key`: what opens a private broadcast.
 */
export class SteadycastPlayerElement extends MountedElement {
  static readonly observedAttributes: readonly string[] = ['relay', 'token', 'link-key', 'name'];

  /** What plays: its state and figures, and how frames are shown. */
  readonly service: PlayerStreamService = new PlayerStreamService();

  /** @internal */
  protected view(): ReactElement {
    const name = this.text('name');
    return (
      <Scope filling>
        <SFUStreamPlayer
          origin={this.text('relay')}
          token={this.text('token')}
          linkKey={readLinkKey(this.text('link-key'))}
          service={this.service}
          title={name === '' ? null : name}
        />
      </Scope>
    );
  }
}
