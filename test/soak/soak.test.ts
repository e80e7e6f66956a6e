import { expect, test } from 'vitest';
import { createSandbox } from '../support/network/sandbox.ts';
import { startHost } from '../support/process/host.ts';
import { describeWhere } from '../support/process/privilege.ts';
import type { PlanOptions } from './plan.ts';
import { PUT_UP } from './site.ts';
import type { SoakOutcome } from './soak-host.ts';

// See README.md in this folder. On the day of this seed, path, mail, names and clock are broken, two of them at once.
const days = Number(process.env['FTM_SOAK_DAYS'] ?? '1');
const options: PlanOptions = {
  days,
  seed: Number(process.env['FTM_SOAK_SEED'] ?? '27'),
  everySeconds: Number(process.env['FTM_SOAK_EVERY'] ?? '1800'),
  start: Date.parse(process.env['FTM_SOAK_FROM'] ?? '2026-10-05T00:00:00Z'),
};
/** The share of resident memory by which it may grow after the first day. */
const MAY_GROW = 0.1;
const MINUTE = 60_000;

describeWhere(['root', 'network-namespaces', { program: 'iptables' }], 'days of noise and faults', () => {
  test(
    'bring no false alarm and hide no fault',
    async () => {
      await using sandbox = await createSandbox();
      sandbox.sh(PUT_UP);
      const module = new URL('soak-host.ts', import.meta.url);
      await using site = await startHost<PlanOptions, null, 'run'>(module, options, sandbox.prefix);
      const { faults, complaints, falseAlarms, errors, resident } = (await site.ask('run')) as SoakOutcome;
      process.stdout.write(`${faults.join('\n')}\n`);
      expect(faults.length).toBeGreaterThanOrEqual(2 * days);
      expect(complaints).toEqual([]);
      expect(falseAlarms).toEqual([]);
      expect(errors).toEqual([]);
      expect(resident.at(-1)).toBeLessThanOrEqual((resident[0] ?? 0) * (1 + MAY_GROW));
    },
    Math.max(15, 2 * days) * MINUTE,
  );
});
