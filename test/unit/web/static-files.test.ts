import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readStaticFiles } from '../../../src/web/static-files.ts';

test('every file of the page is served, and the chart library', async () => {
  const own = readdirSync(new URL('../../../src/web/static/', import.meta.url));
  const served = await readStaticFiles();
  expect([...served.keys()].toSorted()).toEqual([...own, 'uplot.css', 'uplot.js'].toSorted());
});
