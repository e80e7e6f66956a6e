import { appendFile, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Positions, readPositions } from '../../../src/logs/tail.ts';
import { ORDINARY, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const HOUR = 3_600_000;

const folder = folderOfEachTest();
let log = '';

beforeEach(async () => {
  log = folder.at('fac.log');
});

describe('followed files in the intake', () => {
  const follows = (): Parameters<typeof startIntake>[0] => ({
    logs: { syslog: { udp: null, tcp: null, tls: null }, files: [log] },
  });

  test('keep their positions over a restart: nothing twice, nothing lost', async () => {
    await writeFile(log, `${TROUBLE}\n`);
    const first = await startIntake(follows());
    await appendFile(log, `${TROUBLE}\n`.repeat(3));
    await first.until(() => expect(first.troubles()).toBe(3));
    await first.intake.stop();
    await appendFile(log, `${TROUBLE}\n`.repeat(2));
    const second = await startIntake(follows(), {}, first.intake.positions());
    await second.until(() => expect(second.troubles()).toBe(2));
    await second.intake.stop();
    const third = await startIntake(follows(), {}, second.intake.positions());
    await third.intake.stop();
    expect(third.troubles()).toBe(0);
    expect(third.intake.positions()).toMatchObject({ [log]: [{ position: (TROUBLE.length + 1) * 6 }] });
  });

  test('tell at every moment what they have handed on, and nothing else, through rotation', async () => {
    await writeFile(log, '');
    const clock = handClock(Date.now());
    const bench = await startIntake(follows(), { clock });
    const writing = writeRounds(log, (round) =>
      bench.until(() => expect(bench.troubles()).toBeGreaterThanOrEqual(written(round))),
    );
    const moments = new Map<string, { readonly positions: Positions; readonly handedOn: number }>();
    while (bench.troubles() < written(ROUNDS - 1)) {
      await turn();
      clock.advance(10);
      const positions = bench.intake.positions();
      const moment = { positions, handedOn: bench.troubles() };
      moments.set(JSON.stringify(moment), moment);
    }
    await writing;
    await bench.intake.stop();

    expect(moments.size).toBeGreaterThan(ROUNDS);
    for (const { positions, handedOn } of moments.values()) {
      const again = await startIntake(follows(), { clock }, positions);
      await again.intake.stop();
      expect(handedOn + again.troubles()).toBe(written(ROUNDS - 1));
    }
  });

  test('take the time of the line, since it may be read long after', async () => {
    await writeFile(log, '');
    const first = await startIntake(follows());
    await first.intake.stop();
    await appendFile(
      log,
      'date=2025-06-04 time=20:13:33+0000 oid=1 logid=0 cat="Event" msg="FTM polling error: SSL session failed" ' +
        'user=""\n',
    );
    const second = await startIntake(follows(), {}, first.intake.positions());
    await second.until(() => expect(second.troubles()).toBe(1));
    expect(second.events).toContainEqual(
      expect.objectContaining({ kind: 'ftm', at: Date.UTC(2025, 5, 4, 20, 13, 33), reliable: true }),
    );
  });

  test.each([
    [2 * HOUR, 120],
    [30_000, 0],
    [-2 * HOUR, 0],
  ])('take no time in the future: a line that is %i ms ahead is now, and told as %i minutes', async (offset, told) => {
    await writeFile(log, '');
    const bench = await startIntake(follows());
    const [now, stamp] = [Date.now(), new Date(Date.now() + offset).toISOString()];
    await appendFile(log, `<12>1 ${stamp} fac-1 db 1 - - ${TROUBLE.slice(TROUBLE.indexOf('category='))}\n`);
    await bench.until(() => expect(bench.troubles()).toBe(1));
    const [event, ...more] = bench.events.flatMap((one) => (one.kind === 'ftm' ? [one] : []));
    expect(more).toEqual([]);
    expect(event?.at).toBeLessThan(now + 60_000);
    expect(Math.round((event?.ahead ?? 0) / 60_000)).toBe(told);
  });

  test('raise trouble in a named file though its host name is not configured', async () => {
    const bench = await startIntake({ ...follows(), appliances: [{ name: 'fac-1', logSources: ['10.0.0.5'] }] });
    await appendFile(log, `${TROUBLE.replace(' db[', ' other db[')}\n<14>Aug 14 22:32:52 other sshd[1]: hello\n`);
    await appendFile(log, '<14>Aug 14 22:32:52 sshd[1]: a relay removed the host\n');
    await bench.until(() => expect(bench.intake.counters().lines.file).toMatchObject({ ftm: 1, foreign: 1, other: 1 }));
    // Programs on the other host could have written this line.
    await bench.until(() =>
      expect(bench.events).toContainEqual(
        expect.objectContaining({ kind: 'ftm', appliance: 'fac-1', reliable: false }),
      ),
    );
  });

  test('that cannot be read keep the positions of the run before', async () => {
    await writeFile(log, `${TROUBLE}\n`);
    const first = await startIntake(follows());
    await first.intake.stop();
    const positions = first.intake.positions();
    await rename(log, `${log}.kept`);
    await symlink(log, log);
    const second = await startIntake(follows(), {}, positions);
    await second.intake.stop();
    expect(second.log.lines).toContainEqual(expect.objectContaining({ event: 'log-file-unreadable' }));
    expect(second.intake.positions()).toEqual(positions);
  });
});

const ROUNDS = 15;

/**
 * Writes rounds, some of them longer than one read, whose last line is completed later. The file is renamed three
 * times, before its end was read.
 */
async function writeRounds(path: string, areRead: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const [trouble = '', ordinary] = [TROUBLE, ORDINARY].map((line) => line.replace(/\d\d(?=:)/u, String(10 + round)));
    await appendFile(path, `${trouble}\n${ordinary}\n`.repeat(linesOf(round) - 1));
    await appendFile(path, trouble.slice(0, 100));
    await areRead(round - 1);
    await appendFile(path, `${trouble.slice(100)}\n`);
    if ([4, 7, 9].includes(round)) await rename(path, `${path}.${String(round)}`);
  }
}

function linesOf(round: number): number {
  return round % 5 === 0 ? 1_500 : 4;
}

/** Returns the number of errors written up to and including this round. */
function written(round: number): number {
  return Array.from({ length: round + 1 }, (_, one) => linesOf(one)).reduce((sum, count) => sum + count, 0);
}

describe('readPositions()', () => {
  const kept: Positions = { '/a.log': [{ device: 1, inode: 2, head: 'aa', headLength: 5, position: 7 }] };

  test('reads what is kept with the events, and deletes the file of 0.1.0', async () => {
    const former = folder.at('log-positions.json');
    await writeFile(former, '{"version":1,"files":{}}');
    expect(await readPositions({ version: 1, files: kept }, former, logRecorder())).toEqual(kept);
    await expect(readFile(former)).rejects.toThrow('ENOENT');
  });

  test('reads the file of 0.1.0 where there are none yet, and keeps it until then', async () => {
    const former = folder.at('log-positions.json');
    await writeFile(former, JSON.stringify({ version: 1, files: kept }));
    expect(await readPositions({ version: 1, appliances: {} }, former, logRecorder())).toEqual(kept);
    expect(await readPositions(null, former, logRecorder())).toEqual(kept);
    expect(await readPositions(null, folder.at('none.json'), logRecorder())).toBeNull();
  });

  test.each([
    ['positions', { files: { '/a.log': [{ position: -1 }] } }, ''],
    ['a file of 0.1.0', null, '{"version":7}'],
  ])('says that %s cannot be read', async (_, content, former) => {
    const recorder = logRecorder();
    const path = folder.at('log-positions.json');
    await writeFile(path, former);
    expect(await readPositions(content, path, recorder)).toBeNull();
    expect(recorder.lines).toEqual([
      expect.objectContaining({
        level: 'error',
        message: expect.stringContaining('Cannot read the saved positions in log files'),
      }),
    ]);
  });
});
