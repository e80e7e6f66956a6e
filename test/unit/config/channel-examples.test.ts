import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CHANNELS } from '../../../src/config/schema/channels.ts';
import { loadText } from '../../support/config/config-machine.ts';

const readText = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
const DOCS = readText('docs/alerting.md');
const EXAMPLES = [...DOCS.matchAll(/^```yaml\n(.*?)^```$/gmsu)].map(([, text = '']) => text);

test('there are examples of channels', () => {
  expect(EXAMPLES.length).toBeGreaterThanOrEqual(3);
});

test.each(EXAMPLES)('the example loads:\n%s', async (text) => {
  expect(await loadText(text)).toMatchObject({ kind: 'ok' });
});

describe.each(CHANNELS)('the channel $id', ({ id, name, key }) => {
  const shown = id === 'email' ? 'mail' : name;

  test('is in the table of channels, and in that of guarantees', () => {
    const [, guarantees = '', channels = ''] = DOCS.split(/^\| channel \|/mu);
    expect(channels).toContain(`| \`${key}\` |`);
    expect(guarantees).toMatch(new RegExp(`^\\| .*\\b${shown}\\b.* \\|`, 'mu'));
  });

  test('is in the README', () => {
    expect(/^\| \[`notify`\].*$/mu.exec(readText('README.md'))?.[0]).toMatch(new RegExp(`\\b${shown}s?\\b`, 'u'));
  });
});
