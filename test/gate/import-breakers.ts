import type { Sin } from './sin.ts';

/** Files that import what their folder may not. */
export const importSins: readonly Sin[] = [
  {
    path: 'src/core/a-package.ts',
    code: `import { z } from 'zod';\nexport const a: unknown = z;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/core/b-input.ts',
    code: `import { readFileSync } from 'node:fs';\nexport const a: unknown = readFileSync;`,
    rule: 'eslint(no-restricted-imports)',
  },
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
    path: 'src/core/e-outside.ts',
    code: `import { clock } from '../system/clock.ts';\nexport const a: number = clock;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/core/deep/f-outside.ts',
    code: `import { clock } from '../../system/clock.ts';\nexport const a: number = clock;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/engine/a-check.ts',
    code: `import { a } from '../checks/deep/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/engine/deep/b-outside.ts',
    code: `import { clock } from '../../system/clock.ts';\nexport const a: number = clock;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/checks/a-source.ts',
    code: `import { b } from '../sources/fine.ts';\nexport const a: number = b;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/checks/deep/b-source.ts',
    code: `import { a } from '../../store/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/checks/deep/c-registry.ts',
    code: `import type { A } from '../registry.ts';\nexport const b: A = 1;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/checks/deep/d-value.ts',
    code: `import { a } from '../../config/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/checks/deep/e-random.ts',
    code: `import { randomUUID } from 'node:crypto';\nexport const a: unknown = randomUUID;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/sources/a-neighbour.ts',
    code: `import { a } from '../store/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/sources/b-judge.ts',
    code: `import { a } from '../checks/deep/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/sources/deep/c-registry.ts',
    code: `import type { B } from '../registry.ts';\nexport const b: B = 1;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/sources/deep/d-value.ts',
    code: `import { a } from '../../config/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/network/deep/e-source.ts',
    code: `import type { B } from '../../sources/registry.ts';\nexport const b: B = 1;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/checks/deep/g-value.ts',
    code: `import { b } from '../../sources/registry.ts';\nexport const a: number = b;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/metrics/d-inside-a-source.ts',
    code: `import { a } from '../sources/deep/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/metrics/e-channel.ts',
    code: `import { a } from '../notify/channels/channel.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/metrics/f-inside-a-channel.ts',
    code: `import { a } from '../notify/channels/mail/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/metrics/g-outbox.ts',
    code: `import { a } from '../notify/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/notify/channels/pager/a-other.ts',
    code: `import { a } from '../mail/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/notify/channels/pager/b-registry.ts',
    code: `import { a } from '../registry.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/notify/channels/pager/c-config.ts',
    code: `import { a } from '../../../config/fine.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/web/b-root.ts',
    code: `import { a } from '../runtime/app.ts';\nexport const b: number = a;`,
    rule: 'eslint(no-restricted-imports)',
  },
  {
    path: 'src/network/c-value.ts',
    code: `import { a } from '../config/fine.ts';\nexport const b: number = a;`,
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
