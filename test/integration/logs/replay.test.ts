import { utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { ORDINARY } from '../../support/logs/intake-bench.ts';
import { type Ran, runCommand } from '../../support/process/command-line.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();
async function* nothing(): AsyncGenerator<Buffer> {}

interface ReplaySummary {
  readonly lines: Readonly<Record<string, number>>;
  readonly found: readonly {
    readonly signature: string;
    readonly appliance: string;
    readonly severity: string;
    readonly count: number;
    readonly firstAt: string;
  }[];
}

async function run(
  file: string,
  json: boolean,
  input: AsyncIterable<Buffer> = nothing(),
  appliances: readonly object[] = [],
): Promise<Ran> {
  await writeFile(folder.at('ftm-watch.yaml'), JSON.stringify({ appliances }));
  const args = ['replay', file, '-c', 'ftm-watch.yaml', ...(json ? ['--json'] : [])];
  return runCommand(args, { cwd: folder.path, input, clock: handClock(Date.UTC(2026, 10, 24, 12)) });
}

const trouble = (second: number): string =>
  `date=2025-06-04 time=20:13:${String(second).padStart(2, '0')}+0000 oid=1 logid=0 cat="Event" msg="FTM polling ` +
  'error: SSL session failed" user=""';

describe('replay', () => {
  test('counts a raw export by signature, with the times of the lines', async () => {
    const file = folder.at('raw.log');
    await writeFile(
      file,
      [trouble(59), ORDINARY, trouble(3), trouble(30), ...fixtureLines('fac-syslog-samples.txt').slice(-6, -5)].join(
        '\n',
      ),
    );
    const { code, output: text } = await run(file, true);
    const summary = JSON.parse(text) as ReplaySummary;
    expect(code).toBe(0);
    expect(summary.lines).toEqual({ ftm: 4, unrecognised: 0, other: 1, foreign: 0, unparsed: 0, dropped: 0 });
    expect(summary.found[0]).toMatchObject({
      signature: 'ftm-polling-ssl',
      appliance: 'unnamed',
      severity: 'critical',
      count: 3,
      firstAt: '2025-06-04T20:13:03.000Z',
      lastAt: '2025-06-04T20:13:59.000Z',
      sample: trouble(59),
    });
    expect(summary.found.map(({ signature }) => signature)).toEqual(['ftm-polling-ssl', 'ssl-session-failed']);
  });

  test('takes times without a year from before the file was written', async () => {
    const file = folder.at('old.log');
    await writeFile(file, `${ORDINARY}\n<12>Aug 14 22:40:01 db[1]: category="Event" status="" SSL session failed\n`);
    const written = new Date(2023, 7, 20).getTime() / 1000;
    await utimes(file, written, written);
    const { output: text } = await run(file, true);
    expect((JSON.parse(text) as ReplaySummary).found[0]?.firstAt).toBe(new Date(2023, 7, 14, 22, 40, 1).toISOString());
  });

  test('reads compressed logs, and summarises 100 000 lines', async () => {
    const file = folder.at('raw.log.gz');
    await writeFile(file, gzipSync(`${`${ORDINARY}\n`.repeat(9)}${trouble(1)}\n`.repeat(10_000)));
    const { code, output: text } = await run(file, false);
    expect(code).toBe(0);
    expect(text).toContain(
      '100000 lines: 10000 with known errors, 0 with a FortiToken Mobile keyword but no known text, 90000 unrelated',
    );
    expect(text).toContain('ftm-polling-ssl (critical, points to tls-interception-suspected): 10000 on unnamed');
    expect(text).toMatch(/What to do:\n {4}1\. /u);
  });

  test('has the gravest first, then the most frequent, and adds up all lines', async () => {
    const file = folder.at('mixed.log');
    const push =
      'date=2025-06-04 time=20:14:00+0000 oid=1 logid=0 cat="Event" msg="FTM polling error: Timeout" user=""';
    await writeFile(file, [trouble(1), push, push, ORDINARY, trouble(2), trouble(3)].join('\n'));
    const { output: text } = await run(file, true);
    const { found } = JSON.parse(text) as ReplaySummary;
    const order = found.map(({ severity, count }) => [severity, count] as const);
    const grave = (severity: string): number => ['critical', 'warning', 'info'].indexOf(severity);
    expect(order).toEqual(order.toSorted(([a, m], [b, n]) => grave(a) - grave(b) || n - m));
    expect(found.map(({ count }) => count)).toEqual([3, 2]);
    const printed = await run(file, false);
    expect(printed.output.split('\n').slice(1, 3)).toEqual([
      [
        '6 lines: 5 with known errors',
        '0 with a FortiToken Mobile keyword but no known text',
        '1 unrelated',
        '0 not from a configured appliance',
        '0 unreadable',
      ].join(', '),
      '',
    ]);
    expect(printed.output).toContain('\n  first 2025-06-04T20:13:01.000Z, last 2025-06-04T20:13:03.000Z\n');
    expect(printed.output).toContain(`\n  Last line: ${trouble(3)}\n\n`);
  });

  test('attributes lines of two units, whatever collectors made of their envelopes', async () => {
    const file = folder.at('collected.log');
    const error = 'FTM polling error: SSL session failed';
    const fields = `category="Event" user="" nas="" action="" status="" ${error}`;
    await writeFile(
      file,
      [
        `<6>Aug 10 22:18:24 2009  fac01 db[1]:  ${fields}`,
        `<6>Aug 10 22:18:24 fac01 db[1] ${fields}`,
        `2026 Jun 16 00:00:00 fac01->10.0.0.1 Aug 14 22:32:52 db[16987]:  ${fields}`,
        `2026 Jun 16 00:00:00 collector->10.0.0.1 Aug 14 22:32:52 db[16987]:  ${fields}`,
        `<6>Aug 10 22:18:24 fac01 db[1]: category="Event" user="" status=update msg="${error}"`,
        `<6>Aug 10 22:18:24 fac01 db[1]: status=update msg="${error}"`,
        `<6>Aug 10 22:18:24 fac01 db[1]: category="Event" user="${error}" status="Failed" Login failed`,
      ].join('\n'),
    );
    const units = [
      { name: 'fac-1', logSources: ['fac01', '10.0.0.1'] },
      { name: 'fac-2', logSources: ['fac02'] },
    ];
    const { output: text } = await run(file, true, nothing(), units);
    const { found, lines } = JSON.parse(text) as ReplaySummary;
    expect(found.map(({ signature, appliance, count }) => ({ signature, appliance, count }))).toEqual([
      { signature: 'ftm-polling-ssl', appliance: 'fac-1', count: 6 },
    ]);
    expect(lines).toMatchObject({ ftm: 6, unrecognised: 1, foreign: 0 });
    expect(found[0]?.firstAt).toBe(new Date(2009, 7, 10, 22, 18, 24).toISOString());
  });

  test('accepts lines without a host for the only unit, also with the year behind the time', async () => {
    const file = folder.at('nameless.log');
    await writeFile(
      file,
      '<6>Aug 10 22:18:24 2009 db[1]:  category="Event" user="" status="" Administrator logged out\n',
    );
    const units = [{ name: 'fac-1', logSources: ['fac01'] }];
    const { output: text } = await run(file, true, nothing(), units);
    expect((JSON.parse(text) as ReplaySummary).lines).toMatchObject({ other: 1, foreign: 0 });
  });

  test.each([
    { message: 'FortiToken Mobile license EFTM0000000001 activation failed', result: 'unrecognised' },
    { message: 'FortiToken Mobile activation error 17', result: 'unrecognised' },
    { message: 'FortiToken Mobile license EFTM0000000001 activated', result: 'other' },
    { message: 'Local user authentication with FortiToken Mobile failed: invalid token', result: 'other' },
  ])('counts "$message" as $result', async ({ message, result }) => {
    const file = folder.at('keyword.log');
    await writeFile(file, `<6>Aug 10 22:18:24 fac01 db[1]:  category="Event" user="" status="" ${message}\n`);
    const { output: text } = await run(file, true);
    expect((JSON.parse(text) as ReplaySummary).lines).toMatchObject({ [result]: 1 });
  });

  test('reads standard input, and says when there is no trouble', async () => {
    async function* input(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from(`${ORDINARY}\n`));
    }
    const { code, output: text } = await run('-', false, input());
    expect(code).toBe(0);
    expect(text).toContain('No known FortiToken Mobile errors.');
  });

  test.each([
    { name: 'is missing', prepare: () => Promise.resolve() },
    { name: 'is not compressed though its name says so', prepare: (file: string) => writeFile(file, 'no gzip') },
  ])('says so when the file $name', async ({ prepare }) => {
    const file = folder.at('x.gz');
    await prepare(file);
    const { code, output: text, errors } = await run(file, false);
    expect({ code, text }).toEqual({ code: 3, text: '' });
    expect(errors).toMatch(/^Cannot read the log ".*x\.gz": .+\n$/u);
  });
});
