import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../../../src/tls/trust.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import {
  refusedBaselineFindings as refusedBaselineFindingsUnchecked,
  unconfirmedBaseline,
} from '../../../../src/checks/tls-genuine/chain-case.ts';
import { formatDistinguishedName } from '../../../../src/core/certificate.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const refusedBaselineFindings = withPlainClaims(refusedBaselineFindingsUnchecked);

const w = await createCast();
const weak = await w.leaf(w.genuine.sub, { key: 'RSA-1024' });
const forged = await w.leaf(w.copied.sub);
const rests = (baseline: Baseline, over: Partial<Parameters<typeof unconfirmedBaseline>[1]> = {}): string | undefined =>
  unconfirmedBaseline(baseline, {
    profile: 'fortinet',
    trust: w.trust,
    now: w.now,
    checks: createSignatureChecks(),
    ...over,
  })?.fingerprint;

describe('unconfirmedBaseline()', () => {
  test.each([
    { name: "the vendor's own chain", baseline: w.baseline(w.server, w.genuine.sub, w.genuine.root) },
    { name: 'a public chain', baseline: w.baseline(w.publicLeaf, w.public.sub) },
  ])('takes $name', ({ baseline }) => {
    expect(rests(baseline)).toBeUndefined();
  });

  test.each([
    {
      name: "a company's sub-authority",
      baseline: w.baseline(w.byCorporateSub, w.corporate.sub),
      end: w.corporate.sub,
    },
    { name: "the vendor's name under another key", baseline: w.baseline(w.byNewSub, w.newSub), end: w.newSub },
    {
      name: "a company's whole chain",
      baseline: w.baseline(w.byCorporateSub, w.corporate.sub, w.corporate.root),
      end: w.corporate.root,
    },
    { name: "a weak key under the vendor's authority", baseline: w.baseline(weak, w.genuine.sub), end: weak },
    {
      name: "what the vendor's authority did not sign",
      baseline: w.baseline(forged, w.genuine.sub, w.genuine.root),
      end: forged,
    },
    { name: 'a leaf alone', baseline: w.baseline(w.byNewSub), end: w.byNewSub },
  ])('refuses $name, unless its fingerprint was typed', ({ baseline, end }) => {
    expect(rests(baseline)).toBe(end.fingerprint);
    expect(rests({ ...baseline, accepted: [end.fingerprint] })).toBeUndefined();
    expect(rests({ ...baseline, accepted: [w.server.fingerprint] })).toBe(end.fingerprint);
  });

  test('one node that nobody confirms is enough', () => {
    const genuine = w.baseline(w.server, w.genuine.sub, w.corporate.sub);
    const baseline = { ...genuine, leaves: [...genuine.leaves, ...w.baseline(w.byCorporateSub).leaves] };
    expect(rests(baseline)).toBe(w.corporate.sub.fingerprint);
  });

  test('other profiles name their authorities themselves', () => {
    expect(rests(w.baseline(w.byNewSub, w.newSub), { profile: 'pinned' })).toBeUndefined();
  });
});

describe('refusedBaselineFindings()', () => {
  const baseline = w.baseline(w.byCorporateSub, w.corporate.sub);
  const unconfirmed = certificateOf(w.corporate.sub);

  test('tell what it rests on, as a warning that suggests nothing', () => {
    const [finding, ...more] = refusedBaselineFindings('ftm.example:443', { baseline, unconfirmed });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ rule: 'learned-trust-is-confirmed', subject: 'ftm.example:443', level: 'warning' });
    expect(finding?.suggests).toBeNull();
    expect(finding?.expected).toContain('a fingerprint entered when');
    expect(finding?.actual).toBe(
      `The chain learned on ${new Date(baseline.learnedAt).toISOString().slice(0, 10)} is not used, because its ` +
        `authority ${formatDistinguishedName(unconfirmed.subject)} (SHA-256 ${unconfirmed.fingerprint}) was not ` +
        'confirmed. For details, run "ftm-watch trust learn"',
    );
  });

  test('are none where nothing was refused', () => {
    expect(refusedBaselineFindings('ftm.example:443', null)).toEqual([]);
  });
});
