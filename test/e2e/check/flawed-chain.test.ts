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

test.for([
  { version: 'TLSv1.3', demands: false, connections: 3 },
  { version: 'TLSv1.2', demands: true, connections: 2 },
] as const)(
  'a path length that is exceeded is no genuine chain: $version, client certificate demanded: $demands',
  async (row) => {
    const root = await createIdentity({ name: 'CN=Short Root', authority: true, pathLength: 0 });
    const sub = await createIdentity({ name: 'CN=Sub', authority: true, issuer: root });
    const leaf = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: sub });
    await writeFile(join(bench.folder, 'short.pem'), root.pem);
    await using server = await createTlsPeer({
      chain: [leaf, sub],
      minVersion: row.version,
      maxVersion: row.version,
      ...(row.demands ? { requestCert: true, rejectUnauthorized: true, ca: root.pem } : {}),
      serve: answering(() => httpResponse('404 Not Found')),
    });
    const result = await bench.check(server.port, { trust: { profile: 'fortinet', caFiles: ['short.pem'] } });
    expect(conclusionOf(result)).toEqual(readyWithWarning('certificate-broken'));
    expect(evidenceOf(result)).toContain('allows 0 authorities below it');
    // The check itself, the OpenSSL query, and TLS 1.2 unless it was the version already.
    expect(server.seen).toBe(row.connections);
  },
);
