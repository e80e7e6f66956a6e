/** A file that breaks exactly one rule, in a small project with this project's settings. */
export interface Sin {
  readonly path: string;
  readonly rule: string;
  readonly code: string;
}

export const LINES = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  console.log(${String(index)});`).join('\n');

const ENVIRONMENT = `export const a: string | undefined = process.env['A'];`;
const RANDOM = `import { randomUUID } from 'node:crypto';\nexport const a: unknown = randomUUID;`;
const CONDITIONS = Array.from({ length: 16 }, (_, index) => `b === ${String(index)}`).join(' || ');

/** Returns two files that import each other. */
function cycle(one: string, other: string, code: (other: string) => string): readonly Sin[] {
  return [
    { path: `src/${one}.ts`, rule: 'import(no-cycle)', code: code(other) },
    { path: `src/${other}.ts`, rule: 'import(no-cycle)', code: code(one) },
  ];
}

/** Which folder may import which is tested in import-flow.test.ts. */
const IMPORT_SINS: readonly Sin[] = [
  ...(
    [
      ['src/core/c-socket.ts', `import { connect } from 'node:net';\nexport const a: unknown = connect;`],
      ['src/core/d-random.ts', RANDOM],
      ['src/checks/deep/e-random.ts', RANDOM],
      [
        'src/store/d-timer.ts',
        `import { setTimeout as sleep } from 'node:timers/promises';\nexport const a: unknown = sleep;`,
      ],
    ] as const
  ).map(([path, code]) => ({ path, rule: 'eslint(no-restricted-imports)', code })),
  ...cycle(
    'g-cycle',
    'h-cycle',
    (other) => `import { a as b } from './${other}.ts';\nexport const a = (): number => b();`,
  ),
  ...cycle(
    'v-type-cycle',
    'w-type-cycle',
    (other) => `import type { A as B } from './${other}.ts';\nexport type A = readonly B[] | null;`,
  ),
];

const CODE_SINS = [
  ['src/core/g-environment.ts', 'eslint(no-restricted-globals)', ENVIRONMENT],
  ['src/engine/c-environment.ts', 'eslint(no-restricted-globals)', ENVIRONMENT],
  ['src/checks/deep/f-environment.ts', 'eslint(no-restricted-globals)', ENVIRONMENT],
  ['src/a-timer.ts', 'eslint(no-restricted-globals)', `export const a: unknown = setTimeout(Math.abs, 1);`],
  ['src/b-timer.ts', 'eslint(no-restricted-globals)', `export const a: unknown = globalThis.setInterval(Math.abs, 1);`],
  ['src/c-now.ts', 'eslint(no-restricted-properties)', `export const a: number = Date.now();`],
  ['src/d-timeout.ts', 'eslint(no-restricted-properties)', `export const a: AbortSignal = AbortSignal.timeout(1);`],
  ['src/e-random.ts', 'eslint(no-restricted-properties)', `export const a: number = Math.random();`],
  ['src/f-exit.ts', 'eslint(no-restricted-properties)', `export function a(): void {\n  process.exit(1);\n}`],
  ['src/i-default.ts', 'import(no-default-export)', `export default 1;`],
  ['src/j-barrel.ts', 'oxc(no-barrel-file)', `export * from './system/clock.ts';`],
  ['src/kName.ts', 'unicorn(filename-case)', `export const a = 1;`],
  ['src/i-untyped.ts', 'typescript(explicit-module-boundary-types)', `export const a = (b: number) => b;`],
  ['src/l-any.ts', 'typescript(no-explicit-any)', `export const a: any = 1;`],
  ['src/m-bang.ts', 'typescript(no-non-null-assertion)', `export const a = (b: string | undefined): string => b!;`],
  ['src/n-as.ts', 'typescript(consistent-type-assertions)', `export const a = (b: unknown): string => b as string;`],
  ['src/o-parsed.ts', 'typescript(no-unsafe-return)', `export const a = (b: string): string => JSON.parse(b);`],
  [
    'src/p-floating.ts',
    'typescript(no-floating-promises)',
    `export function a(b: Promise<void>): void {\n  b.then(Math.abs);\n}`,
  ],
  [
    'src/q-misused.ts',
    'typescript(no-misused-promises)',
    `export const a = (b: () => Promise<void>, c: string[]): void => c.forEach(b);`,
  ],
  [
    'src/r-switch.ts',
    'typescript(switch-exhaustiveness-check)',
    `export function a(b: 'x' | 'y'): number {\n  switch (b) {\n    case 'x':\n      return 1;\n  }\n  return 2;\n}`,
  ],
  ['src/cli/a-long-file.ts', 'eslint(max-lines)', LINES(601)],
  ['src/cli/b-long-function.ts', 'eslint(max-lines-per-function)', `export function a(): void {\n${LINES(80)}\n}`],
  [
    'src/s-parameters.ts',
    'eslint(max-params)',
    `export const a = (b: 1, c: 1, d: 1, e: 1, f: 1, g: 1): number => b + c + d + e + f + g;`,
  ],
  [
    'src/t-depth.ts',
    'eslint(max-depth)',
    `export function a(b: boolean): void {\n  if (b) { if (b) { if (b) { if (b) { throw new Error('deep'); } } } }\n}`,
  ],
  ['src/u-complex.ts', 'eslint(complexity)', `export const a = (b: number): boolean => ${CONDITIONS};`],
  [
    'test/unit/a-mock.test.ts',
    'vitest(no-restricted-vi-methods)',
    `import { expect, test, vi } from 'vitest';\nvi.mock('node:fs');\ntest('a', () => {\n  expect(1).toBe(1);\n});`,
  ],
  [
    'test/unit/b-only.test.ts',
    'vitest(no-focused-tests)',
    `import { expect, test } from 'vitest';\ntest.only('a', () => {\n  expect(1).toBe(1);\n});`,
  ],
] as const;

export const SINS: readonly Sin[] = [...IMPORT_SINS, ...CODE_SINS.map(([path, rule, code]) => ({ path, rule, code }))];
