import { useEffect, useId, useState } from 'react';
import { isUndoKey } from './useCropHistory.ts';

/**
 * A whole number that takes effect on Enter, on leaving, and with the arrow keys. What it shows then
 * is what holds, which need not be what was typed.
 */
export function NumberField(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  disabled: boolean;
  onCommit: (value: number) => void;
}) {
  const { label, value, min, max, disabled, onCommit } = props;
  const id = useId();
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);
  const commit = (typed: string) => {
    const number = Number(typed);
    setText(String(value));
    if (typed.trim() !== '' && Number.isFinite(number) && number !== value) onCommit(number);
  };
  return (
    <div className="number">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field numeric"
        type="number"
        inputMode="numeric"
        step={2}
        min={min}
        max={max}
        disabled={disabled}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          // The spinner and the arrow keys are meant as they are; typing is not finished yet.
          if (!(event.nativeEvent instanceof InputEvent)) commit(event.target.value);
        }}
        // Whoever scrolls the page means no number that lies on the way.
        onWheel={(event) => event.currentTarget.blur()}
        onBlur={(event) => commit(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit(event.currentTarget.value);
          if (event.key === 'Escape') setText(String(value));
          // What is being typed is the browser's to undo.
          if (isUndoKey(event) && text !== String(value)) event.stopPropagation();
        }}
      />
    </div>
  );
}
