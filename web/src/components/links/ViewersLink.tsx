import { useId, useState } from 'react';
import { choicesOf, reachOf } from '../../links/reach.ts';
import { linkWords } from '../../words/index.ts';
import { LinkField } from './LinkField.tsx';

export interface ViewersLinkProps {
  label: string;
  link: string | null;
  /** The same at addresses that other machines reach, where `link` is good on this one alone. */
  networkLinks: readonly string[];
}

/** A link at the address by which viewers reach the relay, or a word that none does. */
export function ViewersLink({ label, link, networkLinks }: ViewersLinkProps) {
  const [host, setHost] = useState<string | null>(null);
  const choices = link === null ? [] : choicesOf(link, networkLinks);
  const chosen = choices.find((one) => hostOf(one) === host) ?? choices[0] ?? null;
  return (
    <div className="viewers-link">
      <LinkField label={label} link={chosen} />
      {chosen !== null && <ReachNote link={chosen} alone={choices.length === 1} />}
      {chosen !== null && choices.length > 1 && (
        <AddressChoice choices={choices} chosen={chosen} onChoose={setHost} />
      )}
    </div>
  );
}

function ReachNote({ link, alone }: { link: string; alone: boolean }) {
  const words = linkWords();
  const reach = reachOf(link);
  if (reach === 'own-machine') {
    return <p className="notice">{alone ? words.reachesNobody : words.reachesOwnMachine}</p>;
  }
  // Where the relay has looked for addresses itself, nobody has made a certificate for them.
  if (!alone) return <p className="faint">{words.warnsOnce}</p>;
  return reach === 'network' ? <p className="faint">{words.reachesNetwork}</p> : null;
}

function AddressChoice(props: {
  choices: readonly string[];
  chosen: string;
  onChoose: (host: string) => void;
}) {
  const id = useId();
  const words = linkWords();
  return (
    <div className="choice">
      <label htmlFor={id}>{words.address}</label>
      <select
        id={id}
        className="field"
        value={hostOf(props.chosen)}
        onChange={(event) => props.onChoose(event.target.value)}
      >
        {props.choices.map((link) => (
          <option key={hostOf(link)} value={hostOf(link)}>
            {reachOf(link) === 'own-machine' ? words.ownMachine(hostOf(link)) : hostOf(link)}
          </option>
        ))}
      </select>
    </div>
  );
}

function hostOf(link: string): string {
  return new URL(link).host;
}
