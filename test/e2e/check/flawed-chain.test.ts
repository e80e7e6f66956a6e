import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { answering, createCheckBench, HOST, httpResponse, type CheckBench } from '../../support/process/check-bench.ts';
import { conclusionOf, evidenceOf, readyWithWarning } from '../../support/process/check-result.ts';
import { createTlsPeer } from '../../support/network/tls-peer.ts';

let bench: CheckBench;
beforeAll(async () => {
  bench = await createCheckBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

test('a path length that is exceeded is no genuine chain', async () => {
  const root = await createIdentity({ name: 'CN=Short Root', authority: true, pathLength: 0 });
  const sub = await createIdentity({ name: 'CN=Sub', authority: true, issuer: root });
  const leaf = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: sub });
  await writeFile(join(bench.folder, 'short.pem'), root.pem);
  const serve = answering(() => httpResponse('404 Not Found'));
  await using server = await createTlsPeer({ chain: [leaf, sub], minVersion: 'TLSv1.3', serve });
  const result = await bench.check(server.port, { trust: { profile: 'fortinet', caFiles: ['short.pem'] } });
  expect(conclusionOf(result)).toEqual(readyWithWarning('certificate-broken'));
  expect(evidenceOf(result)).toContain('PATH_LENGTH_EXCEEDED');
  // The check itself, and TLS 1.2.
  expect(server.seen).toBe(2);
});
