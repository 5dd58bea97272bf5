import { linkWords } from '../../words/index.ts';

const select = (field: HTMLInputElement | null) => field?.select();

/** A link that the browser does not let the page copy: selected, to be copied by hand. */
export function SelectedLink({ link }: { link: string }) {
  const words = linkWords();
  return (
    <div className="link-said">
      <p className="problem" role="alert">
        {words.refused}
      </p>
      <input className="field" aria-label={words.byHand} readOnly value={link} ref={select} />
    </div>
  );
}
