import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RepairVerdict } from '../../../src/checks/repair-verdict.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import { PLAIN_POLICY } from '../../../src/demo/lab/firewall.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { watchLab } from '../../support/network/lab-check.ts';
import { until } from '../../support/time/until.ts';

const LIMIT_MS = 20_000;
const DAY_MS = 86_400_000;
const DEEP = { 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' };

type Verified = DiagnosisJson & { readonly verify: RepairVerdict };

let daemon: DaemonProcess;
/** The ID of the incident about the inspecting policy, as used in mails and on the page. */
let incident: string;

const lab = await createLab({ schedule: { probes: '*/2 * * * * *', appliance: '*/2 * * * * *' } });

beforeAll(async () => {
  await lab.inspect(true);
  daemon = await watchLab(lab);
  const [opened] = await until(
    () => daemon.openIncidents(),
    (open) => open.some(({ cause }) => cause === 'tls-intercepted'),
    LIMIT_MS,
  );
  incident = opened?.id ?? '';
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

function setPolicy(fields: Readonly<Record<string, unknown>>): void {
  lab.firewallApi.state.policies = { 5: { ...PLAIN_POLICY, ...fields } };
}

function verify(id: string, ...more: readonly string[]): Promise<Run> {
  return runHere(['check', '--verify', id, ...more, '-c', lab.configFile], { cwd: lab.folder });
}

async function verified(): Promise<{ readonly exitCode: number | null } & RepairVerdict> {
  const { exitCode, stdout, stderr } = await verify(incident, '--json');
  if (stdout === '') throw new Error(stderr);
  return { exitCode, ...(JSON.parse(stdout) as Verified).verify };
}

test('beside the daemon, while the path is inspected, the repair is not in force', async () => {
  const { exitCode, answer, next, policy } = await verified();
  expect({ exitCode, answer }).toEqual({ exitCode: 2, answer: 'not-in-force' });
  expect(next).not.toBeNull();
  expect(policy?.now).toContain('"deep-inspection"');
});

test('while the policy still inspects, it is not in force, however clean the path of this machine is', async () => {
  await lab.inspect(false);
  setPolicy(DEEP);
  expect(await verified()).toMatchObject({
    exitCode: 2,
    answer: 'not-in-force',
    why: expect.stringContaining('"deep-inspection"'),
  });
});

test('while the firewall cannot be asked, it is not visible', async () => {
  lab.firewallApi.setFault({ kind: 'status', status: 403 });
  expect(await verified()).toMatchObject({ exitCode: 3, answer: 'not-visible', policy: { now: null } });
  lab.firewallApi.setFault({ kind: 'none' });
});

test('repaired, it is in force, and a person reads which policy matched before and which does now', async () => {
  lab.firewallApi.state.matches = 7;
  lab.firewallApi.state.policies = {
    5: PLAIN_POLICY,
    7: { ...PLAIN_POLICY, policyid: 7, name: 'ftm-watch-127.0.0.1' },
  };
  const { exitCode, stdout } = await verify(incident);
  const text = stdout.replaceAll(/\s+/gu, ' ');
  expect(text).toContain(`Incident ${incident}:`);
  expect(text).toContain('The repair is active');
  expect(text).toMatch(/Policy before: .*Policy 5 "fac-to-internet" uses SSL profile "deep-inspection"/u);
  expect(text).toContain('Policy now: Policy 7 "ftm-watch-127.0.0.1" matches');
  expect(exitCode).toBe(0);
});

test('of an unknown incident, says which ones are known', async () => {
  const { exitCode, stdout, stderr } = await verify('nothing-of-the-kind');
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  expect(stderr).toContain('There is no incident "nothing-of-the-kind"; the latest incidents are:');
  expect(stderr).toContain(`- ${incident}: tls-intercepted`);
});

test('without a store, says so; and is no plugin', async () => {
  const empty = join(lab.folder, 'empty.yaml');
  await writeFile(empty, JSON.stringify({ ...configurationOf(lab), store: { path: 'nothing.sqlite' } }));
  const none = await runHere(['check', '--verify', incident, '-c', empty], { cwd: lab.folder });
  expect(none).toMatchObject({ exitCode: 3, stdout: '', stderr: expect.stringContaining('No incidents found') });
  const plugin = await verify(incident, '--nagios');
  expect(plugin.exitCode).toBe(3);
  expect(plugin.stdout + plugin.stderr).toContain("cannot be used with option '--verify <incident>'");
});

test('while nobody hears the log, which may have shown it, it is not visible', async () => {
  await daemon[Symbol.asyncDispose]();
  const file = join(lab.folder, 'data/polling.json');
  const kept = JSON.parse(await readFile(file, 'utf8')) as { readonly listening: object };
  const yesterday = Date.now() - DAY_MS;
  const listening = { ...kept.listening, since: yesterday - LIMIT_MS, until: yesterday };
  await writeFile(file, JSON.stringify({ ...kept, listening }));
  const { exitCode, answer, why } = await verified();
  expect({ exitCode, answer }).toEqual({ exitCode: 3, answer: 'not-visible' });
  expect(why).toContain('only the daemon receives the log');
});
