import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { configurationOf, type ConfigurationPart } from '../../../src/demo/lab/configuration.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createWebHost } from '../../../src/demo/lab/web-host.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import type { DiagnosisJson } from '../../../src/engine/diagnosis-json.ts';
import { createGlobalping, presents, reaches } from '../../support/network/globalping.ts';
import { watchLab } from '../../support/network/lab-check.ts';
import { readCheck } from '../../support/process/check-result.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
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

/** A site that reached the server an hour ago, as other networks did. */
beforeEach(async () => {
  await lab.firewall.setMode({ kind: 'off' });
  await mkdir(join(lab.folder, 'data'), { recursive: true });
  const before = Date.now() - HOUR_MS;
  const memory = { asked: { reach: before }, reachedAt: before, pausedUntil: 0 };
  await writeFile(join(lab.folder, 'data/outside.json'), JSON.stringify(memory));
});

function siteAt(port: number): ConfigurationPart {
  return {
    licenseServer: { host: LICENSE_HOST, port, expectedAddresses: ['127.0.0.1'] },
    outside: { globalping: { url: api.url } },
    firewall: [],
  };
}

function watch(port: number): Promise<DaemonProcess> {
  return watchLab(lab, siteAt(port));
}

function causeOf({ causes }: DiagnosisJson, id: string): DiagnosisJson['causes'][number] | undefined {
  return causes.find((cause) => cause.id === id);
}

const FIVE = [0, 1, 2, 3, 4];
const elsewhere = (fingerprint: string, issuer: string): void =>
  api.seen({ http: FIVE.map(() => presents({ fingerprint, issuer })) });

test('an interception that is suspected is proven by what others receive', async () => {
  elsewhere(lab.authorities.licenseServer.fingerprint, 'fortinet-subca2001');
  await using daemon = await watch(stranger.port);
  const suspected = await daemon.diagnosis(({ causes }) => causes.length > 0);
  expect(causeOf(suspected, 'tls-interception-suspected')).toMatchObject({ confidence: 'suspected' });
  const proven = await daemon.diagnosis((seen) => causeOf(seen, 'tls-intercepted') !== undefined);
  expect(causeOf(proven, 'tls-intercepted')).toMatchObject({ confidence: 'confirmed' });
});

test('a certificate that everybody receives is a change of the vendor', async () => {
  elsewhere(strange.fingerprint, 'Acme Network Services');
  await using daemon = await watch(stranger.port);
  const suspected = await daemon.diagnosis(({ causes }) => causes.length > 0);
  expect(causeOf(suspected, 'tls-interception-suspected')).toMatchObject({ confidence: 'suspected' });
  const changed = await daemon.diagnosis((seen) => causeOf(seen, 'vendor-ca-changed') !== undefined);
  expect(causeOf(changed, 'vendor-ca-changed')).toMatchObject({ confidence: 'confirmed', severity: 'warning' });
  expect(changed.ready).toBe('ready');
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
