/** What the player's page was opened with; of all its scripts this one comes first. */

import { PageAddress } from '../../session/address.ts';

export const address = new PageAddress('play');
