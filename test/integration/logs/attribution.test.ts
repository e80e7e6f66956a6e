import { describe, expect, test } from 'vitest';
import type { LogEvent } from '../../../src/core/polling/log-event.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { onlyLines, closing, ORDINARY, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';

const withHost = (line: string, host: string): string => line.replace(' db[', ` ${host} db[`);

describe('which appliance a line belongs to', () => {
  test('comes from the address of the sender', async () => {
    const bench = await startIntake({
      appliances: [
        { name: 'fac-1', logSources: ['127.0.0.1'] },
        { name: 'fac-2', logSources: ['fac02'] },
      ],
    });
    (await bench.dial()).write(`${TROUBLE}\n${withHost(TROUBLE, 'fac02')}\n`);
    await bench.until(() => expect(bench.troubles()).toBe(2));
    expect(bench.events.filter(({ kind }) => kind === 'ftm')).toEqual([
      expect.objectContaining({ appliance: 'fac-1', count: 2 }),
    ]);
    expect([...bench.intake.counters().lastReceivedAt.keys()]).toEqual(['fac-1']);
  });

  test('comes from the host in a line of a relay; foreign lines are counted, reported once, and raise nothing', async () => {
    const bench = await startIntake({
      appliances: [
        { name: 'fac-1', logSources: ['10.0.0.5', 'fac01'] },
        { name: 'fac-2', logSources: ['fac02.example.org'] },
      ],
      logs: { relays: ['127.0.0.1'] },
    });
    const lines = [
      withHost(TROUBLE, 'fac01'),
      withHost(TROUBLE, 'fac02.example.org'),
      withHost(ORDINARY, '10.0.0.5'),
      withHost(TROUBLE, 'stranger'),
      TROUBLE,
      withHost(ORDINARY, 'x'),
    ];
    (await bench.dial()).write(lines.map((line) => `${line}\n`).join(''));
    await bench.until(() =>
      expect(bench.intake.counters().lines.tcp).toEqual(onlyLines({ ftm: 2, other: 1, foreign: 3 })),
    );
    await bench.until(() => expect(bench.troubles()).toBe(2));
    expect(bench.events.filter(({ kind }) => kind === 'ftm')).toEqual([
      expect.objectContaining({ appliance: 'fac-1' }),
      expect.objectContaining({ appliance: 'fac-2' }),
    ]);
    expect(bench.log.lines.filter(({ message }) => message.includes('do not belong to any appliance'))).toEqual([
      expect.objectContaining({ fields: { sender: '127.0.0.1', hostInLine: 'stranger' } }),
    ]);
  });

  test('is not what a stranger writes: the address of an appliance in such a line does not count', async () => {
    const bench = await startIntake({ appliances: [{ name: 'fac-1', logSources: ['10.0.0.5', 'fac01'] }] });
    const lines = [withHost(TROUBLE, '10.0.0.5'), withHost(ORDINARY, '10.0.0.5'), withHost(TROUBLE, '::ffff:10.0.0.5')];
    (await bench.dial()).write(lines.map((line) => `${line}\n`).join(''));
    bench.send(...lines);
    await bench.until(() =>
      expect(bench.intake.counters().lines).toMatchObject({ tcp: { foreign: 3 }, udp: { foreign: 3 } }),
    );
    await bench.intake.stop();
    expect(bench.events).toEqual([]);
    expect(bench.intake.counters().lastReceivedAt.size).toBe(0);
  });

  test('is what the line of a relay names, and of nobody else once relays are named', async () => {
    const bench = await startIntake({
      appliances: [{ name: 'fac-1', logSources: ['10.0.0.5', 'fac01'] }],
      logs: { relays: ['127.0.0.2/31'] },
    });
    const lines = [withHost(TROUBLE, '10.0.0.5'), withHost(TROUBLE, 'fac01.example.org')]
      .map((line) => `${line}\n`)
      .join('');
    (await bench.dial('127.0.0.1')).write(lines);
    await bench.until(() => expect(bench.intake.counters().lines.tcp).toMatchObject({ ftm: 0, foreign: 2 }));
    (await bench.dial('127.0.0.2')).write(lines);
    await bench.until(() => expect(bench.troubles()).toBe(2));
    expect(bench.events).toContainEqual(expect.objectContaining({ kind: 'ftm', appliance: 'fac-1' }));
  });

  test('closes the connection of a foreign sender where they are refused', async () => {
    const bench = await startIntake({
      appliances: [{ name: 'fac-1', logSources: ['fac01'] }],
      logs: { foreign: 'refuse' },
    });
    const socket = await bench.dial();
    const closed = closing(socket);
    socket.write(`${withHost(TROUBLE, 'fac01')}\n${withHost(TROUBLE, 'stranger')}\n`);
    await closed;
    await bench.until(() => expect(bench.troubles()).toBe(1));
    expect(bench.intake.counters()).toMatchObject({
      lines: { tcp: { ftm: 1, foreign: 1 } },
      connections: { refused: 1, open: 0 },
    });
  });

  test('closes at once where no line could make the sender welcome', async () => {
    const bench = await startIntake({
      appliances: [
        { name: 'a', logSources: [] },
        { name: 'b', logSources: [] },
      ],
      logs: { foreign: 'refuse' },
    });
    const socket = await bench.dial();
    await closing(socket);
    expect(bench.intake.counters().connections).toMatchObject({ refused: 1, accepted: 0 });
  });
});

describe('a line of a firewall', () => {
  const [inspected = '', elsewhere = '', blocked = '', exempted = ''] = fixtureLines('fortigate-samples.txt');

  async function eventsOf(
    config: NonNullable<Parameters<typeof startIntake>[0]>,
    lines: object,
  ): Promise<readonly LogEvent[]> {
    const bench = await startIntake({ appliances: [{ name: 'fac-1', logSources: ['10.0.0.5', 'fac01'] }], ...config });
    bench.send(inspected, elsewhere, blocked, exempted);
    await bench.until(() => expect(bench.intake.counters().lines.udp).toMatchObject(lines));
    await bench.intake.stop();
    return bench.events;
  }

  test.each([
    {
      name: 'a relay; the second line is about the traffic of a user',
      config: { logs: { relays: ['127.0.0.1'] } },
      lines: { ftm: 0, other: 0, foreign: 4 },
      ofUnit: [true, false],
    },
    {
      name: 'a firewall that is named, with both addresses of the unit',
      config: { firewall: [{ url: 'https://127.0.0.1', source: '10.1.100.66', appliances: ['fac-1'] }] },
      lines: { ftm: 2, other: 2, foreign: 0 },
      ofUnit: [true, true],
    },
    {
      name: 'a relay; the address of the unit is that of its API',
      config: {
        logs: { relays: ['127.0.0.1'] },
        appliances: [{ name: 'fac-1', logSources: ['fac01'], api: { url: 'https://10.1.100.66' } }],
      },
      lines: { ftm: 0, other: 0, foreign: 4 },
      ofUnit: [false, true],
    },
    {
      name: 'a relay; the address of one unit is unknown',
      config: {
        logs: { relays: ['127.0.0.1'] },
        appliances: [
          { name: 'fac-1', logSources: ['10.0.0.5'] },
          { name: 'fac-2', logSources: ['fac02'] },
        ],
      },
      lines: { ftm: 0, other: 0, foreign: 4 },
      ofUnit: [true, true],
    },
  ])('is evidence when it is about the licence server, from $name', async ({ config, lines, ofUnit }) => {
    const found = (await eventsOf(config, lines)).flatMap((event) =>
      event.kind === 'firewall-evidence' ? [event] : [],
    );
    expect(found.map(({ evidence: { policy, profile, action } }) => [policy, profile, action])).toEqual([
      ['20', 'custom-deep-inspection', 'resign-as-untrusted'],
      ['1', null, 'blocked'],
    ]);
    expect(found.map((event) => event.ofUnit)).toEqual(ofUnit);
  });

  test.each([
    { name: 'a stranger', config: {} },
    { name: 'a stranger beside a relay', config: { logs: { relays: ['10.0.0.9'] } } },
  ])('is nothing from $name: it would raise an alarm', async ({ config }) => {
    expect(await eventsOf(config, { ftm: 0, foreign: 4 })).toEqual([]);
  });

  test('is nothing from a foreign sender that is refused', async () => {
    const bench = await startIntake({
      appliances: [{ name: 'fac-1', logSources: ['10.0.0.5'] }],
      logs: { foreign: 'refuse' },
    });
    bench.send(inspected);
    await bench.until(() => expect(bench.intake.counters().lines.udp.foreign).toBe(1));
    await bench.intake.stop();
    expect(bench.events).toEqual([]);
  });
});
