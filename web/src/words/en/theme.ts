/** Light and dark: what the choice is called. */
export const theme = {
  label: 'Theme',
  system: 'System',
  light: 'Light',
  dark: 'Dark',
};
