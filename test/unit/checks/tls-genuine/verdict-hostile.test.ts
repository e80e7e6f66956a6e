import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { VERDICTS, type TlsEvidence, type TlsJudgement } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { parseCertificate } from '../../../../src/tls/parse-certificate.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import {
  certificateOf,
  ed25519Keys,
  handshake,
  longExponentKeys,
  pinOf,
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

const judge = (certificates: readonly Certificate[], more: Partial<TlsEvidence> = {}): TlsJudgement =>
  judgeTls(w.evidence({ outcome: handshake({ chain: { certificates, dropped: 0 } }), ...more }));

describe('judgeTls() on hostile chains', () => {
  test.each(Object.entries(CHAINS))('gives a verdict in bounded time, no trust, and bounded text: %s', (_, chain) => {
    expect(cpuMsOf(() => judge(chain))).toBeLessThan(BOUND_MS);
    const { verdict, findings, summary, wouldSettle } = judge(chain);
    expect(VERDICTS).toContain(verdict);
    expect(['genuine', 'rotated']).not.toContain(verdict);
    for (const text of [summary, wouldSettle ?? '', ...findings.flatMap(({ expected, claim }) => [expected, claim])]) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(text.length).toBeLessThan(4000);
    }
  });

  test('verifies no signature with an exponent of 3,072 bits', () => {
    const chain = CHAINS['RSA with exponents of 3,072 bits'] ?? [];
    expect(cpuMsOf(() => judge(chain))).toBeLessThan(100);
  });

  test('is unknown if the chain takes too long to verify, unless it leads to a trusted key', () => {
    let now = 0;
    const slowly = (): ReturnType<typeof createSignatureChecks> => createSignatureChecks(2048, () => (now += 100));
    const judged = (...chain: readonly Identity[]): string =>
      judgeTls(w.evidence({ outcome: handshake({}, ...chain) }), slowly()).verdict;
    expect(judged(w.byNewSub, ...same)).toBe('unknown');
    expect(judged(w.otherNode, w.genuine.sub)).toBe('genuine');
  });

  test.each([
    ['Ed25519', ed25519, 'genuine'],
    ['RSA of 512 bits', rsa512, 'certificate-broken'],
  ] as const)('takes a pinned key of %s for $2', (name, identity, verdict) => {
    const trust = { ...w.trust, pins: [pinOf(identity, 'configured')] };
    expect(judge(CHAINS[name] ?? [], { trust }).verdict).toBe(verdict);
  });

  test('does not read a chain of garbage', () => {
    expect(parseCertificate(new Uint8Array(300).fill(0x30))).toBeNull();
  });
});
