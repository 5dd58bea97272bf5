/** The start page: opens the player for a pasted link. */

import '../../styles/base.css';
import './start.css';
import { isAddress, playerPath } from './link.ts';

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
    problem.textContent = isAddress(field?.value ?? '')
      ? 'That is the address of a page that is open, which opens nothing elsewhere. Paste the link that you were sent.'
      : 'That is no invitation. Paste the whole link, or what follows its # sign.';
    field?.focus();
  }
});
