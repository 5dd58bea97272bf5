import { useEffect, useId, useRef } from 'react';
import { PLAYOUT_MODES, type PlayoutMode } from '../../play/spread.ts';
import { playerWords } from '../../words/player.ts';
import { hint } from './Controls.tsx';
import { SmoothIcon } from './icons.tsx';

export interface PlayoutControl {
  /** What is chosen. */
  mode: PlayoutMode;
  choose: (mode: PlayoutMode) => void;
  active: boolean;
  toggle: () => void;
  available: boolean;
}

/** The button for, and the list of, the ways to watch a picture that comes unevenly. */
export function PlayoutMenu({ control, keyed }: { control: PlayoutControl; keyed: boolean }) {
  const { mode, active, toggle } = control;
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const words = playerWords();
  const label = words.motionNow(words.ways[mode].name);
  const close = () => {
    toggle();
    button.current?.focus();
  };
  return (
    <div className="player-choice">
      {active && <Choices id={id} control={control} onClose={close} />}
      <button
        ref={button}
        type="button"
        className="player-switch"
        aria-label={label}
        aria-expanded={active}
        aria-controls={active ? id : undefined}
        data-chosen={mode !== 'automatic'}
        {...hint(label, 'S', keyed)}
        onClick={toggle}
      >
        <SmoothIcon />
      </button>
    </div>
  );
}

interface ChoicesProps {
  id: string;
  control: PlayoutControl;
  onClose: () => void;
}

function Choices({ id, control: { mode, choose, toggle }, onClose }: ChoicesProps) {
  const list = useRef<HTMLFieldSetElement>(null);
  const { motion, ways } = playerWords();
  useEffect(() => {
    list.current?.querySelector<HTMLInputElement>('input:checked')?.focus();
  }, []);
  return (
    <fieldset
      ref={list}
      id={id}
      className="player-choices"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' && event.key !== 'Enter') return;
        event.stopPropagation();
        onClose();
      }}
      onBlur={({ currentTarget, relatedTarget }) => {
        // The button closes it by itself; a click on a choice moves the focus within.
        const button = currentTarget.parentElement?.querySelector('button');
        if (relatedTarget === null || relatedTarget === button) return;
        if (!currentTarget.contains(relatedTarget)) toggle();
      }}
    >
      <legend>{motion}</legend>
      {PLAYOUT_MODES.map((one) => (
        <label key={one} className="player-option">
          <input
            type="radio"
            name={id}
            checked={one === mode}
            onChange={() => choose(one)}
            aria-describedby={`${id}-${one}`}
          />
          <span className="player-option-name">{ways[one].name}</span>
          <span id={`${id}-${one}`} className="player-option-detail">
            {ways[one].detail}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
