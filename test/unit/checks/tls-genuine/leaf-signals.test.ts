import { describe, expect, test } from 'vitest';
import { openCase } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { HOUR_MS } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const leaf = certificateOf(w.byCorporate);

function minted(ageMs: number): readonly string[] {
  const evidence = w.evidence({ now: leaf.notBefore + ageMs });
  return signalsOf(openCase([leaf], evidence, createSignatureChecks()))
    .filter(({ rule }) => rule === 'certificate-is-not-brand-new')
    .map(({ claim }) => claim);
}

describe('a certificate that was made just now', () => {
  test.each([
    ['in this moment', 0, ['The certificate became valid only moments ago.']],
    ['a minute ago', 60_000, ['The certificate became valid only 1 minute ago.']],
    ['a minute and a half ago', 90_000, ['The certificate became valid only 2 minutes ago.']],
    ['two hours ago', 2 * HOUR_MS, ['The certificate became valid only 2 hours ago.']],
    ['almost six hours ago', 6 * HOUR_MS - 1, ['The certificate became valid only 6 hours ago.']],
    ['six hours ago', 6 * HOUR_MS, []],
    ['in the future', -1, []],
  ])('%s', (_, age, told) => {
    expect(minted(age)).toEqual(told);
  });
});
