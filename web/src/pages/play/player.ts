/** The page's player, which plays before the page has drawn itself. */

import { PlayerStreamService } from '../../services/PlayerStreamService.ts';

export const service = new PlayerStreamService();
