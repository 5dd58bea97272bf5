export const relay = {
  silent: 'The relay does not answer.',
  strange: 'The relay answered in a way this page does not understand.',
  answered: (status: number) => `The relay answered ${status}.`,
};
