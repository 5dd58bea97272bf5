import { linkWords } from '../../words/index.ts';
import { copyText } from './clipboard.ts';
import { LinkLife } from './LinkLife.tsx';
import { SelectedLink } from './SelectedLink.tsx';
import './links.css';

export type CopiedLink = 'viewers' | 'admin';

/** What has become of the wish to copy a link. */
export type SaidOfLink =
  | { kind: 'copied'; what: CopiedLink; link: string }
  | { kind: 'refused'; link: string }
  | { kind: 'failed'; why: string };

/** Copies what `make` makes. */
export async function copyLink(what: CopiedLink, make: () => Promise<string>): Promise<SaidOfLink> {
  try {
    const link = await make();
    return (await copyText(link)) ? { kind: 'copied', what, link } : { kind: 'refused', link };
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}

/** Says it; a link that could not be copied is there to be copied by hand. */
export function CopiedSaid({ said }: { said: SaidOfLink }) {
  const words = linkWords();
  switch (said.kind) {
    case 'copied':
      return (
        <div className="link-said">
          <p className="faint" role="status">
            {said.what === 'admin' ? words.adminCopied : words.viewersCopied}
          </p>
          <LinkLife link={said.link} />
        </div>
      );
    case 'refused':
      return <SelectedLink link={said.link} />;
    case 'failed':
      return (
        <span className="problem" role="alert">
          {said.why}
        </span>
      );
  }
}
