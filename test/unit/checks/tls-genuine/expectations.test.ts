import '../../../../src/demo/lab/reflect-metadata.ts';
import { ExtendedKeyUsageExtension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import type { TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, chainOf, failed, handshake } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PUBLIC, sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, server } = w;

function seenInstead(rule: string, seen: Partial<TlsEvidence>): string | undefined {
  return judgeTls(w.evidence(seen)).findings.find((finding) => finding.rule === rule)?.claim;
}

function actualOfRule(rule: string, seen: Partial<TlsEvidence>): string | undefined {
  return judgeTls(w.evidence(seen)).findings.find((finding) => finding.rule === rule)?.actual;
}

describe('the dates of a chain', () => {
  const until = (at: string): Promise<typeof genuine.sub> =>
    createIdentity({
      name: 'O=Fortinet, CN=Sub',
      authority: true,
      issuer: genuine.root,
      notBefore: new Date('2020-01-01'),
      notAfter: new Date(at),
    });

  test('are told of the certificate that is out of date, though others are valid', async () => {
    const sub = await until('2021-06-30');
    const told = seenInstead('certificate-is-in-date', sees(await w.leaf(sub), sub, genuine.root));
    expect(told).toBe('The certificate of Sub is valid only from 2020-01-01 to 2021-06-30.');
  });

  test.each([
    ['before it begins, on that day', '2026-11-28T06:00:00Z', '2026-11-28T14:00:00Z', '2027-01-01T00:00:00Z', true],
    ['after it has ended, on that day', '2026-11-28T18:00:00Z', '2026-01-01T00:00:00Z', '2026-11-28T14:00:00Z', true],
    ['on another day', '2026-11-27T18:00:00Z', '2026-11-28T14:00:00Z', '2027-01-01T00:00:00Z', false],
  ])('are told with their time %s', async (_, at, from, to, hasTime) => {
    const leaf = await w.leaf(genuine.sub, { notBefore: new Date(from), notAfter: new Date(to) });
    const seen = w.evidence({ ...sees(leaf, genuine.sub), now: Date.parse(at) });
    const told = judgeTls(seen).findings.find(({ rule }) => rule === 'certificate-is-in-date');
    const text = (date: string): string =>
      hasTime ? `${date.slice(0, 10)} ${date.slice(11, 19)} UTC` : date.slice(0, 10);
    expect(told?.expected).toBe(`Valid ${hasTime ? 'at' : 'on'} ${text(at)}`);
    expect(told?.claim).toBe(`The certificate is valid only from ${text(from)} to ${text(to)}.`);
  });

  test('are right in the first moment and in the last', async () => {
    const leaf = await w.leaf(genuine.sub, { notAfter: new Date('2040-01-01') });
    const { notBefore, notAfter } = certificateOf(leaf);
    const verdictAt = (now: number): string => judgeTls(w.evidence({ ...sees(leaf, genuine.sub), now })).verdict;
    expect([notBefore - 1, notBefore, notAfter, notAfter + 1].map(verdictAt)).toEqual([
      'certificate-broken',
      'genuine',
      'genuine',
      'certificate-broken',
    ]);
  });
});

test.each(['reset', 'closed', 'timeout'] as const)('a connection that is cut is told with how: %s', (reason) => {
  const told = seenInstead('tls-handshake-answered', {
    outcome: failed({ reason, chain: chainOf(server, genuine.sub) }),
  });
  expect(told).toBe(`The connection ended immediately after the certificate was received (${reason}).`);
});

test('certificates that were left out are told, with how many', () => {
  const chain = { ...chainOf(server, genuine.sub), dropped: 2 };
  expect(seenInstead('chain-is-readable', { outcome: failed({ reason: 'reset', chain }) })).toBe(
    'The chain contains 2 additional certificates, which were ignored.',
  );
  expect(seenInstead('chain-is-readable', { now: w.now + 500 * DAY_MS })).toBeUndefined();
});

describe('what no client should take', () => {
  test('is told by its keys and signatures, from the leaf up to where it ends', async () => {
    const leaf = await w.leaf(genuine.sub, { key: 'RSA-1024' });
    expect(actualOfRule('keys-and-signatures-are-strong', sees(leaf, genuine.sub))).toBe(
      'RSA-1024 signed with ecdsa-with-SHA256; EC-P-256 signed with ecdsa-with-SHA256',
    );
  });

  test('is told of the first three certificates, of more', async () => {
    const sub = await createIdentity({ name: 'CN=Sub', authority: true, issuer: genuine.sub });
    const leaf = await w.leaf(sub, { key: 'RSA-1024' });
    const trust = { ...w.trust, pins: w.trust.pins.filter(({ pin }) => pin === genuine.root.pin) };
    const told = actualOfRule('keys-and-signatures-are-strong', {
      ...sees(leaf, sub, genuine.sub, genuine.root),
      trust,
    });
    expect(told?.split('; ')).toHaveLength(3);
  });

  test('is told by its use, where its keys are right', async () => {
    const leaf = await w.leafFor('push.fortinet.com', w.public.sub, {
      extensions: [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])],
    });
    expect(seenInstead('certificate-is-for-servers', { ...PUBLIC, ...sees(leaf, w.public.sub) })).toBe(
      'The certificate is not intended for TLS servers.',
    );
  });
});

test('all that is weaker than learned is told', async () => {
  const leaf = await w.leaf(genuine.sub, { key: 'RSA-1024' });
  const outcome = handshake({ protocol: 'TLSv1.2' }, leaf, genuine.sub);
  expect(seenInstead('as-strong-as-learned', { outcome, baseline: w.baseline(server, genuine.sub) })).toBe(
    'The connection uses weaker cryptography than the learned connection: key RSA-1024 instead of EC-P-256, protocol TLSv1.2 ' +
      'instead of TLSv1.3.',
  );
});
