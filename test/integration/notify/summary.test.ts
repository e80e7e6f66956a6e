import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Alerting } from '../../../src/notify/alerting.ts';
import { readCrontab } from '../../../src/text/crontab.ts';
import { alertingBench, type AlertingBench, type AlertingOptions } from '../../support/notify/alerting-bench.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { noSummaryFacts } from '../../support/notify/plain-alerting.ts';
import { HOUR, MINUTE, POLICY, SECOND, START } from '../../support/store/incident-timeline.ts';

/** START is a Tuesday. Monday 07:00 in Berlin is six days later, at 06:00 UTC. */
const MONDAY = Date.parse('2026-11-30T06:00:00Z');
const WEEK = 7 * 24 * HOUR;
/** How late a summary can be. */
const BEAT = 15 * SECOND;
const MONDAYS = readCrontab('0 7 * * 1', 'Europe/Berlin');

let bench: AlertingBench;
let spans: (readonly [number, number])[];
beforeEach(() => {
  bench = alertingBench();
  spans = [];
});
afterEach(() => bench[Symbol.dispose]());

/** Starts a daemon that runs until it is stopped. */
function daemon(more: AlertingOptions = {}): Alerting {
  const summaryFacts: AlertingOptions['summaryFacts'] = (from, until) => {
    spans.push([from, until]);
    return noSummaryFacts();
  };
  return bench.start(['alice@example.org'], { timezone: 'Europe/Berlin', summary: MONDAYS, summaryFacts, ...more });
}

async function until(site: Alerting, at: number): Promise<void> {
  bench.clock.step(at - bench.clock.now());
  await bench.pass(site, BEAT, BEAT);
}

const told = (): readonly string[] => bench.notifications.map((one) => (one.kind === 'note' ? one.event : one.kind));

test('a summary is told when it is due, once, and tells of the time since the last', async () => {
  const site = daemon();
  await until(site, MONDAY - 20 * SECOND);
  expect(told()).toEqual([]);
  await until(site, MONDAY);
  await until(site, MONDAY + HOUR);
  expect(told()).toEqual(['summary']);
  await until(site, MONDAY + WEEK);
  expect(spans).toEqual([
    [START, MONDAY + BEAT],
    [MONDAY + BEAT, MONDAY + WEEK + BEAT],
  ]);
});

test('one that was due while nothing ran is told at the start, and never twice', async () => {
  const first = daemon();
  await until(first, START + HOUR);
  await bench.stop(first);
  expect(told()).toEqual([]);
  bench.clock.step(MONDAY + HOUR - bench.clock.now());
  await bench.stop(daemon());
  expect(told()).toEqual(['summary']);
  await bench.stop(daemon());
  expect(told()).toEqual(['summary']);
});

test('it waits for the end of maintenance', async () => {
  let active = true;
  const site = daemon({ maintenance: { isActive: () => active } });
  await until(site, START + HOUR);
  active = false;
  await until(site, START + 2 * HOUR);
  active = true;
  await until(site, MONDAY + HOUR);
  expect(told()).toEqual([]);
  active = false;
  await until(site, MONDAY + 2 * HOUR);
  expect(told()).toEqual(['summary']);
});

test('it waits for the first checks after a long stop, but not for one that stays without a result', async () => {
  const policy = { ...POLICY, intervals: { mail: 30 * SECOND } };
  const first = daemon({ policy });
  await bench.rounds(first, 2, [causeOf('mail-unreachable', { subject: 'mx:25' })]);
  await bench.stop(first);
  bench.clock.step(MONDAY - bench.clock.now());
  const site = daemon({ policy });
  const unknown = async (): Promise<void> => {
    site.accept(diagnosisOf(bench.clock.now(), [], { mail: 'unknown' }), null);
    await bench.pass(site, 5 * MINUTE, BEAT);
  };
  await unknown();
  expect(told()).toEqual(['incident']);
  for (let index = 0; index < 3; index += 1) await unknown();
  expect(told().filter((event) => event === 'summary')).toHaveLength(1);
  const [note] = bench.notifications.filter((one) => one.kind === 'note');
  expect(note?.sections[0]?.lines).toEqual([expect.stringMatching(/mx:25.*not checked again/u)]);
});

test('a clock that was set back by years brings the next one when it is due', async () => {
  bench.clock.step(MONDAY + 100 * WEEK + HOUR - START);
  const site = daemon();
  await until(site, START);
  await until(site, MONDAY);
  expect(told()).toEqual(['summary']);
  expect(spans).toEqual([[START + BEAT, MONDAY + BEAT]]);
});

test('nobody is told who asks for none', async () => {
  await until(daemon({ summary: null }), MONDAY + HOUR);
  expect(told()).toEqual([]);
});
