import { ADMIN_LINK } from './words.ts';

/** Where the picture would be, for somebody with the link for sharing. `panel`: where that leads. */
export function AdminLink({ panel }: { panel: string }) {
  return (
    <section className="player" aria-label="Broadcast" data-final>
      <div className="player-card" role="status">
        <div className="player-words">
          <p className="player-title">{ADMIN_LINK.title}</p>
          <p className="player-detail">{ADMIN_LINK.detail}</p>
        </div>
        <a className="button button-primary" href={panel}>
          {ADMIN_LINK.action}
        </a>
      </div>
    </section>
  );
}
