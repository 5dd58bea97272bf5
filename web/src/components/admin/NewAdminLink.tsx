import { useState } from 'react';

/** One more link to this panel, in the clipboard: for another device, or before this one expires. */
export function NewAdminLink({ onCopy }: { onCopy: () => Promise<string> }) {
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null);
  const copy = async () => {
    setSaid(null);
    try {
      await navigator.clipboard.writeText(await onCopy());
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
      <button type="button" className="link-button" onClick={() => void copy()}>
        Copy a new admin link
      </button>
    </div>
  );
}
