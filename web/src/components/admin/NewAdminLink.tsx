import { useState } from 'react';
import { linkWords } from '../../words/index.ts';
import { CopiedSaid, copyLink, type SaidOfLink } from '../links/CopiedSaid.tsx';

export interface AdminLinkProps {
  /** The link of this panel. */
  link: () => string;
  /** Makes a further one. */
  onNew: () => Promise<string>;
}

/**
 * The link to this panel in the clipboard, which the address does not show; or a further one, for
 * another device, or before this one expires.
 */
export function NewAdminLink({ link, onNew }: AdminLinkProps) {
  const [said, setSaid] = useState<SaidOfLink | null>(null);
  const words = linkWords();
  const copy = async (make: () => Promise<string>) => {
    setSaid(null);
    setSaid(await copyLink('admin', make));
  };
  return (
    <div className="new-admin-link">
      {said !== null && <CopiedSaid said={said} />}
      <button
        type="button"
        className="link-button"
        title={words.copyAdminWhy}
        onClick={() => void copy(async () => link())}
      >
        {words.copyAdmin}
      </button>
      <button
        type="button"
        className="link-button"
        title={words.copyNewAdminWhy}
        onClick={() => void copy(onNew)}
      >
        {words.copyNewAdmin}
      </button>
    </div>
  );
}
