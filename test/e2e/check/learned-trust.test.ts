import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { CheckBench } from '../../support/process/check-bench.ts';
import { answering, createCheckBench, HOST } from '../../support/process/check-bench.ts';
import {
  type CheckResult,
  conclusionOf,
  notReady,
  preconditionOf,
  readyWithWarning,
} from '../../support/process/check-result.ts';
import { createTlsPeer } from '../../support/network/tls-peer.ts';

const FILE = 'learned.json';
/** Nothing confirms the test authority, as when a company's sub-authority inspects and its root is not sent. */
const TRUST = { trust: { profile: 'fortinet', baselineFile: FILE } };

const bench = await createCheckBench();
afterAll(() => bench[Symbol.asyncDispose]());

test('a chain that nothing confirms is learned by its fingerprint alone, and one of 0.1 is not used', async () => {
  await using server = await bench.licenseServer();
  const config = await bench.configure(server.port, TRUST);
  const { leaf, intermediate } = bench.hierarchy;
  const learn = (...more: readonly string[]): ReturnType<CheckBench['run']> =>
    bench.run(['trust', 'learn', '--yes', ...more, '-c', config]);

  const refused = await learn();
  expect(refused.exitCode).toBe(2);
  expect(refused.stdout).toContain(intermediate.fingerprint);
  await expect(readFile(join(bench.folder, FILE))).rejects.toThrow('ENOENT');

  const old = {
    learnedAt: '2026-11-24T13:00:00.000Z',
    protocol: 'TLSv1.3',
    leaves: [leaf.pem],
    authorities: [intermediate.pem],
  };
  const targets = { [`${HOST}:${String(server.port)}`]: old };
  await writeFile(join(bench.folder, FILE), JSON.stringify({ version: 1, targets }));
  const after = await bench.check(server.port, TRUST);
  expect(preconditionOf(after, 'tls-genuine').state).not.toBe('ok');
  expect(preconditionOf(after, 'tls-genuine').findings.map(({ rule }) => rule)).toContain('learned-trust-is-confirmed');
  expect((await bench.run(['check', '-c', config])).stdout).toContain('The chain learned on 2026-11-24');
  expect((await bench.run(['trust', 'show', '-c', config])).stdout).toContain('is not used, because no');

  const learned = await learn('--fingerprint', intermediate.fingerprint.replaceAll(':', '').toLowerCase());
  expect({ code: learned.exitCode, errors: learned.stderr }).toEqual({ code: 0, errors: '' });
  expect(preconditionOf(await bench.check(server.port, TRUST), 'tls-genuine').state).toBe('ok');
  expect((await learn('--fingerprint', 'none')).exitCode).toBe(3);
});

describe('a machine whose clock is two days behind', () => {
  const DAY_MS = 86_400_000;
  const THEIRS = Date.now() + 2 * DAY_MS;

  /** A licence server whose certificate is valid from tomorrow by our clock, and which sends its own time. */
  async function serverThatTells(at: number): Promise<AsyncDisposable & { readonly port: number }> {
    const { intermediate } = bench.hierarchy;
    const notBefore = new Date(THEIRS - DAY_MS);
    const leaf = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: intermediate, notBefore });
    const date = new Date(at).toUTCString();
    const answer = `HTTP/1.1 404 Not Found\r\nDate: ${date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    return createTlsPeer({ chain: [leaf, intermediate], serve: answering(answer) });
  }

  async function learn(port: number): Promise<{ readonly learned: string; readonly checked: CheckResult }> {
    const settings = {
      controlHosts: [],
      trust: { profile: 'fortinet', caFiles: ['authority.pem'], baselineFile: `learned-${String(port)}.json` },
    };
    const config = await bench.configure(port, settings);
    const { stdout } = await bench.run(['trust', 'learn', '--yes', '-c', config]);
    return { learned: stdout, checked: await bench.check(port, settings) };
  }

  test('trust learn judges a chain by the time that its server proves', async () => {
    await using server = await serverThatTells(THEIRS);
    const { learned, checked } = await learn(server.port);
    expect(learned).toContain(' is genuine (under ');
    expect(conclusionOf(checked)).toEqual(readyWithWarning('clock-skewed'));
  });

  test('and says that a chain is not yet valid by the time of its own server', async () => {
    await using server = await serverThatTells(Date.now());
    const { learned, checked } = await learn(server.port);
    expect(learned).toContain(' is not yet valid');
    expect(conclusionOf(checked)).toEqual(notReady('certificate-broken', 'license-server'));
  });
});
