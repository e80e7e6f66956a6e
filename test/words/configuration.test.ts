import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { formatIssue } from '../../src/config/issues.ts';
import { CONFIG_FOLDER, loadText } from '../support/config/config-machine.ts';
import { expectRecorded } from './recorded.ts';

const CONFIGURATIONS = readFileSync('test/fixtures/config/bad.txt', 'utf8').split(/^=== /mu).slice(1);

test('messages about bad configurations', async () => {
  const messages = CONFIGURATIONS.map(async (configuration) => {
    const [path = '', ...lines] = configuration.split('\n');
    const result = await loadText(lines.join('\n'), { path });
    const issues = result.kind === 'ok' ? [] : result.issues;
    return [path, issues.map((issue) => formatIssue(issue).replaceAll(CONFIG_FOLDER, '<folder>')).join('\n')] as const;
  });
  await expectRecorded('configuration', Object.fromEntries(await Promise.all(messages)));
});
