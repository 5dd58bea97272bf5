import { tokenFragment } from '../../session/fragment.ts';
import type { TokenClaims } from '../../session/token.ts';
import { deskWords } from '../../words/index.ts';

/** What is to be said of a link that opens no panel. */
export function WrongLink({ token, claims }: { token: string; claims: TokenClaims | null }) {
  const words = deskWords();
  if (claims?.roles.includes('play') === true) {
    return (
      <p className="notice">
        <strong>{words.viewersLink}</strong>{' '}
        <button
          type="button"
          className="link-button"
          onClick={() => location.assign(`play${tokenFragment(token)}`)}
        >
          {words.watch}
        </button>
        {'. '}
        {words.viewersLinkHow}
      </p>
    );
  }
  return (
    <p className="notice">
      <strong>{words.badLink}</strong> {words.badLinkHow}
    </p>
  );
}
