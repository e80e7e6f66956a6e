import { DatabaseSync } from 'node:sqlite';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IncidentJson } from '../../../src/web/incident-json.ts';
import { configurationOf } from '../../lab/configuration.ts';
import { startDaemon } from '../../lab/daemon.ts';
import type { Daemon } from '../../lab/daemon.ts';
import type { DiagnosisJson } from '../../lab/event-source.ts';
import { createLab } from '../../lab/lab.ts';
import type { Lab } from '../../lab/lab.ts';
import { LICENSE, SERIALS } from '../../lab/site.ts';
import { valueIn } from '../../support/daemon-bench.ts';
import { until } from '../../support/until.ts';

const LIMIT_MS = 20_000;
const ASSIGNED = `ftm_license_assigned{appliance="fac-1",license="${LICENSE}"}`;
const ON_PEER = 'ftm_cause_active{cause="license-on-peer",severity="critical"}';
const SENT = 'ftm_notifications_total{channel="email",result="sent"}';

let lab: Lab;
let daemon: Daemon;

beforeAll(async () => {
  lab = await createLab();
  daemon = await startDaemon(lab.configFile, lab.folder);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

function diagnosis(isMeant: (diagnosis: DiagnosisJson) => boolean): Promise<DiagnosisJson> {
  return daemon.diagnosis(isMeant, AbortSignal.timeout(LIMIT_MS));
}

async function series(name: string): Promise<number> {
  return valueIn(await (await daemon.get('metrics')).text(), name);
}

/** Waits for the value of a series. */
function becomes(name: string, value: number): Promise<number> {
  return until(
    () => series(name),
    (seen) => Object.is(seen, value),
    LIMIT_MS,
  );
}

async function openIncidents(): Promise<readonly IncidentJson[]> {
  const { incidents } = (await (await daemon.get('api/v1/incidents')).json()) as { readonly incidents: readonly IncidentJson[] };
  return incidents.filter(({ status }) => status === 'open');
}

describe('the daemon that asks FortiAuthenticator, registration and firewall', () => {
  test('shows tokens and licence as metrics, and has read them with GET alone', async () => {
    await diagnosis(({ ready }) => ready === 'ready');
    await becomes(ASSIGNED, 1);
    const tokens = ['available', 'assigned', 'pending', 'new', 'other'].map((status) => `ftm_tokens{appliance="fac-1",status="${status}"}`);
    expect(await Promise.all(tokens.map(series))).toEqual([30, 2, 0, 0, 0]);
    expect(await series('ftm_tokens_licensed{appliance="fac-1"}')).toBe(32);
    expect(await series(ON_PEER)).toBe(0);
    const sent = [...lab.appliance.requests, ...lab.firewallApi.requests];
    expect(lab.appliance.requests.length).toBeGreaterThan(4);
    expect(lab.firewallApi.requests.length).toBeGreaterThan(1);
    expect(new Set(sent.map(({ method, body }) => `${method}${body}`))).toEqual(new Set(['GET']));
  });

  test('makes of a licence on the peer a diagnosis, an incident, a mail and metrics, each with the remedy, and ends them', async () => {
    lab.register(SERIALS.peer);
    const { causes } = await diagnosis((seen) => seen.causes.some(({ id }) => id === 'license-on-peer'));
    expect(causes.map(({ id }) => id)).toEqual(['license-on-peer']);
    expect(causes[0]?.remedy.join('\n')).toContain('2025-08-04');
    await becomes(ON_PEER, 1);
    expect(await series(ASSIGNED)).toBe(0);
    expect(await openIncidents()).toMatchObject([{ cause: 'license-on-peer', severity: 'critical', remedy: causes[0]?.remedy }]);
    const mail = await lab.inbox.mail(
      ({ event, cause }) => event === 'firing' && cause === 'license-on-peer',
      AbortSignal.timeout(LIMIT_MS),
    );
    expect(mail.raw).toContain('support.fortinet.com');
    await becomes(SENT, 1);
    await becomes('ftm_notifications_pending{channel="email"}', 0);
    expect(await series('ftm_notification_last_success_timestamp_seconds{channel="email"}')).toBeGreaterThan(1_600_000_000);

    lab.register(SERIALS.unit);
    await lab.inbox.mail(({ event, cause }) => event === 'resolved' && cause === 'license-on-peer', AbortSignal.timeout(LIMIT_MS));
    await becomes(ON_PEER, 0);
    await becomes(ASSIGNED, 1);
    await becomes(SENT, 2);
    expect(lab.inbox.mails.map(({ event }) => event)).toEqual(['firing', 'resolved']);
    expect(await openIncidents()).toEqual([]);
  });

  test('leaves out what an appliance does not tell any more', async () => {
    lab.appliance.setFault({ kind: 'reset' });
    await becomes('ftm_tokens_licensed{appliance="fac-1"}', Number.NaN);
    const { causes } = await diagnosis((seen) => seen.causes.length > 0);
    expect(causes.map(({ id }) => id)).toEqual(['appliance-unreachable']);
    lab.appliance.setFault({ kind: 'none' });
    await becomes('ftm_tokens_licensed{appliance="fac-1"}', 32);
  });
});

test('a history that somebody else has locked stops neither verdict nor mail', async () => {
  const path = join(lab.folder, 'locked', 'ftm-watch.sqlite');
  await mkdir(join(lab.folder, 'locked'));
  const other = new DatabaseSync(path);
  other.exec('CREATE TABLE t (x); BEGIN EXCLUSIVE');
  try {
    const configFile = join(lab.folder, 'locked.yaml');
    await lab.inspect(false);
    await writeFile(configFile, JSON.stringify({ ...configurationOf(lab), store: { path } }));
    await using blocked = await startDaemon(configFile, lab.folder);
    const before = lab.inbox.mails.length;
    await blocked.diagnosis(({ ready }) => ready === 'ready', AbortSignal.timeout(LIMIT_MS));
    await lab.inspect(true);
    await blocked.diagnosis(({ causes }) => causes.some(({ id }) => id === 'tls-intercepted'), AbortSignal.timeout(LIMIT_MS));
    const metrics = await (await blocked.get('metrics')).text();
    expect(valueIn(metrics, 'ftm_store_writable')).toBe(0);
    await lab.inbox.mail((mail) => lab.inbox.mails.indexOf(mail) >= before && mail.event === 'firing', AbortSignal.timeout(LIMIT_MS));
  } finally {
    await lab.inspect(false);
    other.close();
  }
});
