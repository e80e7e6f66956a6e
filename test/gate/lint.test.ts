import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importSins } from './import-breakers.ts';
import { LINES, sins as otherSins } from './rule-breakers.ts';

const sins = [...importSins, ...otherSins];
const ROOT = resolve(import.meta.dirname, '../..');
// Files that the rules must accept, and files that the sins import.
const fine: ReadonlyMap<string, string> = new Map([
  [
    'src/system/clock.ts',
    `export const clock: number = Date.now();\nexport const timer: unknown = setTimeout(Math.abs, 1);`,
  ],
  [
    'src/runtime/app.ts',
    `import { b } from '../round/fine.ts';\nimport { a as c } from '../store/fine.ts';\n` +
      'export const a: number = b + c;',
  ],
  ['src/main.ts', `import { a } from './runtime/app.ts';\nprocess.exit(a);`],
  ['src/config/fine.ts', `export const a = 1;\nexport type A = 1 | 2;`],
  ['src/store/fine.ts', `export const a = 1;`],
  [
    'src/round/fine.ts',
    `import { isIP } from 'node:net';\nimport { a } from '../core/deep/fine.ts';\n` +
      `import type { A } from '../config/fine.ts';\nexport const b: A = isIP('') === a ? 1 : 2;`,
  ],
  ['src/round/registry.ts', `import { a } from './deep/fine.ts';\nexport type B = 1 | 2;\nexport const b: number = a;`],
  [
    'src/round/deep/fine.ts',
    `import { a as b } from '../../config/schema/fine.ts';\nimport { b as c } from '../../network/fine.ts';\nexport const a: number = b + c;`,
  ],
  ['src/network/fine.ts', `import { a } from '../core/deep/fine.ts';\nexport const b: number = a;`],
  [
    'src/metrics/fine.ts',
    `import { a } from '../notify/channels/registry.ts';\nimport { b as c } from '../round/registry.ts';\nexport const b: number = a + c;`,
  ],
  ['src/notify/channels/registry.ts', `import { a as b } from './mail/fine.ts';\nexport const a: number = b;`],
  [
    'src/notify/channels/mail/fine.ts',
    `import { a as b } from '../../../config/schema/fine.ts';\nimport { a as c } from '../channel.ts';\n` +
      'export const a: number = b + c;',
  ],
  ['src/notify/channels/channel.ts', `export const a = 1;`],
  ['src/notify/fine.ts', `export const a = 1;`],
  ['src/config/schema/fine.ts', `export const a = 1;`],
  [
    'src/core/fine.ts',
    `import { createHash, X509Certificate } from 'node:crypto';\nimport { isIP } from 'node:net';\n` +
      `import ipaddr from 'ipaddr.js';\nexport const a: readonly unknown[] = [createHash, X509Certificate, isIP, ` +
      'ipaddr];',
  ],
  ['src/engine/deep/fine.ts', `import { a as b } from '../../core/fine.ts';\nexport const a: number = b.length;`],
  [
    'src/checks/deep/fine.ts',
    `import type { B as A } from '../../round/registry.ts';\nimport { a as b } from '../../core/fine.ts';\nimport { a as c } from '../../engine/deep/fine.ts';\nexport const a: A = b.length === c ? 1 : 2;`,
  ],
  ['src/checks/registry.ts', `import { a } from './deep/fine.ts';\nexport type A = 1;\nexport const b: number = a;`],
  ['src/core/deep/fine.ts', `import { a as b } from '../fine.ts';\nexport const a: number = b.length;`],
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
    for (const [path, code] of [...fine, ...sins.map((sin) => [sin.path, sin.code] as const)]) {
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

  test.each(sins)('$path breaks $rule', ({ path, rule }) => {
    expect(rulesBrokenBy(path)).toEqual([rule]);
  });

  test.each([...fine.keys()])('%s breaks no rule', (path) => {
    expect(rulesBrokenBy(path)).toEqual([]);
  });

  test('looks at every file', () => {
    expect(report.number_of_files).toBe(sins.length + fine.size);
  });
});
