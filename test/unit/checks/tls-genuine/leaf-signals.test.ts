import { describe, expect, test } from 'vitest';
import { openCase, type TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { HOUR_MS, recent } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const leaf = certificateOf(w.byCorporate);

function minted(ageMs: number, previous: TlsEvidence['previous'] = []): readonly string[] {
  const evidence = w.evidence({ now: leaf.notBefore + ageMs, previous });
  return signalsOf(openCase([leaf], evidence, createSignatureChecks()))
    .filter(({ rule }) => rule === 'certificate-is-not-brand-new' || rule === 'serial-stays')
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

describe('a certificate with another serial on each connection', () => {
  const now = leaf.notBefore + 10 * DAY_MS;
  const told = (...serials: readonly string[]): readonly string[] => minted(10 * DAY_MS, recent(now, ...serials));

  test('is told from the fourth in a day on', () => {
    expect(told('01', '02')).toEqual([]);
    expect(told('01', '02', '03')).toEqual([
      'Each of 4 connections within a day received a certificate with a different serial number.',
    ]);
  });

  test('is not told where one of them comes again', () => {
    expect(told('01', '02', '03', '01')).toEqual([]);
    expect(told('01', '02', leaf.serial)).toEqual([]);
  });

  test('counts no more than a day', () => {
    const at = (age: number): TlsEvidence['previous'] => [
      ...recent(now, '01', '02'),
      { serial: '03', pin: 'sha256/other', at: now - age },
    ];
    expect(minted(10 * DAY_MS, at(DAY_MS))).toHaveLength(1);
    expect(minted(10 * DAY_MS, at(DAY_MS + 1))).toEqual([]);
  });
});
