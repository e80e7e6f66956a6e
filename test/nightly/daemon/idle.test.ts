import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { familyOf, familySwitches, memoryOf } from '../../../bench/process-figures.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 10_000;
/** After the start, V8 collects garbage for a while. */
const SETTLED = 30_000;
const MINUTE = 60_000;

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

describeWhere(['linux'], 'a daemon between two rounds', () => {
  test('hardly wakes', async () => {
    await site.configure();
    await using daemon = site.startProcess();
    await until(
      () => daemon.status(),
      (status) => status !== null,
      WITHIN,
    );
    await setTimeout(SETTLED);
    const before = familySwitches(daemon.pid).voluntary;

    await setTimeout(MINUTE);

    // Usually about 20. A single timer of one second would be 60 more.
    expect(familySwitches(daemon.pid).voluntary - before).toBeLessThanOrEqual(80);
    // The daemon and its watchdog.
    expect(familyOf(daemon.pid)).toHaveLength(2);
    expect(memoryOf(familyOf(daemon.pid)[1] ?? 0).anonymous).toBeLessThan(3);
  });
});
