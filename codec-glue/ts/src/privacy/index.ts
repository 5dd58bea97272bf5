/** Frames that only people with the link can open (PROTOCOL 12). A relay has no key, and needs none. */

export { SEALED_PICTURE_OVERHEAD, SEALED_SOUND_OVERHEAD } from './inside.ts';
export { comparisonCode, type LinkKey, newLinkKey, readLinkKey } from './link-key.ts';
export { Opener, type OpenPicture, type OpenSound, tenureIn } from './opener.ts';
export { newTenure, type PictureInside, Sealer } from './sealer.ts';
export { Forged } from './sframe.ts';
