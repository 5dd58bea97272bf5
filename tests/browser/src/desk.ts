/** The desk, as somebody with the admin key comes to it. */

import type { Page } from 'playwright-core';
import type { Relay } from './relay.ts';

export async function openDesk(page: Page, relay: Relay): Promise<void> {
  await page.goto(`${relay.origin}/admin`);
  await page.getByLabel('Admin key').fill(relay.adminKey);
  await page.getByRole('button', { name: 'Open desk' }).click();
  await page.getByRole('heading', { name: 'Broadcasts' }).waitFor();
}

/** Goes from the desk to the panel of a private broadcast that is made there. */
export async function makePrivateBroadcast(page: Page, relay: Relay): Promise<void> {
  await openDesk(page, relay);
  await page.getByLabel('Title of a new broadcast').fill('Our table');
  await page.getByLabel('Only people with the link can see it').check();
  await page.getByRole('button', { name: 'Create broadcast' }).click();
  await page.getByRole('button', { name: 'Open “Our table”' }).click();
}
