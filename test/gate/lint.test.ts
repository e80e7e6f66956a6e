import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LINES, SINS } from './sins.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Files that the rules must accept. */
const fine: ReadonlyMap<string, string> = new Map([
  [
    'src/system/clock.ts',
    `export const clock: number = Date.now();\nexport const timer: unknown = setTimeout(Math.abs, 1);`,
  ],
  ['src/main.ts', 'process.exit(1);'],
  [
    'src/core/fine.ts',
    `import { createHash, X509Certificate } from 'node:crypto';\nimport { isIP } from 'node:net';\n` +
      `import ipaddr from 'ipaddr.js';\nexport const a: readonly unknown[] = [createHash, X509Certificate, isIP, ` +
      'ipaddr];',
  ],
  [
    'test/unit/fine.test.ts',
    `import { expect, test } from 'vitest';\ntest('a', () => {\n${LINES(60)}\n  expect(1 as number).toBe(1);\n});`,
  ],
]);

interface LintReport {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
  readonly number_of_files: number;
}

function lint(folder: string): LintReport {
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
  const { stdout, stderr } = spawnSync(oxlint, ['--format', 'json', 'src', 'test'], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as LintReport;
}

describe('the linter, with the settings of this project', () => {
  let folder = '';
  let report: LintReport = { diagnostics: [], number_of_files: 0 };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftm-watch-lint-'));
    copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    copyFileSync(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const [path, code] of [...fine, ...SINS.map((sin) => [sin.path, sin.code] as const)]) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), `${code}\n`);
    }
    report = lint(folder);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const rulesBrokenBy = (path: string): readonly string[] => [
    ...new Set(report.diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code)),
  ];

  test.each(SINS)('$path breaks $rule', ({ path, rule }) => {
    expect(rulesBrokenBy(path)).toEqual([rule]);
  });

  test.each([...fine.keys()])('%s breaks no rule', (path) => {
    expect(rulesBrokenBy(path)).toEqual([]);
  });

  test('looks at every file', () => {
    expect(report.number_of_files).toBe(SINS.length + fine.size);
  });
});
