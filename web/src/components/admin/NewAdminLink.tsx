import { useState } from 'react';

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
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null);
  const copy = async (make: () => Promise<string>) => {
    setSaid(null);
    try {
      await navigator.clipboard.writeText(await make());
      setSaid({ text: 'Copied. Who has it can share and end this broadcast.', bad: false });
    } catch (error) {
      setSaid({ text: error instanceof Error ? error.message : String(error), bad: true });
    }
  };
  return (
    <div className="new-admin-link">
      {said !== null && (
        <span className={said.bad ? 'problem' : 'faint'} role={said.bad ? 'alert' : 'status'}>
          {said.text}
        </span>
      )}
      <button
        type="button"
        className="link-button"
        title="The address of this page does not hold it, so that nobody sees it on your screen."
        onClick={() => void copy(async () => link())}
      >
        Copy admin link
      </button>
      <button
        type="button"
        className="link-button"
        title="For another device, or before this one expires. This one stays good."
        onClick={() => void copy(onNew)}
      >
        Copy a new admin link
      </button>
    </div>
  );
}
