import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { formatIssue } from '../../src/config/issues.ts';
import { loadConfig, type LoadResult, type ReadResult } from '../../src/config/load.ts';
import { CONFIG_FOLDER, configMachine, loadText } from '../support/config/config-machine.ts';
import { expectRecorded } from './recorded.ts';

const CONFIGURATIONS = readFileSync('test/fixtures/config/bad.txt', 'utf8').split(/^=== /mu).slice(1);

/** Rare mistakes in YAML. */
const YAML: Readonly<Record<string, string>> = {
  'an anchor before an alias': 'site: &a hq\nlog: &b *a\n',
  'an anchor without a name': 'site: & hq\n',
  'a directive': '%HUNTER 2\n---\nsite: hq\n',
  'an escape': 'site: "\\q"\n',
  'a special character': 'site: @hq\n',
  'a list in brackets': 'resolvers: [\n- system\n]\n',
  'a long key': `${'k'.repeat(1_100)}: 1\n`,
  'a key of two lines': 'site\nlog: 1\n',
  'two anchors': 'site: &a &b hq\n',
  'two tags': 'site: !!str !!int hq\n',
  'text behind brackets': 'resolvers: [system] udp\n',
  'a text': 'hq\n',
};

function textFile(...parts: readonly (string | number[])[]): ReadResult {
  return { kind: 'read', bytes: Buffer.concat(parts.map((part) => Buffer.from(part))) };
}

const MISSING: ReadResult = { kind: 'missing' };

/** Files that cannot be used, alone or as part of another one. */
const FILES: Readonly<Record<string, readonly [main: ReadResult, included?: ReadResult]>> = {
  'a missing file': [MISSING],
  'an unreadable file': [{ kind: 'failed', reason: 'permission denied' }],
  'a huge file': [{ kind: 'too-large' }],
  'an empty file': [textFile('')],
  'a file in Latin-1': [textFile('site: B', [0xfc], 'ro')],
  'a missing part': [textFile('include: [part.yaml]')],
  'an empty part': [textFile('include: [part.yaml]'), textFile('')],
  'a part that is no YAML': [textFile('include: [part.yaml]'), textFile('a: [')],
  'a part that is a list': [textFile('include: [part.yaml]'), textFile('- a')],
  'a part with parts': [textFile('include: [part.yaml]'), textFile('include: [other.yaml]')],
  'a part with mistakes': [textFile('include: [part.yaml]'), textFile('log: { level: loud }\nwebb: {}')],
  'parts that are no list': [textFile('include: part.yaml')],
  'a part without a name': [textFile('include: [5]')],
  'many parts': [textFile(`include: [${'part.yaml, '.repeat(51)}]`)],
};

function messagesOf(result: LoadResult): string {
  const issues = result.kind === 'ok' ? [] : result.issues;
  return issues.map((issue) => formatIssue(issue).replaceAll(CONFIG_FOLDER, '<folder>')).join('\n');
}

test('messages about bad configurations', async () => {
  const messages = CONFIGURATIONS.map(async (configuration) => {
    const [path = '', ...lines] = configuration.split('\n');
    return [path, messagesOf(await loadText(lines.join('\n'), { path }))] as const;
  });
  const yaml = Object.entries(YAML).map(async ([name, text]) => [name, messagesOf(await loadText(text))] as const);
  const machine = configMachine(CONFIG_FOLDER);
  const files = Object.entries(FILES).map(async ([name, [main, included = MISSING]]) => {
    const read = (path: string) => Promise.resolve(path.endsWith('/main.yaml') ? main : included);
    const result = await loadConfig({ ...machine, path: 'main.yaml', files: { ...machine.files, read } });
    return [name, messagesOf(result)] as const;
  });
  await expectRecorded('configuration', Object.fromEntries(await Promise.all([...messages, ...yaml, ...files])));
});
