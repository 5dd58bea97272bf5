import { PageAddress } from '../session/address.ts';

let taken: PageAddress | null = null;

/** What this window was opened with; the token leaves its address when somebody asks first. */
export function captureAddress(): PageAddress {
  taken ??= new PageAddress('publish');
  return taken;
}
