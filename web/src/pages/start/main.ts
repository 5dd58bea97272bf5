/** The start page: opens the player for a pasted link. */

import '../../styles/base.css';
import './start.css';
import { playerPath } from './link.ts';

const form = document.querySelector<HTMLFormElement>('#join');
const field = document.querySelector<HTMLInputElement>('#link');
const problem = document.querySelector<HTMLElement>('#problem');

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  const path = playerPath(field?.value ?? '');
  if (path !== null) {
    location.assign(path);
  } else if (problem !== null) {
    problem.textContent =
      'That is no invitation. Paste the whole link, or what follows its # sign.';
    field?.focus();
  }
});
