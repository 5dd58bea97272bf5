import type { theme as english } from '../en/theme.ts';

export const theme: typeof english = {
  label: 'Farben',
  system: 'System',
  light: 'Hell',
  dark: 'Dunkel',
};
