import type { SecureVersion, TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { CapturedChain } from '../../../src/core/certificate.ts';
import type { TlsOutcome } from '../../../src/core/observation.ts';
import { createIdentity, type Identity, type IdentityOptions } from '../../../src/demo/lab/identity.ts';
import { createEndpointDeps, createTlsBench, HOST } from '../../support/network/tls-bench.ts';
import { createTlsPeer } from '../../support/network/tls-peer.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const bench = await createTlsBench();

function prints(chain: CapturedChain | null): readonly string[] {
  return (chain?.certificates ?? []).map((certificate) => certificate.fingerprint);
}

function printsOf(...identities: readonly Identity[]): readonly string[] {
  return identities.map((identity) => identity.fingerprint);
}

async function capture(...chain: readonly [Identity, ...Identity[]]): Promise<TlsOutcome> {
  // Security level 0 allows a server with the weakest keys.
  await using peer = await createTlsPeer({ chain, ciphers: 'DEFAULT@SECLEVEL=0' });
  return await bench.tls(peer.port);
}

describe.concurrent('observeEndpoint and a finished handshake', () => {
  test.each([
    ['TLSv1.3', /^TLS_AES_/u],
    ['TLSv1.2', /^TLS_ECDHE_ECDSA_WITH_AES_/u],
    ['TLSv1.1', /^TLS_ECDHE_ECDSA_WITH_AES_/u],
    ['TLSv1', /^TLS_ECDHE_ECDSA_WITH_AES_/u],
  ] as const)('tells protocol, cipher and chain with %s', async (version: SecureVersion, cipher) => {
    const { leaf, intermediate } = bench.hierarchy;
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    await using peer = await createTlsPeer({ chain: [leaf, intermediate], ...options });
    const tls = await bench.tls(peer.port);
    expect(tls).toMatchObject({
      kind: 'established',
      serverName: HOST,
      protocol: version,
      cipher: expect.stringMatching(cipher),
    });
    expect(prints((tls as { chain: CapturedChain }).chain)).toEqual(printsOf(leaf, intermediate));
    expect(tls.durationMs).toBeGreaterThan(0);
    expect(peer.seen).toBe(1);
  });

  test.each<readonly [string, Partial<IdentityOptions>]>([
    ['an expired leaf', { notBefore: new Date(Date.now() - 9 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) }],
    ['a leaf that is not valid yet', { notBefore: new Date(Date.now() + DAY_MS) }],
    ['a leaf for another name', { dnsNames: ['elsewhere.example.test'] }],
    ['a leaf without names', { dnsNames: [] }],
    ['a weak RSA key', { key: 'RSA-1024' }],
  ])('captures the chain of %s', async (_, options) => {
    const { intermediate } = bench.hierarchy;
    const leaf = await createIdentity({ name: 'CN=x', dnsNames: [HOST], issuer: intermediate, ...options });
    const tls = await capture(leaf, intermediate);
    expect(tls).toMatchObject({ kind: 'established', chain: { dropped: 0 } });
    expect(prints((tls as { chain: CapturedChain }).chain)).toEqual(printsOf(leaf, intermediate));
  });

  test('captures a self-signed certificate', async () => {
    const leaf = await createIdentity({ name: 'CN=Self', dnsNames: [HOST] });
    const tls = await capture(leaf);
    expect(prints((tls as { chain: CapturedChain }).chain)).toEqual(printsOf(leaf));
  });

  test('captures the chain as sent: without its issuer, with the root, out of order, with strangers', async () => {
    const { leaf, intermediate, root } = bench.hierarchy;
    const stranger = await createIdentity({ name: 'CN=Stranger', authority: true });
    const chains: readonly (readonly [Identity, ...Identity[]])[] = [
      [leaf],
      [leaf, intermediate, root],
      [leaf, root, intermediate],
      [leaf, stranger, intermediate, stranger],
    ];
    for (const chain of chains) {
      await using peer = await createTlsPeer({ chain });
      const tls = await bench.tls(peer.port, { deps: createEndpointDeps() });
      expect(prints((tls as { chain: CapturedChain }).chain)).toEqual(printsOf(...chain));
    }
  });

  test('keeps 16 certificates of a longer chain and counts the rest', async () => {
    const { leaf, intermediate } = bench.hierarchy;
    const many = Array.from({ length: 20 }, () => intermediate);
    expect(await capture(leaf, ...many)).toMatchObject({ chain: { certificates: { length: 16 }, dropped: 5 } });
  });

  test('sends the name it is told, none for null and none for an address', async () => {
    const { leaf } = bench.hierarchy;
    const names: unknown[] = [];
    await using peer = await createTlsPeer({
      chain: [leaf],
      serve: (socket) => {
        names.push(socket.servername);
        socket.end();
      },
    });
    const seen = [];
    for (const serverName of ['other.example.test', null, '127.0.0.1'])
      seen.push((await bench.look(peer.port, { serverName })).tls);
    expect(seen).toMatchObject([
      { kind: 'established', serverName: 'other.example.test' },
      { kind: 'established', serverName: '' },
      { kind: 'established', serverName: '' },
    ]);
    expect(names).toEqual(['other.example.test', false, false]);
  });
});

describe.concurrent('observeEndpoint and a server that asks for a client certificate', () => {
  const asking = { requestCert: true };

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('counts the server alive, with its chain, with %s', async (maxVersion) => {
    const { leaf, intermediate } = bench.hierarchy;
    await using peer = await createTlsPeer({
      chain: [leaf, intermediate],
      maxVersion,
      ...asking,
      rejectUnauthorized: true,
    });
    const seen = await bench.look(peer.port);
    expect(seen).toMatchObject({
      tls: { kind: 'client-certificate-demanded', protocol: maxVersion, cipher: expect.any(String) },
      http: { kind: 'client-certificate-demanded' },
    });
    expect(prints((seen.tls as { chain: CapturedChain }).chain)).toEqual(printsOf(leaf, intermediate));
  });

  test('goes on where the certificate is optional', async () => {
    const { leaf } = bench.hierarchy;
    const serve = (socket: TLSSocket): void => {
      socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
    };
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      await using peer = await createTlsPeer({
        chain: [leaf],
        maxVersion,
        ...asking,
        rejectUnauthorized: false,
        serve,
      });
      expect(await bench.look(peer.port)).toMatchObject({
        tls: { kind: 'established' },
        http: { kind: 'response', status: 403 },
      });
    }
  });

  test('does not take a refusal for a demand where none was asked for', async () => {
    const { leaf } = bench.hierarchy;
    await using peer = await createTlsPeer({
      chain: [leaf],
      ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
      maxVersion: 'TLSv1.2',
    });
    expect(await bench.tls(peer.port)).toMatchObject({
      kind: 'failed',
      reason: 'tls',
      alert: 'handshake_failure',
      chain: null,
    });
  });
});
