import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';

import type { Config } from '../../../src/config/config.ts';
import type { FtmEvent, LogEvent } from '../../../src/core/polling/log-event.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';
import type { JsonFile } from '../../../src/system/json-file.ts';
import { createPollingLog, readPolling } from '../../../src/logs/polling-log.ts';
import { configOf } from '../../support/config/config-of.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { DAY, HOUR } from '../../support/time/units.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

type PollingLog = ReturnType<typeof createPollingLog>;

const START = Date.UTC(2026, 10, 24, 13);

let config: Config;
let signatures: SignatureSet;

beforeAll(async () => {
  config = await configOf(
    '{ appliances: [{ name: fac-1, serial: FACVM0000000001, logSources: [10.0.0.5] }], logs: { syslog: { udp: ' +
      '"127.0.0.1:5514" } } }',
  );
  signatures = await shippedCatalogue();
});

interface Memory extends JsonFile {
  readonly saves: readonly string[];
}

function memory(content: unknown = null): Memory {
  const saves: string[] = [];
  return {
    saves,
    load: () => Promise.resolve(saves.length === 0 ? content : JSON.parse(saves.at(-1) ?? '')),
    save: (value) => {
      saves.push(JSON.stringify(value));
      return Promise.resolve();
    },
  };
}

async function resumed(file: JsonFile, clock: HandClock): Promise<PollingLog> {
  const log = createPollingLog(config, { clock, signatures, file, positions: () => ({}) });
  log.resume(await file.load());
  log.keep();
  return log;
}

async function running(): Promise<{ readonly file: Memory; readonly clock: HandClock; readonly log: PollingLog }> {
  const [file, clock] = [memory(), handClock(START)];
  return { file, clock, log: await resumed(file, clock) };
}

function error(at: number, line = 'FTM polling error'): FtmEvent {
  return { kind: 'ftm', appliance: 'fac-1', signature: 'ftm-polling-ssl', at, count: 1, line, reliable: false };
}

function heard(at: number): LogEvent {
  return { kind: 'heard', appliance: 'fac-1', at, reliable: false };
}

test('how far the last line is ahead is kept over a restart, until a line that is not ahead', async () => {
  const file = memory();
  const first = await resumed(file, handClock(START));
  first.record({ ...error(START), ahead: 2 * HOUR });
  await first.stop();
  const second = await resumed(file, handClock(START + 1_000));
  const aheadBy = (): unknown => second.report().appliances[0]?.errors[0]?.ahead;
  expect(aheadBy()).toBe(2 * HOUR);
  second.record(error(START + 1_000));
  expect(aheadBy()).toBeUndefined();
});

test('what version 0.1.0 kept stays corroborated, and is not reliable', () => {
  const line = {
    lastAt: START,
    sample: 'x',
    buckets: [{ start: START - 60_000, firstAt: START - 60_000, count: 1 }],
  };
  const evidence = { device: null, profile: null, action: null, sourceAddress: null, destinationAddress: null };
  const sighting = {
    signature: 'x',
    firstAt: START - 60_000,
    lastAt: START,
    count: 2,
    evidence: { ...evidence, hostName: null, policy: '1' },
    sample: 'x',
  };
  const all = { version: 1, bucketMs: 15_000 };
  const appliance = { lastLineAt: START, signatures: { unsure: line } };
  const state = readPolling({ ...all, appliances: { 'fac-1': appliance }, firewall: [sighting] }, START);
  expect(state).toEqual({
    ...all,
    appliances: {
      'fac-1': {
        lastLineAt: START,
        reliableLineAt: null,
        errorsByMinute: [],
        signatures: {},
        unproven: { unsure: line },
      },
    },
    firewall: [],
    otherTraffic: [],
    unprovenFirewall: { moments: [START - 60_000, START], sightings: [sighting] },
  });
  expect(readPolling(JSON.parse(JSON.stringify(state)), START)).toEqual(state);
});

describe('the memory of a log', () => {
  test('is written soon after an error, and once for many', async () => {
    const { file, clock, log } = await running();
    clock.advance(0);
    for (let times = 0; times < 1_000; times += 1) log.record(error(clock.now()));
    clock.advance(2_900);
    await setImmediate();
    expect(file.saves).toHaveLength(1);
    clock.advance(100);
    await setImmediate();
    expect(file.saves).toHaveLength(2);
    clock.advance(60_000);
    await setImmediate();
    expect(file.saves).toHaveLength(2);
  });

  test('is written once a minute when the appliance merely speaks, and sooner when an error comes', async () => {
    const { file, clock, log } = await running();
    for (let second = 0; second < 120; second += 1) {
      log.record(heard(clock.now()));
      clock.advance(1_000);
      await setImmediate();
    }
    expect(file.saves).toHaveLength(2);
    log.record(heard(clock.now()));
    log.record(error(clock.now()));
    clock.advance(3_000);
    await setImmediate();
    expect(file.saves).toHaveLength(3);
  });

  test('is written together with the positions in followed files, and with what they hand on', async () => {
    const [file, clock] = [memory(), handClock(START)];
    let read = 0;
    const log = createPollingLog(config, {
      clock,
      signatures,
      file,
      positions: () => {
        read += 1;
        log.record(error(clock.now()));
        return { 'fac.log': [{ device: 1, inode: 2, head: '', headLength: 0, position: read }] };
      },
    });
    log.resume(null);
    log.keep();
    clock.advance(0);
    await setImmediate();
    await log.stop();
    expect(file.saves).toHaveLength(2);
    for (const [index, text] of file.saves.entries())
      expect(JSON.parse(text)).toMatchObject({
        files: { 'fac.log': [{ position: index + 1 }] },
        appliances: { 'fac-1': { unproven: { 'ftm-polling-ssl': { buckets: [{ count: index + 1 }] } } } },
      });
  });

  test('is not written when nothing was recorded and nobody listened', async () => {
    const [file, clock] = [memory(), handClock(START)];
    const log = createPollingLog(config, { clock, signatures, file, positions: () => ({}) });
    log.resume({ listening: { since: 1, until: 2 } });
    await log.stop();
    expect(file.saves).toEqual([]);
  });

  test('is written at the end, until when it was listened too, and leaves no timer', async () => {
    const { file, clock, log } = await running();
    await log.stop();
    expect(file.saves).toHaveLength(1);
    log.record(heard(clock.now()));
    await log.stop();
    expect(file.saves).toHaveLength(2);
    expect(clock.timers()).toBe(0);
  });

  test('is continued', async () => {
    const { file, clock, log } = await running();
    log.record(error(clock.now(), 'the line'));
    await log.stop();
    clock.advance(60_000);
    const again = await resumed(file, clock);
    again.record(error(clock.now(), 'another line'));
    expect(again.report().appliances).toMatchObject([
      {
        name: 'fac-1',
        errorsWithinHour: 2,
        errors: [
          { signature: 'ftm-polling-ssl', count: 2, firstAt: START, lastAt: START + 60_000, sample: 'another line' },
        ],
      },
    ]);
  });

  test('finds an appliance silent although the daemon is started again and again', async () => {
    const [file, clock] = [memory(), handClock(START)];
    const first = await resumed(file, clock);
    first.record(heard(clock.now()));
    await first.stop();
    for (let hour = 0; hour < 24; hour += 1) {
      const log = await resumed(file, clock);
      expect(log.report().appliances).toMatchObject([{ silent: false }]);
      clock.advance(HOUR);
      await log.stop();
      clock.advance(5_000);
    }
    const last = await resumed(file, clock);
    expect(last.report().appliances).toMatchObject([{ silent: true, silentFor: 24 * HOUR + 120_000 }]);
  });

  test('counts as no silence what nobody listened to', async () => {
    const { file, clock, log } = await running();
    log.record(heard(clock.now()));
    await log.stop();
    clock.advance(3 * DAY);
    const again = await resumed(file, clock);
    clock.advance(DAY - HOUR);
    expect(again.report().appliances).toMatchObject([{ silent: false }]);
    clock.advance(2 * HOUR);
    expect(again.report().appliances).toMatchObject([{ silent: true }]);
  });

  test('forgets what a wrong clock wrote down for the future', async () => {
    const [file, wrong] = [memory(), handClock(START + 400 * DAY)];
    const log = await resumed(file, wrong);
    log.record(error(wrong.now()));
    await log.stop();
    const again = await resumed(file, handClock(START));
    expect(again.report().appliances).toMatchObject([{ name: 'fac-1', errors: [], lastLineAt: START, silent: false }]);
  });

  test('a clock that is set back makes nobody silent who spoke', async () => {
    const [file, clock] = [memory(), handClock(START)];
    const first = await resumed(file, clock);
    clock.advance(3 * DAY);
    first.record(error(clock.now()));
    clock.step(-HOUR);
    await first.stop();
    const again = await resumed(file, clock);
    expect(again.report().appliances).toMatchObject([{ name: 'fac-1', lastLineAt: clock.now(), silent: false }]);
  });

  const empty = { version: 1, bucketMs: 15_000, appliances: {}, firewall: [] };
  test.each([
    ['nothing', null],
    ['a text', 'x'],
    ['a list', []],
    ['another version', { ...empty, version: 2 }],
    ['a bucket without width', { ...empty, bucketMs: 0 }],
    ['a count that is none', { ...empty, appliances: { 'fac-1': { lastLineAt: 'now', signatures: {} } } }],
    ['too much', { ...empty, firewall: Array.from({ length: 10_000 }, () => ({})) }],
  ])('that is %s counts as none', async (_, content) => {
    const log = await resumed(memory(content), handClock(START));
    expect(log.report().appliances).toMatchObject([{ name: 'fac-1', errors: [], lastLineAt: null }]);
  });
});

test.each(['started again meanwhile', 'killed'])(
  'an appliance that has never sent a line is silent after silentAfter, also when the daemon was %s',
  async (how) => {
    const [file, clock] = [memory(), handClock(START)];
    for (let day = 0; day < 2; day += 1) {
      const log = await resumed(file, clock);
      expect(log.report().appliances).toMatchObject([{ name: 'fac-1', silent: false, lastLineAt: null }]);
      clock.advance(12 * HOUR);
      await (how === 'killed' ? setImmediate() : log.stop());
    }
    const log = await resumed(file, clock);
    clock.advance(HOUR);
    expect(log.report().appliances).toMatchObject([{ silent: true, lastLineAt: null, silentFor: 25 * HOUR }]);
    log.record(heard(clock.now()));
    expect(log.report().appliances).toMatchObject([{ silent: false }]);
  },
);
