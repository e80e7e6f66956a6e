import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';

import { createLab } from '../../../src/demo/lab/lab.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { watchRounds } from '../../support/process/round-watcher.ts';
import { summaryOf } from '../../../src/demo/daemon.ts';

const WITHIN = 20_000;
const HOUR_MS = 3_600_000;
/** How often libfaketime checks whether its file has changed, in seconds. */
const LOOK_EVERY = '1';

/** Returns the library's path. Debian installs it in the folder for the machine's architecture. */
function library(): string {
  const [folder = ''] = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  return join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1');
}

describeWhere([{ program: 'faketime' }], 'a clock that is set', () => {
  // Concurrent, because most of the time is spent waiting.
  test.concurrent.for([
    { way: 'back', offset: '-3600s', offsetMs: -HOUR_MS },
    { way: 'forward', offset: '+3600s', offsetMs: HOUR_MS },
  ])(
    '$way by an hour neither stops the rounds nor makes them come in bursts, and alone is told',
    async ({ offset, offsetMs }, { expect }) => {
      await using lab = await createLab();
      const file = join(lab.folder, 'offset');
      await writeFile(file, '+0s\n');
      await using daemon = startDaemonProcess({
        cwd: lab.folder,
        args: ['-c', lab.configFile],
        env: {
          LD_PRELOAD: library(),
          FAKETIME_TIMESTAMP_FILE: file,
          FAKETIME_CACHE_DURATION: LOOK_EVERY,
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        },
      });
      const page = await daemon.page();
      await using rounds = await watchRounds(page);
      await rounds.next(({ ready }) => ready === 'ready', WITHIN);
      await writeFile(file, `${offset}\n`);
      const isSet = ({ at }: { readonly at: string }): boolean =>
        Math.abs(Date.parse(at) - (Date.now() + offsetMs)) < HOUR_MS / 2;
      await rounds.next(isSet, WITHIN);
      const startedAt = performance.now();
      const seen = await rounds.more(4, WITHIN);
      const seconds = (performance.now() - startedAt) / 1000;
      expect(seconds).toBeGreaterThan(1.5);
      expect(seen.filter(({ causes }) => causes.some(({ id }) => id !== 'clock-skewed')).map(summaryOf)).toEqual([]);
      await writeFile(file, '+0s\n');
      await rounds.next((diagnosis) => !isSet(diagnosis), WITHIN);
      await rounds.more(3, WITHIN);
      await expect.poll(() => daemon.value('ftm_activation_ready')).toBe(1);
      expect(lab.inbox.mails.filter(({ cause }) => cause !== 'clock-skewed')).toEqual([]);
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    },
  );
});
