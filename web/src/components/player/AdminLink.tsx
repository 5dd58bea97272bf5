import { isFramed } from '../../session/framed.ts';
import { playerWords } from '../../words/player.ts';

/** Of its own: a frame is refused the panel. */
const TAB = { target: '_blank', rel: 'noopener' };

/** Where the picture would be, for somebody with the link for sharing. `panel`: where that leads. */
export function AdminLink({ panel }: { panel: string }) {
  const words = playerWords();
  return (
    <section className="player" aria-label={words.region} data-final>
      <div className="player-card" role="status">
        <div className="player-words">
          <p className="player-title">{words.adminLink.title}</p>
          <p className="player-detail">{words.adminLink.detail}</p>
        </div>
        <a className="button button-primary" href={panel} {...(isFramed() && TAB)}>
          {words.adminLink.action}
        </a>
      </div>
    </section>
  );
}
