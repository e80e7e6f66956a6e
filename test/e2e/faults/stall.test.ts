import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { createLab } from '../../../src/demo/lab/lab.ts';
import { startDaemonProcess, valueIn } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { summaryOf } from '../../../src/demo/daemon.ts';
import { watchRounds } from '../../support/process/round-watcher.ts';

const WITHIN = 20_000;
const STALL_MS = 10_000;
const RUNS = `ftm_probe_runs_total{probe="tcp"`;

function runsIn(metrics: string): number {
  const [line] = metrics.split('\n').filter((each) => each.startsWith(RUNS) && each.includes('fortitokenmobile'));
  return Number(line?.split(' ').at(-1));
}

describeWhere(['linux'], 'a daemon that is stopped and goes on', () => {
  test('a process that stands still for 10 s in the middle of a round judges nothing of that time', async () => {
    await using lab = await createLab();
    await using daemon = startDaemonProcess({ cwd: lab.folder, args: ['-c', lab.configFile] });
    const page = await daemon.page();
    await using rounds = await watchRounds(page);
    await rounds.next(({ ready }) => ready === 'ready', WITHIN);
    // All requests from now on are still open when the process stalls, and overdue when it continues.
    lab.licenseServer.setFault({ kind: 'silent' });
    lab.appliance.setFault({ kind: 'silent' });
    await setTimeout(1_500);
    const before = await daemon.read('metrics');
    const seen = rounds.diagnoses.length;
    daemon.signal('SIGSTOP');
    await setTimeout(STALL_MS);
    lab.licenseServer.setFault({ kind: 'none' });
    lab.appliance.setFault({ kind: 'none' });
    const wokenAt = performance.now();
    daemon.signal('SIGCONT');
    await rounds.next(({ ready }) => ready === 'ready', WITHIN);
    const after = await daemon.read('metrics');
    const seconds = (performance.now() - wokenAt) / 1000;

    const [judged] = rounds.diagnoses.slice(seen);
    expect(judged?.ready).toBe('unknown');
    expect(judged?.preconditions.find(({ id }) => id === 'license-server')?.summary).toMatch(/stalled for \d+\.\d s/u);
    expect(
      rounds.diagnoses
        .slice(seen)
        .filter(({ causes }) => causes.length > 0)
        .map(summaryOf),
    ).toEqual([]);
    expect(lab.inbox.mails).toEqual([]);
    expect(daemon.log.map(({ event }) => event)).not.toContain('activation-not-ready');
    const grown = (series: string): number => valueIn(after, series) - valueIn(before, series);
    expect(grown('ftm_schedule_missed_runs_total')).toBeGreaterThanOrEqual(1);
    expect(grown('ftm_event_loop_lag_seconds_sum')).toBeGreaterThan(STALL_MS / 1000 - 1);
    // The round in progress, one immediate round and the scheduled ones since: no burst.
    expect(runsIn(after) - runsIn(before)).toBeLessThanOrEqual(seconds + 3);
  });
});
