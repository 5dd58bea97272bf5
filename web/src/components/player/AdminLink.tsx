import { playerWords } from '../../words/player.ts';

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
        <a className="button button-primary" href={panel}>
          {words.adminLink.action}
        </a>
      </div>
    </section>
  );
}
