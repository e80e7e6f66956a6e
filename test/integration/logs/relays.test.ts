import { describe, expect, test } from 'vitest';
import { connectSender, ORDINARY, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';

const APPLIANCE = { name: 'fac-1', logSources: ['fac01'] };
const withHost = (line: string, host: string): string => line.replace(' db[', ` ${host} db[`);

async function relayed(
  lines: readonly string[],
  appliances = [APPLIANCE],
): Promise<Awaited<ReturnType<typeof startIntake>>> {
  const bench = await startIntake({ appliances, logs: { relays: ['127.0.0.1'] } });
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
  test('belong to the appliance that any of their headers names', async () => {
    const outer = 'Nov 25 10:00:00 relay01 ';
    const bench = await relayed([`${outer}${withHost(TROUBLE, 'fac01')}`, `${outer}${withHost(TROUBLE, 'stranger')}`]);
    expect(bench.intake.counters().lines.tcp).toMatchObject({ ftm: 1, foreign: 1 });
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
