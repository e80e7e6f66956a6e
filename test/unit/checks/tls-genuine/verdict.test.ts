import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TlsEvidence, TlsJudgement, Verdict } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls, worstJudgement } from '../../../../src/checks/tls-genuine/verdict.ts';
import { pinOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, corporate, fortigate } = w;
const judge = (seen: Partial<TlsEvidence>): TlsJudgement => judgeTls(w.evidence(seen));
const control = await w.control('www.iana.org', corporate.root);

test('a product that the administrator trusts is no interception, and not named', () => {
  const trust = { ...w.trust, pins: [...w.trust.pins, pinOf(fortigate, 'configured')] };
  expect(judge({ ...sees(w.byFortigate, fortigate), trust })).toMatchObject({ verdict: 'genuine', product: null });
});

describe('worstJudgement()', () => {
  const all = [
    judge({}),
    judge(sees(w.byNewSub, w.newSub)),
    judge(sees(w.byFortigate, fortigate)),
    judge(sees(w.byCorporate, corporate.root)),
  ];

  test('gives the worst verdict with its product, and the findings and authorities of all, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (judgements) => {
        const worst = worstJudgement([...judgements, ...judgements]);
        expect(worst).toMatchObject({ verdict: 'intercepted', product: 'Fortinet FortiGate' });
        const texts = judgements.flatMap(({ findings }) => findings.map((finding) => JSON.stringify(finding)));
        expect(worst?.findings.map((finding) => JSON.stringify(finding)).toSorted()).toEqual(texts.toSorted());
        const pins = judgements.flatMap(({ authorities }) => authorities.map(({ pin }) => pin));
        expect(worst?.authorities.map(({ pin }) => pin).toSorted()).toEqual(pins.toSorted());
      }),
    );
  });

  test('takes them in this order, the worst first', () => {
    const order: readonly Verdict[] = [
      'intercepted',
      'interception-suspected',
      'blocked',
      'certificate-broken',
      'unknown',
      'vendor-ca-changed',
      'rotated',
      'genuine',
    ];
    const judgements = order.map((verdict): TlsJudgement => ({ ...judge({}), verdict }));
    const left = judgements.map((_, index) => worstJudgement(judgements.slice(index).toReversed())?.verdict);
    expect(left).toEqual(order);
  });

  test('tells what is confirmed before what is suspected', () => {
    const suspected = { ...judge({}), verdict: 'blocked', confidence: 'suspected', summary: 'suspected' } as const;
    const confirmed = { ...suspected, confidence: 'confirmed', summary: 'confirmed' } as const;
    const better = { ...confirmed, verdict: 'certificate-broken' } as const;
    expect(worstJudgement([better, suspected, confirmed])?.summary).toBe('confirmed');
    expect(worstJudgement([confirmed, suspected, better])?.summary).toBe('confirmed');
    expect(worstJudgement([better, suspected])?.summary).toBe('suspected');
  });

  test('lends a product to the address of the same verdict only', () => {
    const nameless = judge({ ...sees(w.byCorporate, corporate.root), controls: [control] });
    const named = judge(sees(w.byFortigate, fortigate));
    const suspect = judge(sees(w.device, genuine.sub));
    expect([nameless.product, named.product, suspect.product]).toEqual([
      null,
      'Fortinet FortiGate',
      'Fortinet FortiGate',
    ]);
    expect(worstJudgement([nameless, named])?.product).toBe('Fortinet FortiGate');
    expect(worstJudgement([suspect, nameless])?.product).toBeNull();
  });

  test('is null for no address at all', () => {
    expect(worstJudgement([])).toBeNull();
  });
});
