/** What axe has to say of a page as it is, in both themes. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

declare global {
  interface Window {
    axe?: { run(options: RunOptions): Promise<AxeResults> };
  }
}

/** One line for each element that breaks a rule; none is what there should be. */
export async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // A policy that lets no strange script in holds for pages, not for their debugger.
    if (!(await page.evaluate(() => window.axe !== undefined))) await page.evaluate(SOURCE);
    await page.bringToFront();
    const lines = await page.evaluate(async () => {
      // What is on its way from one colour to another is judged there.
      await new Promise((drawn) => requestAnimationFrame(drawn));
      const changing = document.getAnimations().filter((one) => one instanceof CSSTransition);
      await Promise.allSettled(changing.map(({ finished }) => finished));
      const results = await window.axe?.run({ resultTypes: ['violations'] });
      return (results?.violations ?? []).flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
      );
    });
    found.push(...lines.map((line) => `${colorScheme}: ${line.replaceAll(/\s+/g, ' ')}`));
  }
  return found;
}
