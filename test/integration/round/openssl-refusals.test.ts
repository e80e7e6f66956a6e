import '../../../src/demo/lab/reflect-metadata.ts';
import { ExtendedKeyUsageExtension, Extension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import type { TlsOutcome } from '../../../src/core/observation.ts';
import { createProbeSecureContext } from '../../../src/network/tls/secure-context.ts';
import { createIdentity, type Identity, type IdentityOptions } from '../../../src/demo/lab/identity.ts';
import { dns, nameConstraints } from '../../support/certificates/name-constraints.ts';
import { createTlsBench, HOST } from '../../support/network/tls-bench.ts';
import { createTlsPeer, type TlsPeerOptions } from '../../support/network/tls-peer.ts';

const bench = await createTlsBench();
const { root, intermediate, leaf } = bench.hierarchy;

async function refusalOf(options: TlsPeerOptions, anchors: readonly Identity[]): Promise<string | undefined> {
  await using peer = await createTlsPeer(options);
  const context = createProbeSecureContext({ anchors: anchors.map(({ pem }) => pem) });
  const outcome: TlsOutcome = await bench.tls(peer.port, { deps: { contextFor: () => context } });
  expect(outcome.chain?.certificates[0]?.fingerprint).toBe(options.chain[0].fingerprint);
  return outcome.kind === 'failed' ? 'no handshake' : outcome.refusal;
}

const unknownExtension = { extensions: [new Extension('1.3.6.1.4.1.12356.1', true, new Uint8Array([5, 0]))] };
const forClients = { extensions: [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])] };
const past = { notBefore: new Date('2024-01-01'), notAfter: new Date('2025-01-01') };
const authority = (issuer: Identity, more: Partial<IdentityOptions> = {}): Promise<Identity> =>
  createIdentity({ name: 'O=Example Trust, CN=Sub', authority: true, issuer, ...more });
const below = (issuer: Identity, more: Partial<IdentityOptions> = {}): Promise<Identity> =>
  createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer, ...more });

const short = await authority(root, { pathLength: 0 });
const tooDeep = await authority(short, { name: 'O=Example Trust, CN=Deeper' });
const limited = await authority(root, { extensions: [nameConstraints([dns('example.org')])] });
const clients = await authority(root, forClients);
const stranger = await createIdentity({ name: 'CN=Stranger', authority: true });

type Sent = TlsPeerOptions['chain'];

const CHAINS: readonly (readonly [string, Sent, readonly Identity[], string | undefined])[] = [
  ['a chain under its root', [leaf, intermediate], [root], undefined],
  ['a chain under an intermediate', [leaf, intermediate], [intermediate], undefined],
  ['an intermediate that was not sent', [leaf], [root, intermediate], undefined],
  ['a trusted leaf', [leaf], [leaf], undefined],
  ['too many authorities', [await below(tooDeep), tooDeep, short], [root], 'PATH_LENGTH_EXCEEDED'],
  ['too many authorities above the trusted one', [await below(tooDeep), tooDeep, short], [tooDeep], undefined],
  ['a leaf for clients', [await below(intermediate, forClients), intermediate], [root], 'INVALID_PURPOSE'],
  ['an authority for clients', [await below(clients), clients], [root], 'INVALID_PURPOSE'],
  ['a strange extension', [await below(root, unknownExtension)], [root], 'UNSPECIFIED'],
  ['a forbidden name', [await below(limited), limited], [root], 'UNSPECIFIED'],
  ['a weak key', [await below(root, { key: 'RSA-1024' })], [root], undefined],
  ['an expired leaf', [await below(root, past)], [root], 'CERT_HAS_EXPIRED'],
  ['an unknown authority', [leaf, intermediate], [stranger], 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ['a flaw under an unknown authority', [await below(intermediate, forClients), intermediate], [], 'INVALID_PURPOSE'],
];

describe('what OpenSSL finds in the handshake', () => {
  test.each(CHAINS)('%s', async (_, chain, anchors, expected) => {
    expect(await refusalOf({ chain, ciphers: 'DEFAULT:@SECLEVEL=0' }, anchors)).toBe(expected);
  });

  test.each([
    ['TLSv1.3', 'UNSPECIFIED'],
    // The handshake ends before Node asks for the result.
    ['TLSv1.2', undefined],
  ] as const)('where a client certificate is demanded, in %s: %s', async (version, expected) => {
    const chain: Sent = [await below(intermediate, unknownExtension), intermediate];
    const demanding = { requestCert: true, rejectUnauthorized: true, ca: root.pem };
    const options = { chain, minVersion: version, maxVersion: version, ...demanding };
    expect(await refusalOf(options, [root])).toBe(expected);
  });
});
