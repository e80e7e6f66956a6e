import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { describedKeys } from '../../../tools/generate/described-keys.ts';
import { describedProgram, leafCommands } from '../../../tools/package/described-program.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { configJsonSchema } from '../../../src/config/config.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...globSync(['docs/**/*.md', 'bench/*.md', 'test/*.md']),
];
const TEXTS = DOCUMENTS.map((file) => ({ file, text: readFileSync(file, 'utf8') }));

/** Returns the text in code blocks and in backquotes, on separate lines. */
function codeOf(text: string): string {
  const blocks = [...text.matchAll(/^ *```\w*\n([^]*?)^ *```/gmu)].map(([, block = '']) => block);
  const spans = text.replaceAll(/^ *```[^]*?^ *```/gmu, '').match(/(?<=`)[^`\n]+(?=`)/gu) ?? [];
  return [...blocks, ...spans].join('\n');
}

/** Returns the number of names in the documents, and the unknown ones. */
function namesIn(
  pattern: RegExp,
  isKnown: (name: string) => boolean,
  read = (text: string): string => text,
): { readonly found: number; readonly unknown: readonly string[] } {
  const named = TEXTS.flatMap(({ file, text }) =>
    [...read(text).matchAll(pattern)].map(([, name = '']) => ({ file, name })),
  );
  const unknown = named.filter(({ name }) => !isKnown(name)).map(({ file, name }) => `${file}: ${name}`);
  return { found: named.length, unknown };
}

test('the documents name commands that the program has', () => {
  const program = describedProgram('0', () => undefined);
  const commands = leafCommands(program).map(([name]) => name);
  const groups = new Set(commands.map((name) => name.split(' ')[0] ?? ''));
  const isCommand = (words: string): boolean => {
    const [first = '', second = ''] = words.split(' ');
    return groups.has(first) && (commands.includes(first) || second === '' || commands.includes(`${first} ${second}`));
  };
  const pattern = /(?:^|\$ |&& )ftm-watch ([a-z][a-z-]*(?: [a-z][a-z-]*)?)(?=[ \n]|$)/gmu;
  const { found, unknown } = namesIn(pattern, isCommand, codeOf);
  expect(found).toBeGreaterThan(40);
  expect(unknown).toEqual([]);
});

test('the documents name options that a command has', () => {
  const program = describedProgram('0', () => undefined);
  const options = new Set(
    leafCommands(program).flatMap(([, command]) =>
      [...command.options, ...program.options].map(({ long }) => long ?? ''),
    ),
  );
  const pattern = /(?<=(?:^|\$ |&& )ftm-watch [a-z][^\n]*)(--[a-z][a-z-]+)/gmu;
  const { found, unknown } = namesIn(pattern, (name) => options.has(name) || name === '--help', codeOf);
  expect(found).toBeGreaterThan(20);
  expect(unknown).toEqual([]);
});

test('the documents name keys that the configuration has', () => {
  const keys = describedKeys(configJsonSchema()).map(({ path }) => path.replaceAll('[]', ''));
  const sections = keys.filter((key) => !key.includes('.'));
  const known = new Set(keys);
  const { found, unknown } = namesIn(/`([a-z]+(?:\[\])?(?:\.[a-zA-Z]+(?:\[\])?)+)`/gu, (name) => {
    const path = name.replaceAll('[]', '');
    return !sections.includes(path.split('.')[0] ?? '') || known.has(path) || existsSync(name);
  });
  expect(found).toBeGreaterThan(200);
  expect(unknown).toEqual([]);
});

test('the documents name metrics that are exported', () => {
  const registry = new Registry();
  defineMetrics(registry);
  const metrics = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  const { found, unknown } = namesIn(
    /\b(ftm_[a-z_]+[a-z])\b/gu,
    (name) => metrics.has(name) || metrics.has(name.replace(/_(?:bucket|sum|count)$/u, '')),
  );
  expect(found).toBeGreaterThan(40);
  expect(unknown).toEqual([]);
});

test('the documents name alerts that are shipped', () => {
  const rules = globSync('deploy/prometheus/rules/*.yml').map((file) => readFileSync(file, 'utf8'));
  const alerts = new Set(rules.flatMap((text) => [...text.matchAll(/alert: (Ftm\w+)/gu)].map(([, name = '']) => name)));
  const { found, unknown } = namesIn(/`(Ftm[A-Z]\w+)`/gu, (name) => alerts.has(name));
  expect(parse(rules[0] ?? '')).toHaveProperty('groups');
  expect(found).toBeGreaterThan(10);
  expect(unknown).toEqual([]);
});

test('the documents name scripts of npm, files and folders that are there', () => {
  const scripts: Readonly<Record<string, string>> = packageJson.scripts;
  expect(
    namesIn(/\bnpm run (?:-s |--silent )?([a-z][\w:-]*)/gu, (name) => Object.hasOwn(scripts, name)).unknown,
  ).toEqual([]);
  const { found, unknown } = namesIn(
    /`((?:bench|config|deploy|docs|src|test|tools)\/[\w./-]+)`/gu,
    (name) => existsSync(name) || name.includes('/ID/') || name === 'config/ftm-watch.yaml',
  );
  expect(found).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
});

test('no paragraph of 30 words or more is in the documents twice', () => {
  const pages = TEXTS.filter(({ file }) => !/^(?:docs\/runbooks|bench|test)\//u.test(file));
  const paragraphs = pages.flatMap(({ text }) =>
    text
      .replaceAll(/^ *```[^]*?^ *```/gmu, '')
      .split(/\n\s*\n|\n(?=\||- |\d+\. )/u)
      .map((paragraph) => paragraph.replaceAll(/\s+/gu, ' ').trim())
      .filter((paragraph) => paragraph.split(' ').filter((word) => /[\p{L}\d]/u.test(word)).length >= 30),
  );
  expect(paragraphs.length).toBeGreaterThan(100);
  expect(paragraphs.filter((paragraph, index) => paragraphs.indexOf(paragraph) !== index)).toEqual([]);
});

test('each picture is in a document', () => {
  const pictures = globSync('docs/images/*.png').map((file) => basename(file));
  expect(pictures.length).toBeGreaterThan(4);
  expect(pictures.filter((name) => !TEXTS.some(({ text }) => text.includes(`images/${name}`)))).toEqual([]);
});
