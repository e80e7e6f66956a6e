import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../../../src/tls/trust.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { refusedBaselineFindings, unconfirmedBaseline } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';

const w = await createCast();
const { genuine, copied, corporate, baseline } = w;
const weak = await w.leaf(genuine.sub, { key: 'RSA-1024' });
const forged = await w.leaf(copied.sub);
const rests = (learned: Baseline, profile: 'fortinet' | 'pinned' = 'fortinet'): string | undefined =>
  unconfirmedBaseline(learned, { profile, trust: w.trust, now: w.now, checks: createSignatureChecks() })?.fingerprint;

describe('unconfirmedBaseline()', () => {
  test.each([
    ["the vendor's own chain", baseline(w.server, genuine.sub, genuine.root), 'fortinet'],
    ['a public chain', baseline(w.publicLeaf, w.public.sub), 'fortinet'],
    ['anything, under a profile whose authorities are configured', baseline(w.byNewSub, w.newSub), 'pinned'],
  ] as const)('takes %s', (_, learned, profile) => {
    expect(rests(learned, profile)).toBeUndefined();
  });

  const mixed = baseline(w.server, genuine.sub, corporate.sub);
  const byCompany = baseline(w.byCorporateSub, corporate.sub);

  test.each([
    ["a company's sub-authority", byCompany, corporate.sub],
    ["a company's whole chain", baseline(w.byCorporateSub, corporate.sub, corporate.root), corporate.root],
    ["the vendor's name under another key", baseline(w.byNewSub, w.newSub), w.newSub],
    ["a weak key under the vendor's authority", baseline(weak, genuine.sub), weak],
    ["what the vendor's authority did not sign", baseline(forged, genuine.sub, genuine.root), forged],
    ['a leaf alone', baseline(w.byNewSub), w.byNewSub],
    ['one node that nobody confirms', { ...mixed, leaves: [...mixed.leaves, ...byCompany.leaves] }, corporate.sub],
  ])('refuses %s, unless its fingerprint was typed', (_, learned, end) => {
    expect(rests(learned)).toBe(end.fingerprint);
    expect(rests({ ...learned, accepted: [end.fingerprint] })).toBeUndefined();
    expect(rests({ ...learned, accepted: [w.server.fingerprint] })).toBe(end.fingerprint);
  });

  test('is a warning that suggests nothing, if anything was refused', () => {
    const refused = { baseline: byCompany, unconfirmed: certificateOf(corporate.sub) };
    expect(refusedBaselineFindings('ftm.example:443', refused)).toMatchObject([
      { rule: 'learned-trust-is-confirmed', subject: 'ftm.example:443', level: 'warning', suggests: null },
    ]);
    expect(refusedBaselineFindings('ftm.example:443', null)).toEqual([]);
  });
});
