import type { relay as english } from '../en/relay.ts';

export const relay: typeof english = {
  silent: 'Das Relay antwortet nicht.',
  strange: 'Das Relay hat etwas geantwortet, das diese Seite nicht versteht.',
  answered: (status) => `Das Relay hat ${status} geantwortet.`,
};
