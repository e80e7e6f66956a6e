import '../../../../src/demo/lab/reflect-metadata.ts';
import { ExtendedKeyUsageExtension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import type { Flaw, FlawKind } from '../../../../src/tls/flaws.ts';
import { ageOf, judgeFlaws, learnedFlaws } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { createSignatureChecks, type ChainTrust } from '../../../../src/tls/chain.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { createWorld } from '../../../support/certificates/interception-world.ts';

type TrustedPath = NonNullable<ReturnType<typeof judgeFlaws>>;

const w = await createWorld();
const { now } = w;
const forClients = { extensions: [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])] };
const end = await createIdentity({ name: 'CN=Trusted', authority: true, pathLength: 0 });
const middle = await createIdentity({ name: 'CN=For clients', authority: true, issuer: w.genuine.root, ...forClients });
const shortest = await createIdentity({ name: 'CN=Sub', authority: true, issuer: w.genuine.root, pathLength: 0 });
const soundBelow = [await w.leaf(shortest), shortest].map(certificateOf);
const sound = [await w.leaf(end), end].map(certificateOf);
const flawed = [await w.leaf(end, forClients), end].map(certificateOf);
const flawedBetween = [await w.leaf(middle), middle, w.genuine.root].map(certificateOf);
const top = certificateOf(end);
const HOUR_MS = 60 * 60 * 1000;

interface Seen {
  readonly kind?: ChainTrust['kind'];
  readonly profile?: 'fortinet' | 'public';
  /** Configured certificates of the trusted key. */
  readonly held?: readonly Certificate[];
  /** Authorities in the learned baseline. */
  readonly learned?: readonly Certificate[];
  readonly refusal?: string | null;
}

function judge(
  path: readonly Certificate[],
  { kind = 'trusted', profile = 'fortinet', held = [], learned, refusal }: Seen = {},
  checks = createSignatureChecks(),
): TrustedPath | null {
  const anchors = held.map((certificate) => ({ certificate, label: 'held', origin: 'configured' as const }));
  return judgeFlaws(
    { kind, path, label: null, authorities: [] },
    {
      profile,
      now,
      openssl: refusal === undefined ? null : { refusal },
      trust: { ...w.trust, anchors },
      baseline: learned === undefined ? null : { ...w.baseline(w.server), authorities: learned },
    },
    checks,
  );
}

const kindsOf = (judged: TrustedPath | null): readonly FlawKind[] | undefined => judged?.flaws.map(({ kind }) => kind);
const valid = (from: number, to: number): Certificate => ({ ...top, notBefore: now + from, notAfter: now + to });

describe('judgeFlaws()', () => {
  test.each<readonly [string, readonly Certificate[], Seen, readonly FlawKind[] | undefined]>([
    ['a sound chain', sound, {}, []],
    ['a chain that ends below its root', soundBelow, {}, []],
    ['a leaf for clients', flawed, {}, ['not-for-servers']],
    ['an authority for clients between them', flawedBetween, {}, ['not-for-servers']],
    [
      'a chain under a public root, where those count',
      flawed,
      { kind: 'public', profile: 'public' },
      ['not-for-servers'],
    ],
    ['a chain under a public root, where they do not count', flawed, { kind: 'public' }, undefined],
    ['a chain that leads nowhere', flawed, { kind: 'foreign' }, undefined],
    ['a flaw that OpenSSL does not mind', flawed, { refusal: null }, []],
    ['what OpenSSL alone knows', sound, { refusal: 'CERT_REJECTED' }, ['openssl']],
    ['what OpenSSL refuses and our rules explain', flawed, { refusal: 'CERT_REJECTED' }, ['not-for-servers']],
    ['an expired end of which the key alone is held', [...sound.slice(0, 1), valid(-2, -1)], {}, []],
    ['an end that is held, and expired', sound, { held: [valid(-2, -1)] }, ['authority-out-of-date']],
    ['an end that was learned, and has expired', sound, { learned: [valid(-2, -1)] }, ['authority-out-of-date']],
    ['another key that has expired', sound, { held: [{ ...valid(-2, -1), pin: 'sha256/other' }] }, []],
    [
      'an end that has expired since OpenSSL was asked',
      sound,
      { held: [valid(-2, -1)], refusal: null },
      ['authority-out-of-date'],
    ],
  ])('%s', (_, path, seen, kinds) => {
    expect(kindsOf(judge(path, seen))).toEqual(kinds);
  });

  test.each([
    ['the one that is valid', [valid(-2, -1), valid(1, 2), valid(-HOUR_MS, HOUR_MS)], 2],
    ['one that is valid from now on', [valid(-2, -1), valid(0, 1)], 1],
    ['one that is valid until now', [valid(1, 2), valid(-1, 0)], 1],
    ['the first, where none is', [valid(-2, -1), valid(-4, -3)], 0],
  ])('of several certificates of the trusted key takes %s', (_, held, index) => {
    expect(judge(sound, { held })?.end).toBe(held[index]);
  });

  test('remembers each chain by itself', () => {
    const checks = createSignatureChecks();
    expect([sound, flawed, sound].map((path) => kindsOf(judge(path, {}, checks)))).toEqual([
      [],
      ['not-for-servers'],
      [],
    ]);
  });
});

describe('learnedFlaws()', () => {
  test('knows nothing of a chain that leads to no key that can be trusted', async () => {
    const weak = await w.leaf(w.genuine.sub, { key: 'RSA-1024', ...forClients });
    const options = { profile: 'fortinet', trust: w.trust, now, checks: createSignatureChecks() } as const;
    expect(learnedFlaws(w.baseline(weak, w.genuine.sub), options)).toEqual(['openssl']);
  });
});

describe('ageOf()', () => {
  const [length, usage] = (['path-length', 'not-for-servers'] as const).map(
    (kind): Flaw => ({ kind, claim: kind, fullNames: [] }),
  );
  if (length === undefined || usage === undefined) throw new Error('Expected two flaws');
  test.each([
    { flaws: [], known: [], age: 'none' },
    { flaws: [], known: null, age: 'none' },
    { flaws: [length], known: null, age: 'old' },
    { flaws: [length], known: ['path-length'] as const, age: 'old' },
    { flaws: [length, usage], known: ['path-length', 'not-for-servers'] as const, age: 'old' },
    { flaws: [length, usage], known: ['path-length'] as const, age: 'new' },
    { flaws: [length], known: [], age: 'new' },
  ])('$flaws.length, of which $known were known: $age', ({ flaws, known, age }) => {
    expect(ageOf(flaws, known)).toBe(age);
  });
});
