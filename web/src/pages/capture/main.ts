/** What comes first: the token leaves the address, before the rest of the page is here. */

import './address.ts';

void import('./app.tsx');
