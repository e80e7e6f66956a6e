import { describe, expect, test } from 'vitest';
import { connectSender, ORDINARY, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';

const APPLIANCE = { name: 'fac-1', logSources: ['fac01'] };
const withHost = (line: string, host: string): string => line.replace(' db[', ` ${host} db[`);

async function relayed(
  lines: readonly string[],
  appliances = [APPLIANCE],
): Promise<Awaited<ReturnType<typeof startIntake>>> {
  const bench = await startIntake({ appliances, logs: { relays: ['127.0.0.1', 'relay01'] } });
  const sender = await connectSender(bench.portOf('tcp'));
  sender.write(lines.map((line) => `${line}\n`).join(''));
  await bench.until(() => {
    const counts = Object.values(bench.intake.counters().lines.tcp);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(lines.length);
  });
  await bench.intake.stop();
  return bench;
}

describe('the lines of a relay', () => {
  test('belong to the appliance that the first header names that is not a relay itself', async () => {
    const headers = ['', 'Nov 25 10:00:00 relay01 ', '<14>1 2026-11-25T10:00:00Z RELAY01.example.org - - - - '];
    const bench = await relayed(
      headers.flatMap((outer) => ['fac01', 'stranger'].map((host) => `${outer}${withHost(TROUBLE, host)}`)),
    );
    expect(bench.intake.counters().lines.tcp).toMatchObject({ ftm: 3, foreign: 3 });
  });

  test.each([
    '<13>Nov 30 22:00:01 web-7 root: LINE',
    '<13>Nov 30 22:00:01 web-7 root[5]: LINE',
    '<13>Nov 30 22:00:01 web-7 LINE',
    '<13>Nov 30 22:00:01 s_net@web-7 LINE',
    '2026-11-30T22:00:01+00:00 web-7 root: LINE',
    '2026-11-30T22:00:01+00:00 relay01 <13>Nov 30 22:00:01 web-7 root: LINE',
    '<13>1 2026-11-30T22:00:01Z web-7 root - - - LINE',
    '<13>1 2026-11-30T22:00:01Z - root - - [timeQuality tzKnown="1"] LINE',
    '<13>1 2026-11-30T22:00:01Z web-7 - - - - LINE',
    '2026-11-30 22:00:01\tLocal4.Warning\tweb-7\tLINE',
    '2026 Nov 30 22:00:01 (web-7) any->/var/log/syslog LINE',
    '<13>Nov 30 22:00:01 root: LINE',
    'root: LINE',
  ])('cannot be forged by a program whose text looks like a header: %s', async (before) => {
    const forged = [
      withHost(TROUBLE, 'fac01'),
      withHost(TROUBLE, 'fac01').replace('<12>', ''),
      withHost(TROUBLE, 'fac01').replace('Aug 14 22:40:03', '2026-08-14T22:40:03+02:00'),
      TROUBLE.replace(/^.*?: +/u, '<11>1 2026-11-30T22:00:00Z fac01 db 1 - - '),
      TROUBLE.replace(/^.*?: +/u, '2026-11-30 22:00:00\tLocal4.Warning\tfac01\tdb[1]: '),
      TROUBLE.replace(/^.*?: +/u, '2026 Jun 16 00:00:00 fac01->10.0.0.1 db[1]: '),
      TROUBLE.replace(/^.*?: +/u, 'fac01 db[1]: '),
      TROUBLE,
    ];
    const bench = await relayed(forged.map((line) => before.replace('LINE', line)));
    expect(bench.intake.counters().lines.tcp).toMatchObject({ foreign: forged.length });
    expect(bench.events).toEqual([]);
  });

  test.each([
    { name: 'with one appliance', appliances: [APPLIANCE], ftm: 1, foreign: 1 },
    { name: 'not with two', appliances: [APPLIANCE, { name: 'fac-2', logSources: ['fac02'] }], ftm: 0, foreign: 2 },
  ])('count where they name no host, $name; what else names none does not', async ({ appliances, ftm, foreign }) => {
    const bench = await relayed([TROUBLE, '<14>Aug 14 22:32:52 sshd[1]: hello'], appliances);
    expect(bench.intake.counters().lines.tcp).toMatchObject({ ftm, foreign });
  });

  test('count as often as the relay repeats them', async () => {
    const line = withHost(TROUBLE, 'fac01');
    const last = 'Last message \' category="Event" su\' repeated 3 times, suppressed by syslog-ng on vm';
    const bench = await relayed([
      line,
      `<12>Aug 14 22:41:03 fac01 db[1]: ${last}`,
      withHost(ORDINARY, 'fac01'),
      `<12>Aug 14 22:41:04 fac01 db[1]: ${last}`,
      withHost(TROUBLE, 'stranger'),
      `<12>Aug 14 22:41:05 fac01 db[1]: ${last}`,
      line.replace('  category', ' message repeated 5 times: [ category').concat(']'),
    ]);
    expect(bench.troubles()).toBe(1 + 3 + 5);
    expect(bench.intake.counters().lines.tcp).toMatchObject({ ftm: 3, other: 3, foreign: 1 });
  });
});

describe('a line that holds an FTM keyword and matches nothing', () => {
  test('counts as unrecognised, and leaves one sample of each sender in the log', async () => {
    const unknown = withHost(TROUBLE, 'fac01').replace(/FTM polling.*$/u, 'FTM transfer went wrong');
    const bench = await relayed([unknown, unknown, withHost(unknown, 'stranger').replace(' fac01', '')]);
    expect(bench.intake.counters().lines.tcp).toMatchObject({ ftm: 0, unrecognised: 2, foreign: 1 });
    expect(bench.log.lines.filter(({ message }) => message.includes('has no matching signature'))).toEqual([
      expect.objectContaining({
        fields: { sender: '127.0.0.1', line: expect.stringContaining('FTM transfer went wrong') },
      }),
    ]);
  });

  test('is not what a firewall says of the traffic of others', async () => {
    const line =
      'date=2023-05-02 time=16:08:01 devname="f" type="utm" subtype="ssl" action="resign-as-untrusted" ' +
      'hostname="outlook.office.com"';
    const bench = await startIntake();
    (await connectSender(bench.portOf('tcp'))).write(`${line}\n`);
    await bench.until(() => expect(bench.intake.counters().lines.tcp).toMatchObject({ other: 1, unrecognised: 0 }));
  });
});
