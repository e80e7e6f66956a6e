import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';
import { memoryOf } from '../../../bench/process-figures.ts';

const WITHIN = 20_000;
const REQUESTS = 3_000;
const AT_ONCE = 50;

let daemon: DaemonProcess;
let runs: string;

const site = await createDaemonBench();

beforeAll(async () => {
  await site.configure({ schedule: { probes: '* * * * * *' } });
  daemon = startDaemonProcess({ cwd: site.folder, args: ['-c', 'ftm-watch.yaml'] });
  runs = `ftm_probe_runs_total{probe="tcp",target="license.example.test:${String(site.port)}"}`;
  await until(
    () => daemon.status(),
    (status) => status?.ready === 'ready',
    WITHIN,
  );
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

interface Effort {
  readonly seconds: number;
  readonly rounds: number;
  readonly grownMebibytes: number;
}

/** Returns the cost of `work` for the daemon. */
async function effortOf(work: () => Promise<void>): Promise<Effort> {
  const before = {
    at: performance.now(),
    runs: await daemon.value(runs),
    memory: memoryOf(daemon.pid).resident,
  };
  await work();
  return {
    seconds: (performance.now() - before.at) / 1000,
    rounds: (await daemon.value(runs)) - before.runs,
    grownMebibytes: memoryOf(daemon.pid).resident - before.memory,
  };
}

describeWhere(['linux'], 'a flood of requests', () => {
  test('thousands of scrapes and status requests are answered, and rounds come all the same', async () => {
    let left = REQUESTS;
    let failed = 0;
    const client = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const response = await daemon.fetch(`${left % 2 === 0 ? 'metrics' : 'api/v1/status'}`);
        if (response.status !== 200 || (await response.text()) === '') failed += 1;
      }
    };
    const { seconds, rounds, grownMebibytes } = await effortOf(async () => {
      await Promise.all(Array.from({ length: AT_ONCE }, client));
    });
    expect(failed).toBe(0);
    expect(rounds).toBeGreaterThanOrEqual(Math.floor(seconds / 2) - 1);
    expect(grownMebibytes).toBeLessThan(100);
  });
});
