import { useEffect, useState } from 'react';
import { chooseTheme, followTheme, THEMES, theme } from '../../theme.ts';
import { themeWords } from '../../words/theme.ts';

/** Light, dark, or as the system has it. */
export function ThemeChoice() {
  const [chosen, setChosen] = useState(theme);
  useEffect(() => followTheme(() => setChosen(theme())), []);
  const words = themeWords();
  return (
    <label className="theme-choice">
      {words.label}
      <select
        value={chosen}
        onChange={({ currentTarget }) => {
          const wanted = THEMES.find((one) => one === currentTarget.value) ?? 'system';
          chooseTheme(wanted);
          setChosen(wanted);
        }}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {words[one]}
          </option>
        ))}
      </select>
    </label>
  );
}
