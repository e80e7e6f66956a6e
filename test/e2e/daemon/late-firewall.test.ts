import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationPart } from '../../../src/demo/lab/configuration.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { PLAIN_POLICY } from '../../../src/demo/lab/firewall.ts';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { freePort } from '../../support/network/free-port.ts';
import { startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { watchRounds, type RoundWatcher } from '../../support/process/round-watcher.ts';

/** A round, plus the two seconds in which an answer can refine it. */
const VERDICT = 8_000;
const WITHIN = 30_000;

/** A leap day. Rounds run only at the start and on request. */
const NEVER = '0 0 0 29 2 *';

let lab: Lab;
let daemon: DaemonProcess;
let rounds: RoundWatcher;

beforeEach(async () => {
  lab = await createLab();
});
afterEach(async () => {
  await rounds[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

/** The path to the licence server, which can be shut. */
async function openPort(): Promise<{ readonly port: number; shut(): Promise<void> }> {
  const server = createServer((client) => {
    const upstream = connect(lab.licenseServer.port, '127.0.0.1');
    pipeline(client, upstream, client, () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    shut: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

async function start(
  port: number,
  more: (config: { readonly notify: object }) => ConfigurationPart = () => ({}),
): Promise<void> {
  const config = JSON.parse(await readFile(lab.configFile, 'utf8')) as {
    readonly notify: object;
    readonly licenseServer: object;
  };
  const licenseServer = { ...config.licenseServer, port };
  lab.appliance.state.provisioning = { ...lab.appliance.state.provisioning, server_port: port };
  await writeFile(lab.configFile, JSON.stringify({ ...config, licenseServer, ...more(config) }));
  daemon = startDaemonProcess({ cwd: lab.folder, args: ['-c', lab.configFile] });
  rounds = await watchRounds(await daemon.page());
}

function causes(diagnosis: DiagnosisJson): readonly string[] {
  return diagnosis.causes.map(({ id }) => id);
}

function policyOf({ preconditions }: DiagnosisJson): DiagnosisJson['preconditions'][number] | undefined {
  return preconditions.find(({ id }) => id === 'firewall-policy');
}

function mailed(): readonly string[] {
  return lab.inbox.mails.map(({ event, cause }) => `${event} ${cause}`);
}

test('a shut port is told without an answer of the firewall, and an older one decides nothing', async () => {
  const way = await openPort();
  await start(way.port);
  await rounds.next((seen) => seen.ready === 'ready' && policyOf(seen)?.state === 'ok', WITHIN);
  lab.firewallApi.setFault({ kind: 'silent' });
  const since = rounds.diagnoses.length;
  await way.shut();
  expect(causes(await rounds.next(({ ready }) => ready === 'not-ready', VERDICT))).toEqual(['egress-blocked']);
  // The request is given up, and the previous answer no longer counts.
  await rounds.next((seen) => policyOf(seen)?.findings[0]?.rule === 'firewall-answers', WITHIN);
  expect(new Set(rounds.diagnoses.slice(since).flatMap(causes))).toEqual(new Set(['egress-blocked']));
});

describe('an answer of the firewall that comes after the verdict', () => {
  /** The first round detects that the port is shut. It is reported and ends before the firewall answers. */
  async function toldBefore(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    lab.firewallApi.setFault({ kind: 'late', until: promise });
    await start(await freePort(), ({ notify }) => ({
      schedule: { probes: NEVER, appliance: NEVER, registration: NEVER },
      notify: { ...notify, policy: { confirmations: 1, recoveries: 2, reminder: '4h', maxPerHour: 1000 } },
    }));
    expect(rounds.diagnoses.map(causes)).toEqual([['egress-blocked']]);
    return resolve;
  }

  test('judges its round again: a policy that accepts leaves the server, told by one mail more', async () => {
    const answer = await toldBefore();
    answer();
    const revised = await rounds.next((seen) => causes(seen).includes('license-server-down'), VERDICT);
    expect(revised.at).toBe(rounds.diagnoses[0]?.at);
    await expect.poll(mailed, { timeout: WITHIN }).toHaveLength(2);
    // The next round starts automatically, because the fault is new and critical, and has the same result.
    await expect.poll(() => rounds.diagnoses.at(-1)?.at, { timeout: WITHIN }).not.toBe(revised.at);
    await daemon.end('SIGTERM');
    expect(mailed()).toEqual(['firing egress-blocked', 'changed license-server-down']);
  });

  test('judges its round again: a policy that denies is the same fault, confirmed, and no mail more', async () => {
    const answer = await toldBefore();
    lab.firewallApi.state.policies = { 5: { ...PLAIN_POLICY, action: 'deny' } };
    answer();
    const revised = await rounds.next(({ causes: [first] }) => first?.confidence === 'confirmed', VERDICT);
    expect(causes(revised)).toEqual(['egress-blocked']);
    expect(revised.at).toBe(rounds.diagnoses[0]?.at);
    await expect.poll(() => rounds.diagnoses.at(-1)?.at, { timeout: WITHIN }).not.toBe(revised.at);
    await daemon.end('SIGTERM');
    expect(mailed()).toEqual(['firing egress-blocked']);
  });
});
