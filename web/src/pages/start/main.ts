/** The start page: opens the player for a pasted link. */

import '../../styles/base.css';
import './start.css';
import { chooseTheme, followTheme, THEMES, theme } from '../../theme.ts';
import { startWords } from '../../words/index.ts';
import { markLanguage } from '../../words/language.ts';
import { isAddress, playerPath } from './link.ts';

markLanguage(document);

const form = document.querySelector<HTMLFormElement>('#join');
const field = document.querySelector<HTMLInputElement>('#link');
const problem = document.querySelector<HTMLElement>('#problem');

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  const path = playerPath(field?.value ?? '');
  if (path !== null) {
    // Nobody finds it here on the way back.
    form.reset();
    location.assign(path);
  } else if (problem !== null) {
    const words = startWords();
    problem.textContent = isAddress(field?.value ?? '') ? words.address : words.invalid;
    field?.focus();
  }
});

const choice = document.querySelector<HTMLSelectElement>('#theme');
if (choice !== null) {
  const show = () => {
    choice.value = theme();
  };
  show();
  followTheme(show);
  choice.addEventListener('change', () => {
    chooseTheme(THEMES.find((one) => one === choice.value) ?? 'system');
  });
}
