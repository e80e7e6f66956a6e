import '../../../../src/demo/lab/reflect-metadata.ts';
import { ExtendedKeyUsageExtension, Extension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { learnedFlaws, type TlsEvidence, type TlsJudgement } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const forClients = await w.leaf(w.genuine.sub, { extensions: [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])] });
const strange = await w.leaf(w.genuine.sub, {
  extensions: [new Extension('1.3.6.1.4.1.12356.1', true, new Uint8Array([5, 0]))],
});

const judge = (
  over: Partial<TlsEvidence>,
): Pick<TlsJudgement, 'verdict'> & { readonly levels: readonly string[]; readonly summary: string } => {
  const { verdict, findings, summary } = judgeTls(w.evidence(over));
  return {
    verdict,
    summary,
    levels: findings.filter(({ rule }) => rule === 'chain-has-no-flaw').map(({ level }) => level),
  };
};
const clients = sees(forClients, w.genuine.sub, w.genuine.root);

describe('judgeTls() on chains that TLS clients refuse', () => {
  test.each([
    { name: 'that was never seen without it', known: null, level: 'warning' },
    { name: 'that always had it', known: ['not-for-servers', 'path-length'] as const, level: 'warning' },
    { name: 'that did not have it before', known: [], level: 'broken' },
    { name: 'that had another one before', known: ['path-length'] as const, level: 'broken' },
  ])('a chain $name: $level', ({ known, level }) => {
    const { verdict, levels, summary } = judge({ ...clients, knownFlaws: known });
    expect({ verdict, levels }).toEqual({ verdict: 'certificate-broken', levels: [level] });
    expect(summary).toContain('is not intended for TLS servers');
  });

  test("OpenSSL's word counts more than our rules, and names what they do not know", () => {
    expect(judge({ ...clients, openssl: { refusal: null }, knownFlaws: [] }).verdict).toBe('genuine');
    const refused = judge({ openssl: { refusal: 'CERT_REJECTED' }, knownFlaws: [] });
    expect(refused).toMatchObject({ verdict: 'certificate-broken', levels: ['broken'] });
    expect(refused.summary).toContain('CERT_REJECTED');
    expect(judge({ ...sees(strange, w.genuine.sub), openssl: { refusal: 'UNSPECIFIED' } }).summary).toContain(
      'critical extension',
    );
  });

  test('an authority that has expired since OpenSSL was asked', () => {
    const root = { ...anchorOf(w.genuine.root) };
    const expired = { ...root, certificate: { ...root.certificate, notAfter: w.now - DAY_MS } };
    const trust = { ...w.trust, pins: [], anchors: [expired] };
    const seen = { ...sees(w.server, w.genuine.sub), trust, knownFlaws: [], openssl: { refusal: null } };
    expect(judge(seen)).toMatchObject({ verdict: 'certificate-broken', levels: ['broken'] });
  });

  test('an old copy that is sent of an authority which is held in a newer certificate is no flaw', async () => {
    const past = { notBefore: new Date('2015-01-01'), notAfter: new Date('2020-01-01') };
    const old = await createIdentity({ name: w.public.root.name, keys: w.public.root.keys, authority: true, ...past });
    const evidence = {
      ...sees(w.publicServer, w.public.sub, old),
      profile: 'public',
      target: 'push.fortinet.com:443',
      serverName: 'push.fortinet.com',
    } as const;
    expect(judge(evidence).verdict).toBe('genuine');
  });

  test('a chain that leads to no trusted key is judged for that', () => {
    expect(
      judgeTls(w.evidence({ ...sees(w.byCorporate, w.corporate.root), openssl: { refusal: 'CERT_REJECTED' } }))
        .accepted,
    ).toBeNull();
  });

  test('what a learned chain had is known', () => {
    const options = { profile: 'fortinet', trust: w.trust, now: w.now, checks: createSignatureChecks() } as const;
    expect(learnedFlaws(w.baseline(forClients, w.genuine.sub), options)).toEqual(['not-for-servers', 'openssl']);
    expect(learnedFlaws(w.baseline(w.server, w.genuine.sub), options)).toEqual(['openssl']);
  });
});
