import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { listening } from '../../../src/demo/lab/listening.ts';
import type { LabMail } from '../../../src/demo/lab/mail-host.ts';
import type { ReportData } from '../../../src/report/report-data.ts';
import { createConnectProxy } from '../../support/network/http-proxy.ts';
import { unzip } from '../../support/process/unzipped.ts';
import { type DaemonProcess, startDaemonProcess } from '../../support/process/daemon-process.ts';
import { parsedMails } from '../../support/mail/parsed-mails.ts';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { configurationOf, type ConfigurationPart } from '../../../src/demo/lab/configuration.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createWebHost } from '../../../src/demo/lab/web-host.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { createGlobalping, FAILED, presents, reaches } from '../../support/network/globalping.ts';
import { watchLab } from '../../support/network/lab-check.ts';
import { readCheck } from '../../support/process/check-result.ts';
import { runHere } from '../../support/process/command-line.ts';
import { HOUR_MS } from '../../support/certificates/verdict-rows.ts';

const api = await createGlobalping();
afterAll(() => api[Symbol.asyncDispose]());
const acme = await createIdentity({ name: 'O=Acme, CN=Acme Network Services', authority: true });
const lab = await createLab();
afterAll(() => lab[Symbol.asyncDispose]());

/** Presents a certificate for the licence server's name from an authority that nobody knows. */
const strange = await createIdentity({ name: `CN=${LICENSE_HOST}`, issuer: acme, dnsNames: [LICENSE_HOST] });
const stranger = await createWebHost(strange, 404);
afterAll(() => stranger[Symbol.asyncDispose]());

let folder = '';
let tests = 0;
/** A new site that reached the server an hour ago, as other networks did. */
beforeEach(async () => {
  await lab.firewall.setMode({ kind: 'off' });
  tests += 1;
  folder = `site-${String(tests)}`;
  await mkdir(join(lab.folder, folder), { recursive: true });
  const before = Date.now() - HOUR_MS;
  const memory = { asked: { reach: before }, reachedAt: before, pausedUntil: 0 };
  await writeFile(join(lab.folder, folder, 'outside.json'), JSON.stringify(memory));
});

function siteAt(port: number): ConfigurationPart {
  return {
    licenseServer: { host: LICENSE_HOST, port, expectedAddresses: ['127.0.0.1'] },
    outside: { globalping: { url: api.url } },
    firewall: [],
    store: { path: `${folder}/store.sqlite` },
  };
}

function watch(port: number): Promise<DaemonProcess> {
  return watchLab(lab, siteAt(port));
}

function causeOf({ causes }: Pick<DiagnosisJson, 'causes'>, id: string): DiagnosisJson['causes'][number] | undefined {
  return causes.find((cause) => cause.id === id);
}

const FIVE = [0, 1, 2, 3, 4];
const elsewhere = (fingerprint: string, issuer: string): void =>
  api.seen({ http: FIVE.map(() => presents({ fingerprint, issuer })) });

function isToldElsewhere({ preconditions }: DiagnosisJson): boolean {
  return preconditions
    .flatMap(({ findings }) => findings)
    .some(({ rule, actual }) => rule === 'other-networks-agree' || actual.includes('5 other networks'));
}

interface ToldOf {
  readonly event: string;
  readonly cause: string;
  /** The first word of the subject. */
  readonly severity: string | undefined;
  readonly firstLine: string | undefined;
}

/**
 * Waits for the mail about a suspicion while other networks have not answered yet, then for what follows from their
 * answer. Returns the mails of the thread, in order.
 */
async function threadOf(daemon: DaemonProcess, suspicion: string, result: string): Promise<readonly ToldOf[]> {
  const [before, polls] = [lab.inbox.mails.length, api.polls()];
  const release = api.hold();
  const isOf =
    (cause: string) =>
    (mail: LabMail): boolean =>
      mail.cause === cause && lab.inbox.mails.indexOf(mail) >= before;
  const first = await lab.inbox.mail(isOf(suspicion), AbortSignal.timeout(MAIL_WITHIN));
  await expect.poll(() => api.polls()).toBeGreaterThan(polls);
  expect(causeOf((await daemon.status()) ?? { causes: [] }, suspicion)).toBeDefined();
  release();
  await daemon.diagnosis((seen) => causeOf(seen, result) !== undefined && isToldElsewhere(seen));
  if (result !== suspicion) await lab.inbox.mail(isOf(result), AbortSignal.timeout(MAIL_WITHIN));
  const id = /^Message-ID: (.*)$/mu.exec(first.raw)?.[1] ?? 'none';
  const thread = lab.inbox.mails.slice(before).filter((mail) => mail === first || mail.raw.includes(id));
  const parsed = parsedMails(thread.map(({ raw }) => raw));
  return thread.map(({ event, cause }, index) => ({
    event,
    cause,
    severity: parsed[index]?.subject.split(' ')[0],
    firstLine: parsed[index]?.text.split('\n')[0],
  }));
}

const MAIL_WITHIN = 30_000;
const BROKEN = { severity: 'CRITICAL', firstLine: expect.stringContaining('does not work') };

test('an interception that is suspected is proven by what others receive', async () => {
  elsewhere(lab.authorities.licenseServer.fingerprint, 'fortinet-subca2001');
  await using daemon = await watch(stranger.port);
  expect(await threadOf(daemon, 'tls-interception-suspected', 'tls-intercepted')).toMatchObject([
    { event: 'firing', cause: 'tls-interception-suspected', ...BROKEN },
    { event: 'changed', cause: 'tls-intercepted', ...BROKEN },
  ]);
  const proven = await daemon.diagnosis((seen) => causeOf(seen, 'tls-intercepted') !== undefined);
  expect(causeOf(proven, 'tls-intercepted')).toMatchObject({ confidence: 'confirmed' });
  const run = await runHere(['report', '-c', 'watched.yaml', '-o', `${folder}.zip`], { cwd: lab.folder });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  const { outside } = JSON.parse((await unzip(join(lab.folder, `${folder}.zip`))).text('report.json')) as ReportData;
  expect(outside).toMatchObject({ certificate: { answer: { status: 'finished', target: LICENSE_HOST } }, reach: null });
});

test('a certificate that everybody receives is a change of the vendor', async () => {
  elsewhere(strange.fingerprint, 'Acme Network Services');
  await using daemon = await watch(stranger.port);
  expect(await threadOf(daemon, 'tls-interception-suspected', 'vendor-ca-changed')).toMatchObject([
    { event: 'firing', cause: 'tls-interception-suspected', ...BROKEN },
    {
      event: 'changed',
      cause: 'vendor-ca-changed',
      severity: 'WARNING',
      firstLine: expect.not.stringContaining('not work'),
    },
  ]);
  const changed = await daemon.diagnosis((seen) => causeOf(seen, 'vendor-ca-changed') !== undefined);
  expect(causeOf(changed, 'vendor-ca-changed')).toMatchObject({ confidence: 'confirmed', severity: 'warning' });
  expect(changed.ready).toBe('ready');
});

test('nothing follows if every request from elsewhere fails, as with a server that demands a client certificate', async () => {
  api.seen({ http: FIVE.map(() => FAILED) });
  await using daemon = await watch(stranger.port);
  const asked = 'ftm_outside_measured_timestamp_seconds{measurement="certificate"}';
  await expect.poll(() => daemon.value(asked), { timeout: 10_000 }).toBeGreaterThan(0);
  const { causes } = await daemon.diagnosis((seen) => seen.causes.length > 0);
  expect(causes.map(({ id, confidence }) => [id, confidence])).toContainEqual([
    'tls-interception-suspected',
    'suspected',
  ]);
});

test('a certificate is learned on a path that nobody knows to be clean, and counts as genuine', async () => {
  elsewhere(strange.fingerprint, 'Acme Network Services');
  const config = join(lab.folder, 'learning.yaml');
  const baselineFile = 'learned/trust.json';
  await writeFile(
    config,
    JSON.stringify({ ...configurationOf(lab), ...siteAt(stranger.port), trust: { profile: 'fortinet', baselineFile } }),
  );
  const run = (...args: readonly string[]): ReturnType<typeof runHere> =>
    runHere([...args, '-c', config], { cwd: lab.folder });
  expect(await run('trust', 'learn', '--outside', '--yes')).toMatchObject({ exitCode: 0, stderr: '' });
  const { preconditions } = readCheck(await run('check', '--json'));
  expect(preconditions.find(({ id }) => id === 'tls-genuine')).toMatchObject({ state: 'ok' });
  expect((await run('trust', 'show')).stdout).toContain(strange.fingerprint);
});

test('without the section, nobody else is asked', async () => {
  const names: string[] = [];
  const ports = new Set<number>();
  const watchSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    socket.on('lookup', (_error, _address, _family, host) => names.push(host));
    socket.on('connect', () => ports.add(socket.remotePort ?? 0));
  };
  const asked = api.requests.length;
  subscribe('net.client.socket', watchSocket);
  try {
    await using daemon = await watchLab(lab, { ...siteAt(stranger.port), outside: undefined });
    await daemon.diagnosis((seen) => causeOf(seen, 'tls-interception-suspected') !== undefined);
    await daemon.diagnosis(() => true);
  } finally {
    unsubscribe('net.client.socket', watchSocket);
  }
  expect(ports).toContain(stranger.port);
  expect(names.filter((name) => name.includes('globalping'))).toEqual([]);
  expect(ports).not.toContain(Number(new URL(api.url).port));
  expect(api.requests.length).toBe(asked);
});

test.each([
  ['others reach', 3, 'egress-blocked', 'suspected'],
  ['nobody reaches', 0, 'license-server-down', 'confirmed'],
] as const)('a server that %s', async (_, replies, id, confidence) => {
  api.seen({ ping: FIVE.map(() => reaches(replies)) });
  await using daemon = await watch(lab.firewall.portOf(LICENSE_HOST));
  await daemon.diagnosis(({ ready }) => ready === 'ready');
  await lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST);
  const thread = await threadOf(daemon, 'egress-blocked', id);
  // Another explanation of the same cause is not sent again.
  const changed = id === 'egress-blocked' ? [] : [{ event: 'changed', cause: id, ...BROKEN }];
  expect(thread).toMatchObject([{ event: 'firing', cause: 'egress-blocked', ...BROKEN }, ...changed]);
  const told = await daemon.diagnosis(({ causes, preconditions }) => {
    const findings = preconditions.flatMap((precondition) => precondition.findings);
    return (
      causes.some((cause) => cause.id === id) && findings.some(({ actual }) => actual.includes('5 other networks'))
    );
  });
  expect(causeOf(told, id)).toMatchObject({ confidence });
  const networks = (result: string): Promise<number> => daemon.value(`ftm_outside_networks{result="${result}"}`);
  expect([await networks('reached'), await networks('not-reached')]).toEqual(replies === 0 ? [0, 5] : [5, 0]);
  expect(await daemon.value('ftm_outside_measured_timestamp_seconds{measurement="reach"}')).toBeGreaterThan(0);
});

test('answers that an inspecting device can forge are not used, even if this machine trusts the device', async () => {
  const { pem, keyPem } = await createIdentity({ name: 'CN=*', issuer: acme, dnsNames: ['api.globalping.io'] });
  const apiPort = Number(new URL(api.url).port);
  await using forged = await listening(
    createServer({ cert: pem, key: keyPem }, (socket) => {
      const up = connect(apiPort, '127.0.0.1').on('error', () => socket.destroy());
      socket.pipe(up).pipe(socket);
    }),
  );
  await using proxy = await createConnectProxy(forged.port);
  const site = { ...configurationOf(lab), ...siteAt(lab.firewall.portOf(LICENSE_HOST)) };
  const notify = {
    ...(configurationOf(lab)['notify'] as object),
    proxy: { url: `http://127.0.0.1:${String(proxy.port)}` },
  };
  await writeFile(join(lab.folder, 'acme.pem'), acme.pem);
  await writeFile(join(lab.folder, 'forged.yaml'), JSON.stringify({ ...site, notify, outside: { globalping: {} } }));
  api.seen({ ping: FIVE.map(() => reaches(0)) });
  await lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST);
  const asked = api.requests.length;
  await using daemon = startDaemonProcess({
    cwd: lab.folder,
    args: ['-c', 'forged.yaml'],
    env: { NODE_EXTRA_CA_CERTS: join(lab.folder, 'acme.pem') },
  });
  const untrusted = (seen: DiagnosisJson): boolean =>
    seen.preconditions
      .flatMap(({ findings }) => findings)
      .some(({ rule, actual }) => rule === 'other-networks-answer' && actual.includes('public authority'));
  expect(causeOf(await daemon.diagnosis(untrusted), 'egress-blocked')).toMatchObject({ confidence: 'suspected' });
  expect(proxy.asked.join('')).toMatch(/^CONNECT api\.globalping\.io:443 /u);
  expect(api.requests.length).toBe(asked);
});
