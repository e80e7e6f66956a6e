import { expect, test } from 'vitest';
import { unitEnvironment } from '../../../bench/build.ts';
import { highestMemory } from '../../../bench/daemon/memory.ts';
import { startOwnDaemon } from '../../../bench/daemon/own-daemon.ts';
import { createSite } from '../../../bench/probes/site.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { PROGRAM } from '../../support/process/program.ts';

describeWhere(['linux'], 'a daemon that has run for a day', () => {
  test('uses hardly more memory than after an hour', { timeout: 600_000 }, async () => {
    await using site = await createSite();
    const build = { name: 'ftm-watch', program: PROGRAM, environment: unitEnvironment() };
    await using daemon = await startOwnDaemon(site, build, true);
    await daemon.pass(100);
    const early = await highestMemory(daemon.pid);
    const late: number[] = [];
    for (const rounds of [2_700, 100, 100]) {
      await daemon.pass(rounds);
      late.push((await highestMemory(daemon.pid)).anonymous);
    }

    // Garbage that V8 has yet to collect comes and goes, so the least counts. With V8's default compilers, it would be
    // 1.3 times as much.
    expect(Math.min(...late) / early.anonymous).toBeLessThan(1.15);
  });
});
