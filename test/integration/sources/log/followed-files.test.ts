import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { startIntake, TROUBLE } from '../../../support/intake-bench.ts';

let folder = '';
let log = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'followed-files-'));
  log = join(folder, 'fac.log');
  return () => rm(folder, { recursive: true });
});

describe('followed files in the intake', () => {
  const follows = (): Parameters<typeof startIntake>[0] => ({
    logs: { syslog: { udp: null, tcp: null, tls: null }, files: [log] },
  });

  test('keep their positions over a restart: nothing twice, nothing lost', async () => {
    const stateFile = join(folder, 'positions.json');
    await writeFile(log, `${TROUBLE}\n`);
    const first = await startIntake(follows(), { stateFile });
    await appendFile(log, `${TROUBLE}\n`.repeat(3));
    await first.until(() => expect(first.troubles()).toBe(3));
    await first.intake.stop();
    await appendFile(log, `${TROUBLE}\n`.repeat(2));
    const second = await startIntake(follows(), { stateFile });
    await second.until(() => expect(second.troubles()).toBe(2));
    await second.intake.stop();
    const third = await startIntake(follows(), { stateFile });
    await third.intake.stop();
    expect(third.troubles()).toBe(0);
    expect(JSON.parse(await readFile(stateFile, 'utf8'))).toMatchObject({
      version: 1,
      files: { [log]: [{ position: (TROUBLE.length + 1) * 6 }] },
    });
  });

  test('take the time of the line, since it may be read long after', async () => {
    const stateFile = join(folder, 'positions.json');
    await writeFile(log, '');
    const first = await startIntake(follows(), { stateFile });
    await first.intake.stop();
    await appendFile(
      log,
      'date=2025-06-04 time=20:13:33+0000 oid=1 logid=0 cat="Event" msg="FTM polling error: SSL session failed" ' +
        'user=""\n',
    );
    const second = await startIntake(follows(), { stateFile });
    await second.until(() => expect(second.troubles()).toBe(1));
    expect(second.events).toContainEqual(
      expect.objectContaining({ kind: 'ftm', at: Date.UTC(2025, 5, 4, 20, 13, 33), source: 'file' }),
    );
  });

  test('raise trouble in a named file though its host name is not configured', async () => {
    const bench = await startIntake({ ...follows(), appliances: [{ name: 'fac-1', logSources: ['10.0.0.5'] }] });
    await appendFile(log, `${TROUBLE.replace(' db[', ' other db[')}\n<14>Aug 14 22:32:52 other sshd[1]: hello\n`);
    await bench.until(() => expect(bench.intake.counters().lines.file).toMatchObject({ ftm: 1, foreign: 1 }));
    await bench.until(() =>
      expect(bench.events).toContainEqual(expect.objectContaining({ kind: 'ftm', appliance: 'fac-1' })),
    );
  });

  test('begin at the end when the positions cannot be read, and say so', async () => {
    const stateFile = join(folder, 'positions.json');
    await writeFile(stateFile, '{"version":7}');
    await writeFile(log, `${TROUBLE}\n`);
    const bench = await startIntake(follows(), { stateFile });
    await bench.intake.stop();
    expect(bench.troubles()).toBe(0);
    expect(bench.log.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        message: expect.stringContaining('positions in the log files cannot be read'),
      }),
    );
  });
});
