import type { Sin } from './sin.ts';

/** Files with imports that the linter forbids. The imports allowed between folders are in import-flow.test.ts. */
export const importSins: readonly Sin[] = [
  {
    path: 'src/core/c-socket.ts',
    code: `import { connect } from 'node:net';\nexport const a: unknown = connect;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/core/d-random.ts',
    code: `import { randomUUID } from 'node:crypto';\nexport const a: unknown = randomUUID;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/checks/deep/e-random.ts',
    code: `import { randomUUID } from 'node:crypto';\nexport const a: unknown = randomUUID;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/store/d-timer.ts',
    code: `import { setTimeout as sleep } from 'node:timers/promises';\nexport const a: unknown = sleep;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/g-cycle.ts',
    code: `import { b } from './h-cycle.ts';\nexport const a = (): number => b();`,
    rule: 'import(no-cycle)',
  },
  {
    path: 'src/h-cycle.ts',
    code: `import { a } from './g-cycle.ts';\nexport const b = (): number => a();`,
    rule: 'import(no-cycle)',
  },
  {
    path: 'src/v-type-cycle.ts',
    code: `import type { B } from './w-type-cycle.ts';\nexport type A = readonly B[];`,
    rule: 'import(no-cycle)',
  },
  {
    path: 'src/w-type-cycle.ts',
    code: `import type { A } from './v-type-cycle.ts';\nexport type B = A | null;`,
    rule: 'import(no-cycle)',
  },
];
