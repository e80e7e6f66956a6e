import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAID_BY_DEVICES } from './quotations.ts';
import { phrasesOf, runsOf, type Text, textsIn } from './texts.ts';

/** The list of exceptions: sentences that no golden file shows. */
export const UNRENDERED = 'test/golden/unrendered.txt';

/** Golden files, and the documents that `npm run generate` writes. */
const RECORDS: readonly string[] = [
  'test/golden/*.txt',
  'docs/runbooks/*.md',
  'docs/metrics.md',
  'docs/configuration.md',
  'docs/internals/interception.md',
  'docs/commands.md',
  'deploy/helm/ftm-watch/values.schema.json',
];

/** Why the sentences of these files are exceptions. The first pattern that matches the path counts. */
const REASONS: readonly (readonly [path: RegExp, reason: string])[] = [
  [/^src\/(?:network|round|connectors|logs|trust|tls)\//u, 'needs a peer or a file that fails'],
  [/^src\/(?:store|system|runtime|main|metrics|web\/http-server)/u, 'needs a daemon or a machine that fails'],
  [/^src\/capture\//u, 'needs a capture'],
  [/^src\/demo\//u, 'told while the demo is played'],
  [/^/u, 'no case yet'],
];

/** Phrases of fewer words occur everywhere. */
const SHORTEST = 3;

const SQL =
  /\b(?:SELECT|INSERT|CREATE|UPDATE|DELETE|WHERE|ORDER BY|GROUP BY|ON CONFLICT|ALTER TABLE|PRAGMA|FROM|VALUES)\b/u;
/** A style sheet, or the style of an element. */
const STYLE = /^[\w-]+:\S+;|\{\s*[\w-]+:[^{}]+\}/u;

const ADDRESS = /^https?:\/\/\S+ /u;

interface Missing {
  readonly path: string;
  readonly reason: string;
  readonly phrases: readonly string[];
}

/** Returns the phrases of each file in `src` that no record shows. */
export function unrenderedIn(root: string): readonly Missing[] {
  const shown = RECORDS.flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((path) => path !== UNRENDERED)
    .flatMap((path) => phrasesOf({ parts: [read(root, path).replaceAll(/[\s<>{}]+/gu, ' ')] }));
  const runs = new Set(shown.flatMap((words) => runsOf(words, SHORTEST)));
  return globSync('src/**/*.ts', { cwd: root, exclude: [SAID_BY_DEVICES] })
    .toSorted()
    .map((path) => {
      const source = read(root, path);
      const phrases = textsIn(path, source)
        .filter((text) => isForPeople(text) && !isPattern(text, source))
        .flatMap(phrasesOf);
      const missing = phrases.filter((words) => runsOf(words, SHORTEST).some((run) => !runs.has(run)));
      return { path, reason: reasonOf(path), phrases: missing.map((words) => words.join(' ')) };
    })
    .filter(({ phrases }) => phrases.length > 0);
}

/** A regular expression matches what others say. */
function isPattern({ at }: Text, source: string): boolean {
  return source[at] === '/';
}

function isForPeople({ parts }: Text): boolean {
  return !parts.some((part) => SQL.test(part) || STYLE.test(part) || ADDRESS.test(part));
}

function reasonOf(path: string): string {
  return REASONS.find(([pattern]) => pattern.test(path))?.[1] ?? '';
}

/** Returns the list as it is recorded. */
export function unrenderedList(missing: readonly Missing[]): string {
  return missing.map(({ path, reason, phrases }) => [`## ${path} (${reason})`, ...phrases, ''].join('\n')).join('\n');
}

/** Returns the files that have more exceptions than the recorded list, with all of them. */
export function grownSince(recorded: string, missing: readonly Missing[]): readonly Missing[] {
  const counts = new Map(
    recorded.split(/^## /mu).map((part): readonly [string, number] => {
      const lines = part.split('\n').filter((line) => line !== '');
      return [(lines[0] ?? '').split(' ')[0] ?? '', lines.length - 1];
    }),
  );
  return missing.filter(({ path, phrases }) => phrases.length > (counts.get(path) ?? 0));
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
