import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ApplianceApiConfig } from '../../../src/config/schema/watched.ts';
import { createFortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import type { FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { apiOf, observeApi } from '../../support/connectors/appliance-bench.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const folder = folderOfAllTests();

async function savedPem(...identities: readonly Identity[]): Promise<string> {
  const path = folder.at(`${crypto.randomUUID()}.pem`);
  await writeFile(path, identities.map(({ pem }) => pem).join(''));
  return path;
}

describe('the certificate', () => {
  it('is accepted by its pin', async () => {
    await using fac = await createFortiAuthenticator();
    expect(await observeApi(apiOf(fac))).toMatchObject({ kind: 'ok' });
  });

  it('is accepted when it is the very certificate in caFile, whatever it names', async () => {
    await using fac = await createFortiAuthenticator();
    expect(await observeApi(apiOf(fac, { pin: null, caFile: await savedPem(fac.identity) }))).toMatchObject({
      kind: 'ok',
    });
  });

  it('is accepted under an authority in caFile when it names the address', async () => {
    const { root, leaf } = await createHierarchy({ ipAddresses: ['127.0.0.1'] });
    await using fac = await createFortiAuthenticator({ identity: leaf });
    expect(await observeApi(apiOf(fac, { pin: null, caFile: await savedPem(root) }))).toMatchObject({ kind: 'ok' });
  });

  it.each<[string, (fac: FortiAuthenticator, other: Identity) => Promise<Partial<ApplianceApiConfig>>]>([
    ['has another key than the pin', async (_, other) => Promise.resolve({ pin: other.pin })],
    ['is under no known authority', async () => Promise.resolve({ pin: null })],
    ['is another than the one in caFile', async (_, other) => ({ pin: null, caFile: await savedPem(other) })],
    [
      'has the pin, but is not under caFile',
      async (fac, other) => ({ pin: fac.identity.pin, caFile: await savedPem(other) }),
    ],
    [
      'is the one in caFile, but has not the pin',
      async (fac, other) => ({ pin: other.pin, caFile: await savedPem(fac.identity) }),
    ],
  ])('that %s gets no request at all', async (_, trust) => {
    const other = await createIdentity({ name: 'CN=other' });
    await using fac = await createFortiAuthenticator();
    expect(await observeApi(apiOf(fac, await trust(fac, other)))).toMatchObject({
      kind: 'failed',
      reason: 'tls',
      certificate: 'untrusted',
    });
    expect(fac.requests).toEqual([]);
  });

  it('under an authority in caFile must name the address', async () => {
    const { root, leaf } = await createHierarchy();
    await using fac = await createFortiAuthenticator({ identity: leaf });
    expect(await observeApi(apiOf(fac, { pin: null, caFile: await savedPem(root) }))).toMatchObject({
      kind: 'failed',
      reason: 'tls',
      certificate: 'invalid',
    });
    expect(fac.requests).toEqual([]);
  });
});
