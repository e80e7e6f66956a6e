import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogEvent } from '../../../src/core/polling/log-event.ts';
import { emptyPolling, recordEvents } from '../../../src/core/polling/state.ts';
import type { ReportData } from '../../../src/report/report-data.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { readCheck } from '../../support/process/check-result.ts';
import { runHere } from '../../support/process/command-line.ts';
import { unzip, type Unzipped } from '../../support/process/unzipped.ts';

const WINDOW_MS = 900_000;

const lab = await createLab({ logs: { syslog: { udp: '127.0.0.1:0' }, window: '15m' } });

beforeAll(async () => {
  await mkdir(join(lab.folder, 'data'), { recursive: true });
});

afterAll(() => lab[Symbol.asyncDispose]());

/** Saves the state of a daemon that has been listening for an hour. */
async function remember(...events: readonly LogEvent[]): Promise<void> {
  const state = recordEvents(emptyPolling(WINDOW_MS), events);
  const listening = { since: Date.now() - 3_600_000, until: Date.now() };
  await writeFile(join(lab.folder, 'data', 'polling.json'), JSON.stringify({ ...state, listening }));
}

function complaint(): LogEvent {
  const line = 'FTM polling error: connection timeout: server connection failed: SSL session failed';
  return {
    kind: 'ftm',
    appliance: 'fac-1',
    signature: 'ftm-polling-ssl',
    at: Date.now() - 60_000,
    count: 3,
    line,
    reliable: true,
  };
}

async function report(): Promise<{ readonly data: ReportData; readonly archive: Unzipped }> {
  const run = await runHere(['report', '-c', lab.configFile, '-o', 'report.zip', '--force'], { cwd: lab.folder });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  const archive = await unzip(join(lab.folder, 'report.zip'));
  return { data: JSON.parse(archive.text('report.json')) as ReportData, archive };
}

function pollingIn({ check }: ReportData): ReportData['check']['preconditions'][number] | undefined {
  return check.preconditions.find(({ id }) => id === 'polling');
}

test('a report concludes from the log that a daemon has kept', async () => {
  await remember(complaint());
  const { data, archive } = await report();

  expect(data.check.causes.map(({ id }) => id)).toEqual(['polling-failing']);
  expect(data.check.ready).toBe('not-ready');
  expect(pollingIn(data)).toMatchObject({
    state: 'broken',
    findings: [expect.objectContaining({ rule: 'no-ftm-errors', subject: 'fac-1' })],
  });
  expect(archive.text('checklist.txt')).toContain('✘ Polling');
  expect(archive.text('report.html')).toContain('polling-failing');
});

test('a report concludes from what a firewall admitted', async () => {
  const at = Date.now() - 60_000;
  const device = { device: 'fgt-1', policy: '20', profile: 'deep', action: null, sourceAddress: '127.0.0.1' };
  const evidence = { ...device, destinationAddress: '127.0.0.1', hostName: LICENSE_HOST };
  await remember({
    kind: 'firewall-evidence',
    ofUnit: true,
    signature: 'fortigate-ssl-inspection',
    at,
    count: 1,
    evidence,
    line: 'x',
    reliable: false,
  });
  const { data } = await report();

  expect(data.check.causes.map(({ id }) => id)).toEqual(['tls-intercepted']);
  expect(JSON.stringify(data.check.preconditions)).toContain('firewall-log-shows-no-inspection');
});

test('a report says that the log is clean while somebody listens', async () => {
  await remember({ kind: 'heard', appliance: 'fac-1', at: Date.now() - 60_000, reliable: false });
  const { data } = await report();

  expect(data.check.ready).toBe('ready');
  expect(pollingIn(data)).toMatchObject({
    state: 'ok',
    summary: "FortiAuthenticator's log shows no FortiToken Mobile errors",
  });
});

test('a check says that it does not listen, and is no less ready for it', async () => {
  await remember(complaint());
  const run = await runHere(['check', '--json', '-c', lab.configFile], { cwd: lab.folder });

  const { exitCode, ready, preconditions } = readCheck(run);
  expect([exitCode, ready]).toEqual([0, 'ready']);
  expect(preconditions.find(({ id }) => id === 'polling')).toMatchObject({
    state: 'not-configured',
    summary: 'Not checked, because only the daemon receives the log',
  });
});
