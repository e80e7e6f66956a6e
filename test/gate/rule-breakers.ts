import type { Sin } from './sin.ts';

export const LINES = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  console.log(${String(index)});`).join('\n');

export const sins: readonly Sin[] = [
  {
    path: 'src/core/g-environment.ts',
    code: `export const a: string | undefined = process.env['A'];`,
    rule: 'eslint(no-restricted-globals)',
  },
  {
    path: 'src/engine/c-environment.ts',
    code: `export const a: string | undefined = process.env['A'];`,
    rule: 'eslint(no-restricted-globals)',
  },
  {
    path: 'src/checks/deep/f-environment.ts',
    code: `export const a: string | undefined = process.env['A'];`,
    rule: 'eslint(no-restricted-globals)',
  },
  {
    path: 'src/a-timer.ts',
    code: `export const a: unknown = setTimeout(Math.abs, 1);`,
    rule: 'eslint(no-restricted-globals)',
  },
  {
    path: 'src/b-timer.ts',
    code: `export const a: unknown = globalThis.setInterval(Math.abs, 1);`,
    rule: 'eslint(no-restricted-globals)',
  },
  { path: 'src/c-now.ts', code: `export const a: number = Date.now();`, rule: 'eslint(no-restricted-properties)' },
  {
    path: 'src/d-timeout.ts',
    code: `export const a: AbortSignal = AbortSignal.timeout(1);`,
    rule: 'eslint(no-restricted-properties)',
  },
  {
    path: 'src/e-random.ts',
    code: `export const a: number = Math.random();`,
    rule: 'eslint(no-restricted-properties)',
  },
  {
    path: 'src/f-exit.ts',
    code: `export function a(): void {\n  process.exit(1);\n}`,
    rule: 'eslint(no-restricted-properties)',
  },
  { path: 'src/i-default.ts', code: `export default 1;`, rule: 'import(no-default-export)' },
  { path: 'src/j-barrel.ts', code: `export * from './system/clock.ts';`, rule: 'oxc(no-barrel-file)' },
  { path: 'src/kName.ts', code: `export const a = 1;`, rule: 'unicorn(filename-case)' },
  {
    path: 'src/i-untyped.ts',
    code: `export const a = (b: number) => b;`,
    rule: 'typescript(explicit-module-boundary-types)',
  },
  { path: 'src/l-any.ts', code: `export const a: any = 1;`, rule: 'typescript(no-explicit-any)' },
  {
    path: 'src/m-bang.ts',
    code: `export const a = (b: string | undefined): string => b!;`,
    rule: 'typescript(no-non-null-assertion)',
  },
  {
    path: 'src/n-as.ts',
    code: `export const a = (b: unknown): string => b as string;`,
    rule: 'typescript(consistent-type-assertions)',
  },
  {
    path: 'src/o-parsed.ts',
    code: `export const a = (b: string): string => JSON.parse(b);`,
    rule: 'typescript(no-unsafe-return)',
  },
  {
    path: 'src/p-floating.ts',
    code: `export function a(b: Promise<void>): void {\n  b.then(Math.abs);\n}`,
    rule: 'typescript(no-floating-promises)',
  },
  {
    path: 'src/q-misused.ts',
    code: `export const a = (b: () => Promise<void>, c: string[]): void => c.forEach(b);`,
    rule: 'typescript(no-misused-promises)',
  },
  {
    path: 'src/r-switch.ts',
    code: `export function a(b: 'x' | 'y'): number {\n  switch (b) {\n    case 'x':\n      return 1;\n  }\n  return 2;\n}`,
    rule: 'typescript(switch-exhaustiveness-check)',
  },
  { path: 'src/cli/a-long-file.ts', code: LINES(601), rule: 'eslint(max-lines)' },
  {
    path: 'src/cli/b-long-function.ts',
    code: `export function a(): void {\n${LINES(80)}\n}`,
    rule: 'eslint(max-lines-per-function)',
  },
  {
    path: 'src/s-parameters.ts',
    code: `export const a = (b: 1, c: 1, d: 1, e: 1, f: 1, g: 1): number => b + c + d + e + f + g;`,
    rule: 'eslint(max-params)',
  },
  {
    path: 'src/t-depth.ts',
    code: `export function a(b: boolean): void {\n  if (b) { if (b) { if (b) { if (b) { throw new Error('deep'); } } } }\n}`,
    rule: 'eslint(max-depth)',
  },
  {
    path: 'src/u-complex.ts',
    code: `export const a = (b: number): boolean => ${Array.from({ length: 16 }, (_, index) => `b === ${String(index)}`).join(' || ')};`,
    rule: 'eslint(complexity)',
  },
  {
    path: 'test/unit/a-mock.test.ts',
    code: `import { expect, test, vi } from 'vitest';\nvi.mock('node:fs');\ntest('a', () => {\n  expect(1).toBe(1);\n});`,
    rule: 'vitest(no-restricted-vi-methods)',
  },
  {
    path: 'test/unit/b-only.test.ts',
    code: `import { expect, test } from 'vitest';\ntest.only('a', () => {\n  expect(1).toBe(1);\n});`,
    rule: 'vitest(no-focused-tests)',
  },
];
