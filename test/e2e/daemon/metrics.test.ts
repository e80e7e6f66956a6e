import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createWatchedLab } from '../../support/network/lab-check.ts';
import { sendLines } from '../../support/process/daemon-process.ts';
import { labelNames, parseExposition, type Series } from '../../support/monitoring/exposition.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { describeWhere, findProgram } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

const HOSTILE = 'x'.repeat(40);

/** What these tell is read last: the log, the units and the certificates. */
const LAST = ['ftm_log_last_received_timestamp_seconds', 'ftm_tokens', 'ftm_license_assigned', 'ftm_tls_verdict'];

const watched = await createWatchedLab({
  services: [{ name: 'gone', host: '127.0.0.1', port: 1 }],
  clock: { ntp: ['127.0.0.1:1'] },
});
const { daemon } = watched;
afterAll(() => watched[Symbol.asyncDispose]());

/** The metrics right after the start, and once everything has been checked. */
let [first, full] = ['', ''];

beforeAll(async () => {
  first = await daemon.read('metrics');
  const line = POLLING_ERROR_LINE.replace('user=""', `user="${HOSTILE}"`);
  await sendLines(await daemon.syslogPort(), [line, `${HOSTILE}{}"\\`, line]);
  full = await until(
    () => daemon.read('metrics'),
    (text) => LAST.every((metric) => labelNames(parseExposition(text), metric).length > 0),
    30_000,
  );
});

describe('/metrics of a daemon that has looked at everything', () => {
  test('has one state for each precondition and one verdict for each target', () => {
    for (const [metric, key] of [
      ['ftm_precondition_state', 'precondition'],
      ['ftm_tls_verdict', 'target'],
    ] as const) {
      const sets = Map.groupBy(
        parseExposition(full).filter(({ name }) => name === metric),
        ({ labels }) => labels[key],
      );
      expect(sets.size).toBeGreaterThan(0);
      for (const states of sets.values())
        expect(states.reduce((sum, { value }) => sum + value, 0)).toBeLessThanOrEqual(1);
    }
    expect(full).toMatch(/^ftm_precondition_state\{precondition="internet",state="ok"\} 1$/mu);
  });

  test('counts failures by their reason', () => {
    expect(
      valueOf('ftm_probe_failures_total', { probe: 'tcp', target: '127.0.0.1:1', reason: 'refused' }),
    ).toBeGreaterThan(0);
    expect(valueOf('ftm_probe_success', { probe: 'tcp', target: '127.0.0.1:1' })).toBe(0);
  });

  test('has the unit as the only label of the last log line', () => {
    expect(labelNames(parseExposition(full), 'ftm_log_last_received_timestamp_seconds')).toEqual(['appliance']);
  });

  test('takes no text of the log over', () => {
    expect(full).not.toContain(HOSTILE);
    expect(full).not.toContain('SSL session');
  });

  test('has timestamps in seconds', () => {
    const timestamps = parseExposition(full).filter(({ name }) => name.endsWith('_timestamp_seconds'));
    expect(timestamps.length).toBeGreaterThan(0);
    for (const { name, value } of timestamps) {
      expect({ name, plausible: value === 0 || (value > 1.5e9 && value < 1e10) }).toEqual({ name, plausible: true });
    }
  });
});

describe('/metrics right after the start', () => {
  test.each([
    'ftm_probe_runs_total',
    'ftm_probe_duration_seconds_count',
    'ftm_cause_active',
    'ftm_polling_errors_total',
    'ftm_log_lines_total',
    'ftm_notifications_total',
    'ftm_schedule_missed_runs_total',
  ])('has every series of %s already', (metric) => {
    const keys = (text: string): readonly string[] =>
      parseExposition(text)
        .filter(({ name }) => name === metric)
        .map(({ labels }) => JSON.stringify(labels))
        .toSorted();
    expect(keys(first).length).toBeGreaterThan(0);
    expect(keys(first)).toEqual(expect.arrayContaining([...keys(full)]));
  });
});

describeWhere([{ program: 'promtool' }], 'promtool', () => {
  test.each([
    ['right after the start', () => first],
    ['after everything has been looked at', () => full],
  ])('accepts /metrics %s without a word', (_, text) => {
    const { status, stdout, stderr } = spawnSync(findProgram('promtool') ?? '', ['check', 'metrics'], {
      input: text(),
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

function valueOf(metric: string, wanted: Series['labels']): number | undefined {
  return parseExposition(full).find(
    ({ name, labels }) => name === metric && Object.entries(wanted).every(([key, value]) => labels[key] === value),
  )?.value;
}
