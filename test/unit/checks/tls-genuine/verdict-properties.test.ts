import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import type { TlsEvidence, Verdict } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { anchorOf, chainOf, established, handshake } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PUBLIC, sees } from '../../../support/certificates/verdict-rows.ts';
import { samples } from '../../../support/random/samples.ts';

const w = await createCast();
const { genuine, copied, corporate, fortigate, leaf, evidence } = w;
// Shared, as in the daemon, because the properties judge thousands of chains with the same few certificates.
const checks = createSignatureChecks();
const verdictOf = (seen: Partial<TlsEvidence>): Verdict => judgeTls(evidence(seen), checks).verdict;

/** Leaves that no trusted key signed, whatever they contain. */
const UNTRUSTED = [
  w.byCorporate,
  w.byCorporateSub,
  w.byFortigate,
  w.selfSigned,
  w.byNewSub,
  await leaf(copied.sub),
  await leaf(copied.root),
  await leaf({ ...genuine.sub, keys: copied.sub.keys }),
  await leaf({ ...genuine.root, keys: corporate.root.keys }),
  await leaf({ ...w.public.sub, keys: corporate.root.keys }),
  await leaf(w.server),
];
/** Certificates that can be sent with them. The genuine authorities are included, because they are public. */
const BESIDE = [
  ...Object.values(genuine),
  ...Object.values(copied),
  ...Object.values(corporate),
  ...Object.values(w.public),
  fortigate,
  w.newRoot,
  w.newSub,
  w.server,
  w.device,
];
const beside = fc.array(fc.constantFrom(...BESIDE), { maxLength: 8 });
const expired = await leaf(genuine.sub, { notAfter: new Date(w.now - 1) });
const control = await w.control('www.iana.org', corporate.root);
const circumstances: fc.Arbitrary<Partial<TlsEvidence>> = fc.record(
  {
    controls: fc.subarray([w.cleanControl, control]),
    references: fc.subarray([
      { kind: 'resolver' as const, label: 'system', chain: chainOf(w.server, genuine.sub) },
      { kind: 'server-name' as const, label: 'www.iana.org', chain: chainOf(w.byCorporate, corporate.root) },
    ]),
    baseline: fc.constantFrom(null, w.baseline(w.server, genuine.sub, genuine.root)),
    now: fc.integer({ min: w.now - 10 * 365 * 86_400_000, max: w.now + 40 * 365 * 86_400_000 }),
    profile: fc.constantFrom('fortinet', 'pinned', 'public'),
    trust: fc.constantFrom(w.trust, { ...w.trust, anchors: [anchorOf(genuine.root), anchorOf(genuine.sub)] }),
    serverName: fc.constantFrom(null, 'fortitokenmobile.fortinet.com', 'other.example'),
  },
  { requiredKeys: [] },
);

describe('judgeTls()', () => {
  test('never calls a chain without a trusted key genuine, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...UNTRUSTED), beside, circumstances, (first, others, around) => {
        const { verdict, confidence } = judgeTls(evidence({ ...around, ...sees(first, ...others) }), checks);
        expect(['genuine', 'rotated']).not.toContain(verdict);
        // By its name, it could be a change at the vendor or an incomplete chain of a public authority, but nothing
        // confirms it.
        const isClaim = verdict === 'vendor-ca-changed' || verdict === 'certificate-broken';
        expect(isClaim ? confidence : 'suspected').toBe('suspected');
      }),
      { numRuns: samples(100) },
    );
  });

  test.each([
    {
      name: 'for the right name',
      leaves: [w.server, w.renewed, w.otherNode],
      never: ['intercepted', 'interception-suspected', 'unknown'],
    },
    // A different server could have answered, but an interceptor does not have a pinned key.
    { name: 'for another name', leaves: [w.misnamed], never: ['genuine', 'intercepted'] },
  ])('never takes a chain under a pinned key for an interception, $name', ({ leaves, never }) => {
    fc.assert(
      fc.property(fc.constantFrom(...leaves), beside, circumstances, (first, others, around) => {
        const clean = { ...around, now: w.now, profile: 'fortinet' as const, baseline: null };
        expect(never).not.toContain(verdictOf({ ...clean, ...sees(first, genuine.sub, ...others) }));
      }),
      { numRuns: samples(60) },
    );
  });

  const INNOCENT: readonly (Partial<TlsEvidence> & { readonly outcome: TlsEvidence['outcome'] })[] = [
    { outcome: established(w.server, genuine.sub) },
    { outcome: established(expired, genuine.sub) },
    { outcome: established(w.misnamed, genuine.sub) },
    { outcome: established(w.byNewSub, w.newSub) },
    { outcome: established(w.byNewSub) },
    { outcome: established(w.publicLeaf, w.public.sub) },
    { ...PUBLIC, outcome: established(w.publicServer, w.public.sub) },
    { ...PUBLIC, outcome: established(w.publicServer) },
  ];
  const ownLeaf = (outcome: TlsEvidence['outcome']): TlsEvidence['references'] =>
    outcome.chain === null ? [] : [{ kind: 'resolver', label: 'system', chain: outcome.chain }];
  /** Each case occurs in a healthy or merely badly configured network. */
  const BENIGN: Readonly<Record<string, (seen: (typeof INNOCENT)[number]) => Partial<TlsEvidence>>> = {
    'no control host': () => ({ controls: [] }),
    'a clean control host': () => ({ controls: [w.cleanControl] }),
    'another private authority on a control host': () => ({ controls: [control] }),
    'the same chain by another resolver': ({ outcome }) => ({ references: ownLeaf(outcome) }),
    'a demand for a client certificate': ({ outcome }) => ({
      outcome: handshake({ kind: 'client-certificate-demanded', chain: outcome.chain ?? chainOf() }),
    }),
    'a stray certificate': ({ outcome }) => ({
      outcome: handshake({
        chain: {
          certificates: [...(outcome.chain?.certificates ?? []), ...chainOf(w.ownLeaf).certificates],
          dropped: 0,
        },
      }),
    }),
    'a missing intermediate': ({ outcome }) => ({
      outcome: handshake({ chain: { certificates: (outcome.chain?.certificates ?? []).slice(0, 1), dropped: 0 } }),
    }),
    'a certificate that cannot be read': ({ outcome }) => ({
      outcome: handshake({ chain: { certificates: outcome.chain?.certificates ?? [], dropped: 1 } }),
    }),
    'a clock that is years ahead': () => ({ now: w.now + 5 * 365 * 86_400_000 }),
    'a clock that is years behind': () => ({ now: w.now - 5 * 365 * 86_400_000 }),
  };

  test('is never raised to an interception by anything benign', () => {
    fc.assert(
      fc.property(fc.constantFrom(...INNOCENT), fc.subarray(Object.keys(BENIGN)), (innocent, names) => {
        const seen = names.reduce((before, name) => ({ ...before, ...BENIGN[name]?.(before) }), innocent);
        expect(['intercepted', 'interception-suspected', 'blocked']).not.toContain(verdictOf(seen));
      }),
      { numRuns: samples(100) },
    );
  });

  test('says the same whether signatures are remembered or not', () => {
    fc.assert(
      fc.property(fc.constantFrom(...UNTRUSTED, w.server, w.device), beside, (first, others) => {
        const seen = evidence(sees(first, ...others));
        expect(judgeTls(seen, createSignatureChecks(1))).toEqual(judgeTls(seen, checks));
      }),
      { numRuns: samples(10) },
    );
  });
});
