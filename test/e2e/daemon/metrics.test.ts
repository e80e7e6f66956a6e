import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { metricsOf } from '../../support/process/daemon-bench.ts';
import { sendLines, startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { labelNames, parseExposition, type Series } from '../../support/monitoring/exposition.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { describeWhere, findProgram } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

/** The contract: each metric and its label names. */
const CONTRACT: Readonly<Record<string, string>> = {
  ftm_activation_ready: '',
  ftm_precondition_state: 'precondition state',
  ftm_cause_active: 'cause severity',
  ftm_incident_open: 'cause severity subject',
  ftm_probe_success: 'probe target',
  ftm_probe_duration_seconds: 'probe target',
  ftm_probe_runs_total: 'probe target',
  ftm_probe_failures_total: 'probe reason target',
  ftm_tls_verdict: 'target verdict',
  ftm_tls_certificate_not_after_timestamp_seconds: 'target',
  ftm_dns_answer_ttl_seconds: 'resolver',
  ftm_dns_answers_expected: 'resolver',
  ftm_polling_errors_total: 'appliance signature',
  ftm_polling_last_error_timestamp_seconds: 'appliance',
  ftm_log_lines_total: 'result source',
  ftm_log_connections_total: 'result',
  ftm_log_connections_open: '',
  ftm_log_last_received_timestamp_seconds: 'appliance',
  ftm_tokens: 'appliance status',
  ftm_tokens_licensed: 'appliance',
  ftm_tokens_locked: 'appliance status',
  ftm_license_assigned: 'appliance license',
  ftm_notifications_total: 'channel result',
  ftm_notifications_pending: 'channel',
  ftm_notification_last_success_timestamp_seconds: 'channel',
  ftm_web_logins_total: 'result',
  ftm_web_changes_total: 'result',
  ftm_maintenance_active: '',
  ftm_config_last_reload_successful: '',
  ftm_config_last_reload_success_timestamp_seconds: '',
  ftm_schedule_missed_runs_total: '',
  ftm_schedule_lag_seconds: '',
  ftm_round_duration_seconds: '',
  ftm_event_loop_lag_seconds: '',
  ftm_metrics_push_failures_total: '',
  ftm_store_writable: '',
  ftm_store_newer: '',
  ftm_site_info: 'configured_site',
  ftm_build_info: 'node version',
};

/** Metrics without samples: without `web.tls` there is no certificate, and without `peers` no peer. */
const WITHOUT_SAMPLE = ['ftm_web_certificate_expiry_timestamp_seconds', 'ftm_peer_readable'];
const WITHIN = 20_000;
const HOSTILE = 'x'.repeat(40);

let lab: Lab;
let daemon: DaemonProcess;
/** The metrics right after the start, and once everything has been checked. */
let [first, full]: readonly [string, string] = ['', ''];

beforeAll(async () => {
  lab = await createLab({ services: [{ name: 'gone', host: '127.0.0.1', port: 1 }], clock: { ntp: ['127.0.0.1:1'] } });
  daemon = startDaemonProcess({ cwd: lab.folder, args: ['-c', lab.configFile] });
  const page = await daemon.page();
  first = await metricsOf(page);
  const line = POLLING_ERROR_LINE.replace('user=""', `user="${HOSTILE}"`);
  await sendLines(await daemon.syslogPort(), [line, `${HOSTILE}{}"\\`, line]);
  full = await until(
    () => metricsOf(page),
    (text) => {
      const series = parseExposition(text);
      return Object.keys(CONTRACT).every((metric) => labelNames(series, metric).length > 0);
    },
    WITHIN,
  ).catch(() => metricsOf(page));
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

describe('/metrics of a daemon that has looked at everything', () => {
  test.each(Object.entries(CONTRACT))('has %s with the labels "%s"', (metric, labels) => {
    expect(labelNames(parseExposition(full), metric)).toEqual([labels]);
  });

  test('has nothing that the contract does not name', () => {
    const names = [...full.matchAll(/^# TYPE (\S+)/gmu)].map(([, name = '']) => name);
    expect(names.filter((name) => name.startsWith('ftm_')).toSorted()).toEqual(
      [...Object.keys(CONTRACT), ...WITHOUT_SAMPLE].toSorted(),
    );
  });

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
