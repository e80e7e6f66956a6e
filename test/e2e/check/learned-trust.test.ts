import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckBench } from '../../support/check-bench.ts';
import { createCheckBench, HOST } from '../../support/check-bench.ts';
import { preconditionOf } from '../../support/check-result.ts';

const FILE = 'learned.json';
/**
 * Nothing confirms the authority of the bench: as where a company's sub-authority inspects and its root is not sent.
 */
const TRUST = { trust: { profile: 'fortinet', baselineFile: FILE } };

let bench: CheckBench;

beforeAll(async () => {
  bench = await createCheckBench();
});
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
  expect((await bench.run(['trust', 'show', '-c', config])).stdout).toContain('but not used');

  const learned = await learn('--fingerprint', intermediate.fingerprint.replaceAll(':', '').toLowerCase());
  expect({ code: learned.exitCode, errors: learned.stderr }).toEqual({ code: 0, errors: '' });
  expect(preconditionOf(await bench.check(server.port, TRUST), 'tls-genuine').state).toBe('ok');
  expect((await learn('--fingerprint', 'none')).exitCode).toBe(3);
});
