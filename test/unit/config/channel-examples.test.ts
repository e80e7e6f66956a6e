import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadText } from '../../support/config/config-machine.ts';

const DOCS = fileURLToPath(new URL('../../../docs/alerting.md', import.meta.url));
const EXAMPLES = [...readFileSync(DOCS, 'utf8').matchAll(/^```yaml\n(.*?)^```$/gmsu)].map(([, text = '']) => text);

test('there are examples of channels', () => {
  expect(EXAMPLES.length).toBeGreaterThanOrEqual(3);
});

test.each(EXAMPLES)('the example loads:\n%s', async (text) => {
  expect(await loadText(text)).toMatchObject({ kind: 'ok' });
});
