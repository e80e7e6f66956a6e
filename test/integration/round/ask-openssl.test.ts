import '../../../src/demo/lab/reflect-metadata.ts';
import { Extension } from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { askOpenssl } from '../../../src/round/second-looks.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../support/certificates/chains.ts';
import { probeContext } from '../../support/checks/probe-context.ts';
import { createEndpointDeps, createTlsBench, HOST, type TlsBench } from '../../support/network/tls-bench.ts';
import { createTlsPeer, type TlsPeerOptions } from '../../support/network/tls-peer.ts';

type OpensslResult = NonNullable<Awaited<ReturnType<typeof askOpenssl>>>;

let bench: TlsBench;
beforeAll(async () => {
  bench = await createTlsBench();
});

async function ask(options: TlsPeerOptions, anchor: Identity): Promise<OpensslResult | null> {
  await using peer = await createTlsPeer(options);
  const request = { target: { host: HOST, port: peer.port }, address: '127.0.0.1', serverName: HOST, proxy: null };
  return await askOpenssl(request, certificateOf(anchor), probeContext({}), createEndpointDeps());
}

/** Returns a leaf certificate that every TLS client rejects. */
async function flawed(issuer: Identity): Promise<Identity> {
  const extensions = [new Extension('1.3.6.1.4.1.12356.1', true, new Uint8Array([5, 0]))];
  return createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer, extensions });
}

describe('askOpenssl()', () => {
  test('takes a chain under its root, under an intermediate, and a trusted leaf', async () => {
    const { leaf, intermediate, root } = bench.hierarchy;
    for (const anchor of [root, intermediate, leaf]) {
      expect((await ask({ chain: [leaf, intermediate] }, anchor))?.word).toEqual({ refusal: null });
    }
  });

  test('tells the refusal, and of which chain', async () => {
    const { intermediate, root } = bench.hierarchy;
    const leaf = await flawed(intermediate);
    const heard = await ask({ chain: [leaf, intermediate] }, root);
    expect(heard?.word.refusal).toMatch(/^[A-Z_]+$/u);
    expect(heard?.chain.certificates[0]?.fingerprint).toBe(leaf.fingerprint);
  });

  test('tells the refusal too where TLS 1.3 demands a client certificate', async () => {
    const { intermediate, root } = bench.hierarchy;
    const demanding = { requestCert: true, rejectUnauthorized: true, ca: root.pem };
    const heard = await ask(
      { chain: [await flawed(intermediate), intermediate], minVersion: 'TLSv1.3', ...demanding },
      root,
    );
    expect(heard?.word.refusal).not.toBeNull();
    expect(heard).not.toBeNull();
  });

  test('says nothing where TLS 1.2 demands one: a missing error proves nothing', async () => {
    const { intermediate, root } = bench.hierarchy;
    const demanding = { requestCert: true, rejectUnauthorized: true, ca: root.pem };
    expect(
      await ask({ chain: [await flawed(intermediate), intermediate], maxVersion: 'TLSv1.2', ...demanding }, root),
    ).toBeNull();
  });

  test('says nothing of a chain that does not reach the anchor, or is out of date', async () => {
    const { leaf, intermediate, root } = bench.hierarchy;
    const stranger = await createIdentity({ name: 'CN=Stranger', authority: true });
    expect(await ask({ chain: [leaf, intermediate] }, stranger)).toBeNull();
    expect(await ask({ chain: [leaf] }, root)).toBeNull();
    const past = { notBefore: new Date('2024-01-01'), notAfter: new Date('2025-01-01') };
    const expired = await createIdentity({ name: `CN=${HOST}`, dnsNames: [HOST], issuer: intermediate, ...past });
    expect(await ask({ chain: [expired, intermediate] }, root)).toBeNull();
  });

  test('says nothing where nobody answers', async () => {
    const request = { target: { host: HOST, port: 1 }, address: '127.0.0.1', serverName: HOST, proxy: null };
    expect(
      await askOpenssl(request, certificateOf(bench.hierarchy.root), probeContext({}), createEndpointDeps()),
    ).toBeNull();
  });
});
