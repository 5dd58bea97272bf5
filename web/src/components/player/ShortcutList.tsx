import { useEffect, useId, useRef } from 'react';
import { playerWords } from '../../words/player.ts';
import type { Control } from './Controls.tsx';

export interface ShortcutListProps {
  control: Control;
  /** Whether single keys work everywhere on the page. */
  single: boolean;
  onSingle: (on: boolean) => void;
}

/** Which keys there are, and whether they are to work. */
export function ShortcutList({ control: { active, toggle }, single, onSingle }: ShortcutListProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    // Closed by itself it gives the focus back to what had it.
    if (active) dialog.current?.showModal();
    else if (dialog.current?.open) dialog.current.close();
  }, [active]);
  return (
    <dialog
      ref={dialog}
      className="player-shortcuts"
      aria-labelledby={`${id}-title`}
      onClose={() => active && toggle()}
    >
      {active && <Keys id={id} onClose={toggle} single={single} onSingle={onSingle} />}
    </dialog>
  );
}

interface KeysProps extends Omit<ShortcutListProps, 'control'> {
  id: string;
  onClose: () => void;
}

function Keys({ id, onClose, single, onSingle }: KeysProps) {
  const words = playerWords().shortcuts;
  return (
    <>
      <h2 id={`${id}-title`}>{words.title}</h2>
      <dl>
        {rows().map(([name, keys]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <label className="player-single">
        <input
          type="checkbox"
          checked={single}
          aria-describedby={`${id}-single`}
          onChange={({ currentTarget }) => onSingle(currentTarget.checked)}
        />
        <span>{words.single}</span>
      </label>
      <p id={`${id}-single`} className="player-detail">
        {words.singleDetail}
      </p>
      <button type="button" className="button" onClick={onClose}>
        {words.close}
      </button>
    </>
  );
}

function rows(): [name: string, keys: string[]][] {
  const { buttons, motion, shortcuts, sound } = playerWords();
  const { keys, arrows } = shortcuts;
  return [
    [buttons.fullscreen, ['F']],
    [buttons.pictureInPicture, ['P']],
    [buttons.fill, ['Z']],
    [buttons.save, ['D']],
    [buttons.details, ['I']],
    [motion, ['S']],
    [sound.name, ['M']],
    [sound.volume, ['↑', '↓']],
    [keys.closer, ['+']],
    [keys.farther, ['−']],
    [keys.walk, [arrows]],
    [buttons.whole, ['0']],
    [keys.shortcuts, ['?']],
  ];
}
