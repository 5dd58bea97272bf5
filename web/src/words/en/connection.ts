/** Why there is no connection to the relay at present, as it stands in a sentence after a colon. */
export const connection = {
  restarting: 'the relay is restarting',
  silent: 'the relay does not answer',
  answered: (status: number) => `the relay answered ${status}`,
  strange: 'the relay answered in a way this page does not understand',
  closed: 'the relay closed the session',
  unheard: 'nothing heard from the relay',
  unopened: 'the session could not be opened',
  noRelay: (address: string) => `“${address}” is no address of a relay`,
  unwelcome: (detail: string) => `the relay did not welcome this client: ${detail}`,
};
