import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Step {
  readonly name: string;
  readonly command: string;
}

const steps: readonly Step[] = [...read('.ci/nightly').matchAll(/^step (?<name>\S+) \d+m (?<command>.+)$/gmu)].map(
  ({ groups }) => ({
    name: groups?.['name'] ?? '',
    command: groups?.['command'] ?? '',
  }),
);

const scripts = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json'))).scripts;
const workflow = z
  .object({
    jobs: z.object({
      run: z.object({ steps: z.array(z.object({ run: z.string().optional() })) }),
      nightly: z.object({ strategy: z.object({ matrix: z.object({ steps: z.array(z.string()) }) }) }),
    }),
  })
  .parse(parse(read('.github/workflows/ci.yml')));

/** Expands a pattern as the shell does. */
function filesOf(word: string): readonly string[] {
  return globSync(word, { cwd: ROOT });
}

describe.each(steps)('the nightly step $name', ({ command }) => {
  test('runs what there is', () => {
    const named = [...command.matchAll(/npm run --silent (\S+)/gu)].map(([, script = '']) => script);
    const paths = command.split(' ').filter((word) => /^(?:test|bench)\//u.test(word));
    expect(named.length + paths.length).toBeGreaterThan(0);
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
    expect(paths.filter((path) => filesOf(path).length === 0)).toEqual([]);
  });

  test('sets only variables that are read', () => {
    const variables = [...command.matchAll(/\b([A-Z][A-Z_]+)=/gu)].map(([, variable = '']) => variable);
    const files = command
      .split(' ')
      .filter((word) => word.endsWith('.test.ts'))
      .flatMap(filesOf);
    const texts = [...files, 'test/support/random/samples.ts'].map(read);
    expect(variables.filter((variable) => !texts.some((text) => text.includes(`process.env['${variable}']`)))).toEqual(
      [],
    );
  });
});

test('the workflow runs .ci/run, and each nightly step once', () => {
  expect(workflow.jobs.run.steps.flatMap(({ run }) => run ?? [])).toEqual(['bash .ci/run']);
  const named = workflow.jobs.nightly.strategy.matrix.steps.flatMap((group) => group.split(' '));
  expect(named.toSorted()).toEqual(steps.map(({ name }) => name).toSorted());
});
