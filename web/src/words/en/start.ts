export const start = {
  invalid: 'That is no invitation. Paste the whole link, or what follows its # sign.',
  address:
    'That is the address of a page that is open, which opens nothing elsewhere. Paste the link that you were sent.',
};
