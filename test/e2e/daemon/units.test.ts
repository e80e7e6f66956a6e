import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { incidentsToJson } from '../../../src/web/incident-json.ts';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import { startDaemon, type Daemon } from '../../../src/demo/daemon.ts';
import { PROGRAM } from '../../support/process/program.ts';
import type { DiagnosisJson } from '../../../src/engine/diagnosis-json.ts';
import { createFortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE, LICENSE_HOST, SERIALS } from '../../../src/demo/lab/site.ts';
import { valueIn } from '../../support/process/daemon-bench.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

type IncidentJson = ReturnType<typeof incidentsToJson>[number];

const LIMIT_MS = 20_000;
const ASSIGNED = `ftm_license_assigned{appliance="fac-1",license="${LICENSE}"}`;
const ON_PEER = 'ftm_cause_active{cause="license-on-peer",severity="critical"}';
const SENT = 'ftm_notifications_total{channel="email",result="sent"}';

let lab: Lab;
let daemon: Daemon;

beforeAll(async () => {
  lab = await createLab();
  daemon = await startDaemon(lab.configFile, lab.folder, PROGRAM);
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

/** Waits until a series has this value. */
function becomes(name: string, value: number): Promise<number> {
  return until(
    () => series(name),
    (seen) => Object.is(seen, value),
    LIMIT_MS,
  );
}

async function openIncidents(of: Daemon = daemon): Promise<readonly IncidentJson[]> {
  const { incidents } = (await (await of.get('api/v1/incidents')).json()) as {
    readonly incidents: readonly IncidentJson[];
  };
  return incidents.filter(({ status }) => status === 'open');
}

describe('the daemon that asks FortiAuthenticator, registration and firewall', () => {
  test('shows tokens and licence as metrics, and has read them with GET alone', async () => {
    await diagnosis(({ ready }) => ready === 'ready');
    await becomes(ASSIGNED, 1);
    const tokens = ['available', 'assigned', 'pending', 'new', 'other'].map(
      (status) => `ftm_tokens{appliance="fac-1",status="${status}"}`,
    );
    expect(await Promise.all(tokens.map(series))).toEqual([30, 2, 0, 0, 0]);
    expect(await series('ftm_tokens_licensed{appliance="fac-1"}')).toBe(32);
    expect(await series(ON_PEER)).toBe(0);
    const sent = [...lab.appliance.requests, ...lab.firewallApi.requests];
    expect(lab.appliance.requests.length).toBeGreaterThan(4);
    expect(lab.firewallApi.requests.length).toBeGreaterThan(1);
    expect(new Set(sent.map(({ method, body }) => `${method}${body}`))).toEqual(new Set(['GET']));
  });

  test('reports a licence on the peer in diagnosis, incident, mail and metrics, and ends all of them', async () => {
    lab.register(SERIALS.peer);
    const { causes } = await diagnosis((seen) => seen.causes.some(({ id }) => id === 'license-on-peer'));
    expect(causes.map(({ id }) => id)).toEqual(['license-on-peer']);
    expect(causes[0]?.remedy.join('\n')).toContain('2025-08-04');
    await becomes(ON_PEER, 1);
    expect(await series(ASSIGNED)).toBe(0);
    expect(await openIncidents()).toMatchObject([
      { cause: 'license-on-peer', severity: 'critical', remedy: causes[0]?.remedy },
    ]);
    const mail = await lab.inbox.mail(
      ({ event, cause }) => event === 'firing' && cause === 'license-on-peer',
      AbortSignal.timeout(LIMIT_MS),
    );
    // Removes soft line breaks (RFC 2045, section 6.7).
    expect(mail.raw.replaceAll('=\r\n', '')).toContain('support.fortinet.com');
    await becomes(SENT, 1);
    await becomes('ftm_notifications_pending{channel="email"}', 0);
    expect(await series('ftm_notification_last_success_timestamp_seconds{channel="email"}')).toBeGreaterThan(
      1_600_000_000,
    );

    lab.register(SERIALS.unit);
    await lab.inbox.mail(
      ({ event, cause }) => event === 'resolved' && cause === 'license-on-peer',
      AbortSignal.timeout(LIMIT_MS),
    );
    await becomes(ON_PEER, 0);
    await becomes(ASSIGNED, 1);
    await becomes(SENT, 2);
    expect(lab.inbox.mails.map(({ event }) => event)).toEqual(['firing', 'resolved']);
    expect(await openIncidents()).toEqual([]);
  });

  test('reports a clock that is wrong in diagnosis, mail and page, until it is right', async () => {
    lab.appliance.state.clockOffset = -90_000;
    const { ready, causes } = await diagnosis((seen) => seen.causes.some(({ id }) => id === 'appliance-clock-skewed'));
    expect(ready).toBe('ready');
    expect(causes).toMatchObject([{ severity: 'warning', subject: 'clock of fac-1', precondition: 'appliance' }]);
    const mail = await lab.inbox.mail(
      ({ event, cause }) => event === 'firing' && cause === 'appliance-clock-skewed',
      AbortSignal.timeout(LIMIT_MS),
    );
    expect(mail.raw.replaceAll('=\r\n', '')).toMatch(/s behind, so time-based codes are rejected/u);
    expect(await (await daemon.get('')).text()).toContain('the clock of fac-1 is wrong');
    lab.appliance.state.clockOffset = 0;
    await lab.inbox.mail(
      ({ event, cause }) => event === 'resolved' && cause === 'appliance-clock-skewed',
      AbortSignal.timeout(LIMIT_MS),
    );
  });

  test('leaves out what an appliance does not tell any more', async () => {
    await becomes('ftm_tokens_licensed{appliance="fac-1"}', 32);
    lab.appliance.setFault({ kind: 'reset' });
    await becomes('ftm_tokens_licensed{appliance="fac-1"}', Number.NaN);
    const { causes } = await diagnosis((seen) => seen.causes.length > 0);
    expect(causes.map(({ id }) => id)).toEqual(['appliance-unreadable']);
    lab.appliance.setFault({ kind: 'none' });
    await becomes('ftm_tokens_licensed{appliance="fac-1"}', 32);
  });

  test.each([
    ['refuses the key', { kind: 'status', status: 401 }, 'appliance-access-denied', 'the API of fac-1 refuses access'],
    ['fails behind its interface', { kind: 'status', status: 500 }, 'appliance-unreadable', 'fac-1 is not readable'],
  ] as const)('warns of one that %s, and does not say that activation is broken', async (_, fault, cause, short) => {
    await diagnosis(({ causes }) => causes.length === 0);
    lab.appliance.setFault(fault);
    const seen = await diagnosis(({ causes }) => causes.some(({ id }) => id === cause));
    expect(seen.ready).toBe('unknown');
    expect(seen.causes).toMatchObject([
      { severity: 'warning', subject: 'fac-1', impact: expect.stringContaining('Activation may work') },
    ]);
    const mail = await lab.inbox.mail(
      (one) => one.event === 'firing' && one.cause === cause,
      AbortSignal.timeout(LIMIT_MS),
    );
    expect(mail.subject).toBe(`WARNING lab: ${short}`);
    expect(await series('ftm_activation_ready')).toBeNaN();
    expect(await series(`ftm_cause_active{cause="${cause}",severity="warning"}`)).toBe(1);
    const page = await (await daemon.get('')).text();
    expect(page).toContain('No faults are known');
    lab.appliance.setFault({ kind: 'none' });
    // Ends the pause after a refused login.
    process.kill(daemon.pid, 'SIGHUP');
    await lab.inbox.mail((one) => one.event === 'resolved' && one.cause === cause, AbortSignal.timeout(LIMIT_MS));
  });
});

test('the firewall is asked again when the port is shut, and once more afterwards', async () => {
  const configFile = join(lab.folder, 'seldom.yaml');
  const schedule = { probes: '* * * * * *', appliance: '0 0 0 1 1 *', registration: '0 0 0 1 1 *' };
  await writeFile(
    configFile,
    JSON.stringify({ ...configurationOf(lab), schedule, store: { path: join(lab.folder, 'seldom') } }),
  );
  await using seldom = await startDaemon(configFile, lab.folder, PROGRAM);
  const sees = (isMeant: (seen: DiagnosisJson) => boolean): Promise<DiagnosisJson> =>
    seldom.diagnosis(isMeant, AbortSignal.timeout(LIMIT_MS));
  await sees(({ ready }) => ready === 'ready');
  try {
    lab.firewallApi.state.matches = 0;
    await lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST);
    const { causes } = await sees((seen) => seen.causes.length > 0);
    expect(causes).toMatchObject([{ id: 'egress-blocked', confidence: 'confirmed' }]);
  } finally {
    lab.firewallApi.state.matches = 5;
    await lab.firewall.setMode({ kind: 'off' });
  }
  await sees(({ causes, ready }) => ready === 'ready' && causes.length === 0);
});

test('a unit that answers nothing does not hold up what is told of another one', async () => {
  await using silent = await createFortiAuthenticator();
  silent.setFault({ kind: 'silent' });
  const configFile = join(lab.folder, 'two-units.yaml');
  const config = configurationOf(lab);
  const { url, identity } = silent;
  const api = { url, user: 'monitor', keyFile: 'fac-key', pin: identity.pin };
  const appliances = [...(config['appliances'] as readonly object[]), { name: 'fac-2', api }];
  await writeFile(configFile, JSON.stringify({ ...config, appliances, store: { path: 'two-units/history.sqlite' } }));
  lab.appliance.setFault({ kind: 'status', status: 401 });
  try {
    await using other = await startDaemon(configFile, lab.folder, PROGRAM);
    const startedAt = performance.now();
    await until(
      () => openIncidents(other),
      (open) => open.some(({ cause }) => cause === 'appliance-access-denied'),
      LIMIT_MS,
    );
    // A request is given up after 10 s. Two checks of this unit take less.
    expect(performance.now() - startedAt).toBeLessThan(9_000);
    expect(silent.requests).toHaveLength(1);
  } finally {
    lab.appliance.setFault({ kind: 'none' });
  }
});

/** Finds a fault and reports it by mail, with the history at this path. Returns `ftm_store_writable`. */
async function findsAndTells(path: string): Promise<number> {
  const configFile = join(lab.folder, 'trouble.yaml');
  await writeFile(configFile, JSON.stringify({ ...configurationOf(lab), store: { path } }));
  const before = lab.inbox.mails.length;
  try {
    await using troubled = await startDaemon(configFile, lab.folder, PROGRAM);
    await troubled.diagnosis(({ ready }) => ready === 'ready', AbortSignal.timeout(LIMIT_MS));
    await lab.inspect(true);
    await troubled.diagnosis(
      ({ causes }) => causes.some(({ id }) => id === 'tls-intercepted'),
      AbortSignal.timeout(LIMIT_MS),
    );
    await lab.inbox.mail(
      (mail) => lab.inbox.mails.indexOf(mail) >= before && mail.event === 'firing',
      AbortSignal.timeout(LIMIT_MS),
    );
    return valueIn(await (await troubled.get('metrics')).text(), 'ftm_store_writable');
  } finally {
    await lab.inspect(false);
  }
}

describe('a history stops neither verdict nor mail', () => {
  test('that somebody else has locked', async () => {
    const folder = join(lab.folder, 'locked');
    await mkdir(folder);
    const other = new DatabaseSync(join(folder, 'ftm-watch.sqlite'));
    other.exec('CREATE TABLE t (x); BEGIN EXCLUSIVE');
    try {
      expect(await findsAndTells(join(folder, 'ftm-watch.sqlite'))).toBe(0);
    } finally {
      other.close();
    }
  });
});

describeWhere(['root'], 'a history on a disk that is full', () => {
  test('stops neither verdict nor mail', async () => {
    const folder = join(lab.folder, 'full');
    await mkdir(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      // This fails once the disk is full, as intended.
      spawnSync('dd', ['if=/dev/zero', `of=${join(folder, 'fill')}`, 'bs=4k']);
      expect(await findsAndTells(join(folder, 'ftm-watch.sqlite'))).toBe(0);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

test('an incident of a unit that is no longer configured ends with one message, and others go on', async () => {
  const configFile = join(lab.folder, 'removed.yaml');
  const { registration: _, ...rest } = configurationOf(lab);
  const [unit = {}] = (rest as { readonly appliances: readonly object[] }).appliances;
  const config = { ...rest, site: 'removed', store: { path: join(lab.folder, 'removed') } };
  const write = (appliances: readonly object[]): Promise<void> =>
    writeFile(configFile, JSON.stringify({ ...config, appliances }));
  await write([
    unit,
    { ...unit, name: 'fac-2', serial: 'FAC-VM0000000009', peerSerial: undefined, logSources: [], licenses: [] },
  ]);
  await using removed = await startDaemon(configFile, lab.folder, PROGRAM);
  const events = (): readonly (string | null)[] =>
    lab.inbox.mails
      .filter(({ subject }) => subject.startsWith('removed', subject.indexOf(' ') + 1))
      .map(({ event }) => event);
  const become = async (open: number, expected: readonly string[]): Promise<void> => {
    await until(
      () => openIncidents(removed),
      ({ length }) => length === open,
      LIMIT_MS,
    );
    await until(
      () => Promise.resolve(events()),
      ({ length }) => length >= expected.length,
      LIMIT_MS,
    );
    expect(events()).toEqual(expected);
  };
  lab.appliance.setFault({ kind: 'status', status: 401 });
  try {
    await become(2, ['firing', 'firing']);
    await write([unit]);
    process.kill(removed.pid, 'SIGHUP');
    await become(1, ['firing', 'firing', 'resolved']);
    await write([]);
    process.kill(removed.pid, 'SIGHUP');
    await become(0, ['firing', 'firing', 'resolved', 'resolved']);
  } finally {
    lab.appliance.setFault({ kind: 'none' });
  }
});
