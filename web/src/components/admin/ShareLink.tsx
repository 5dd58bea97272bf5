import { movedTo } from '../../links/reach.ts';
import { linkWords } from '../../words/index.ts';
import { TimedLink } from '../links/TimedLink.tsx';
import { ViewersLink } from '../links/ViewersLink.tsx';
import { AskFirst } from './AskFirst.tsx';

export interface ShareLinkProps {
  link: string | null;
  /** The same at addresses that other machines reach, where `link` is good on this one alone. */
  networkLinks: readonly string[];
  /** Ends this link for another. */
  onRenew: () => Promise<void>;
  /** Makes one more, by which access ends after so many seconds. */
  onTimed: (ttlS: number) => Promise<string>;
}

/** The viewers' link, to be handed on, and to be replaced after a second thought. */
export function ShareLink({ link, networkLinks, onRenew, onTimed }: ShareLinkProps) {
  const words = linkWords();
  return (
    <div className="share-link">
      <ViewersLink label={words.viewers} link={link} networkLinks={networkLinks} />
      {link !== null && (
        <div className="share-link-more">
          <TimedLink
            // With the link of before, those ended that were made beside it.
            key={link}
            onMake={onTimed}
            networkOf={(made) => networkLinks.map((address) => movedTo(address, made))}
          />
          <AskFirst
            className="renew-link"
            name={words.replaceAsk}
            question={words.replaceWhat}
            act={words.replaceNow}
            onAct={onRenew}
            done={words.replaced}
          >
            {words.replace}
          </AskFirst>
        </div>
      )}
    </div>
  );
}
