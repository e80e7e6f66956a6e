import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** Audits a page. The page allows no other scripts, so the auditor is injected over the debugging protocol. */
export async function audit(page: Page): Promise<AxeResults> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  return page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations", "passes"] })');
}

/** Returns the serious accessibility violations, each with its elements. */
export function seriousOf({ violations }: AxeResults): readonly string[] {
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
