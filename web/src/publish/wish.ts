/** What a capture window is asked for, and how its address says so; pure. */

export interface ShareWish {
  /** Goes on as the publisher from before; else takes the broadcast over from whoever has it. */
  resume: boolean;
  /** Nobody sees it until the admin goes live. */
  standby: boolean;
}

/** The query of a capture window's address. */
export function searchOf({ resume, standby }: ShareWish): string {
  const parts = new URLSearchParams();
  if (resume) parts.set('resume', '');
  if (standby) parts.set('standby', '');
  return parts.toString();
}

export function wishOf(search: string): ShareWish {
  const parts = new URLSearchParams(search);
  return { resume: parts.has('resume'), standby: parts.has('standby') };
}
