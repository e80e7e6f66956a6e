import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../../../src/checks/tls-genuine/baseline.ts';
import { createSignatureChecks } from '../../../../src/checks/tls-genuine/signature-checks.ts';
import { unconfirmedBaseline } from '../../../../src/checks/tls-genuine/unconfirmed.ts';
import { createCast } from '../../../support/verdict-cast.ts';

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
