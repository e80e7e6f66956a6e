import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { VERDICTS } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { parseCertificate } from '../../../../src/core/parse-certificate.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import {
  certificateOf,
  ed25519Keys,
  handshake,
  longExponentKeys,
  smallRsaKeys,
  withBytes,
} from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { cpuMsOf } from '../../../support/process/cpu-time.ts';

const w = await createCast();
const BOUND_MS = 1500;

/** Returns certificates of which each signs the next, and the last one signs the first. */
async function cycle(): Promise<readonly Identity[]> {
  const one = await createIdentity({ name: 'CN=One', authority: true });
  const two = await createIdentity({ name: 'CN=Two', authority: true, issuer: one });
  return [await createIdentity({ name: 'CN=One', authority: true, keys: one.keys, issuer: two }), two];
}

/** Returns certificates with the same name and key, so that each can have signed every other one. */
async function tangle(count: number): Promise<readonly Identity[]> {
  const first = await createIdentity({ name: 'CN=Same', authority: true });
  const more = Array.from({ length: count - 1 }, (_, index) =>
    createIdentity({
      name: 'CN=Same',
      authority: true,
      keys: first.keys,
      issuer: first,
      serial: (index + 1).toString(16).padStart(4, '0'),
    }),
  );
  return [first, ...(await Promise.all(more))];
}

const loop = await cycle();
const same = await tangle(100);
const ed25519 = await createIdentity({ name: 'CN=Edwards', authority: true, keys: await ed25519Keys() });
const rsa512 = await createIdentity({ name: 'CN=Tiny', authority: true, keys: await smallRsaKeys(512) });
const long = await createIdentity({
  name: `O=${'x'.repeat(60_000)}, CN=${'FG'.repeat(2_000)}`,
  dnsNames: ['a'.repeat(63)],
});
const nameless = await createIdentity({ name: '', dnsNames: ['', '.', '*', '*.', 'xn--'] });
const binary = withBytes(
  await createIdentity({ name: 'CN=é:QQQQQQQ:gpj.exe, OU=FortiGate' }),
  'QQQQQQQ',
  Buffer.from('\u0000\n\u001b,\u202e'),
);
const slow = await createIdentity({ name: 'CN=Slow', authority: true, keys: await longExponentKeys(3072) });
const slowChain = await Promise.all(
  Array.from({ length: 15 }, (_, index) =>
    createIdentity({ name: `CN=Slow ${String(index)}`, authority: true, keys: slow.keys, issuer: slow }),
  ),
);
const garbage = new Uint8Array(300).fill(0x30);

const CHAINS: Readonly<Record<string, readonly Certificate[]>> = {
  '100 certificates of one name and key': same.map(certificateOf),
  '100 certificates under a leaf': [await w.leaf(same[0] ?? w.newRoot), ...same].map(certificateOf),
  'a cycle': [await w.leaf(loop[0] ?? w.newRoot), ...loop].map(certificateOf),
  'a cycle as the leaf': loop.map(certificateOf),
  'the leaf twenty times': Array.from({ length: 20 }, () => certificateOf(w.byNewSub)),
  Ed25519: [await w.leaf(ed25519), ed25519].map(certificateOf),
  'RSA of 512 bits': [await w.leaf(rsa512), rsa512].map(certificateOf),
  'RSA with exponents of 3,072 bits': [await w.leaf(slow), ...slowChain].map(certificateOf),
  'a subject of 60,000 characters': [certificateOf(long)],
  'no names at all': [certificateOf(nameless)],
  'control characters': [certificateOf(binary)],
};

describe('judgeTls() on hostile chains', () => {
  test.each(Object.entries(CHAINS))('gives a verdict in bounded time, and no trust: %s', (_, certificates) => {
    const evidence = w.evidence({ outcome: handshake({ chain: { certificates, dropped: 0 } }) });
    expect(cpuMsOf(() => judgeTls(evidence))).toBeLessThan(BOUND_MS);
    const judgement = judgeTls(evidence);
    expect(VERDICTS).toContain(judgement.verdict);
    expect(['genuine', 'rotated']).not.toContain(judgement.verdict);
  });

  test.each(Object.entries(CHAINS))('shows no control character and no endless text: %s', (_, certificates) => {
    const { findings, summary, wouldSettle } = judgeTls(
      w.evidence({ outcome: handshake({ chain: { certificates, dropped: 0 } }) }),
    );
    for (const text of [summary, wouldSettle ?? '', ...findings.flatMap(({ expected, claim }) => [expected, claim])]) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(text.length).toBeLessThan(4000);
    }
  });

  test('verifies no signature with an exponent of 3,072 bits', () => {
    const evidence = w.evidence({
      outcome: handshake({
        chain: { certificates: CHAINS['RSA with exponents of 3,072 bits'] ?? [], dropped: 0 },
      }),
    });
    expect(cpuMsOf(() => judgeTls(evidence))).toBeLessThan(100);
  });

  test('is unknown if the chain takes too long to verify, unless it leads to a trusted key', () => {
    let now = 0;
    const slowly = (): ReturnType<typeof createSignatureChecks> => createSignatureChecks(2048, () => (now += 100));
    const judged = (...chain: readonly Identity[]): string =>
      judgeTls(w.evidence({ outcome: handshake({}, ...chain) }), slowly()).verdict;
    expect(judged(w.byNewSub, ...same)).toBe('unknown');
    expect(judged(w.otherNode, w.genuine.sub)).toBe('genuine');
  });

  test('trusts Ed25519 where it is pinned', () => {
    const trust = {
      ...w.trust,
      pins: [{ pin: ed25519.pin, label: 'Edwards', origin: 'configured' as const, name: null }],
    };
    const certificates = CHAINS['Ed25519'] ?? [];
    expect(judgeTls(w.evidence({ trust, outcome: handshake({ chain: { certificates, dropped: 0 } }) })).verdict).toBe(
      'genuine',
    );
  });

  test('never trusts RSA of 512 bits, even where it is pinned', () => {
    const trust = { ...w.trust, pins: [{ pin: rsa512.pin, label: 'Tiny', origin: 'configured' as const, name: null }] };
    const certificates = CHAINS['RSA of 512 bits'] ?? [];
    expect(judgeTls(w.evidence({ trust, outcome: handshake({ chain: { certificates, dropped: 0 } }) })).verdict).toBe(
      'certificate-broken',
    );
  });

  test('says that a chain of garbage cannot be read', () => {
    expect(parseCertificate(garbage)).toBeNull();
    const { verdict, summary } = judgeTls(
      w.evidence({ outcome: handshake({ chain: { certificates: [], dropped: 1 } }) }),
    );
    expect(verdict).toBe('unknown');
    expect(summary).toContain('cannot be read');
  });
});
