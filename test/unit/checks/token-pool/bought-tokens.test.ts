import { expect, it } from 'vitest';
import type { UnitObservation } from '../../../../src/connectors/picture.ts';
import type { LicenseOutcome, RegistrationObservation } from '../../../../src/core/license/registration.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { LICENSE } from '../../../support/checks/license-bench.ts';
import { judgeTokens, readUnit } from '../../../support/checks/judged-tokens.ts';

type Certificate = Pick<UnitObservation['config']['certificates'][number], 'license' | 'tokens'>;

function judgeBought(registration: RegistrationObservation | null, ...typed: readonly Certificate[]) {
  const certificates = typed.map((one) => ({ ...one, redeemBy: null }));
  const findings = judgeTokens([readUnit(applianceFacts(), { certificates })], registration);
  return findings.filter(({ rule }) => rule === 'tokens-as-bought');
}

/** Returns a lookup result. The unit has 32 tokens of the default licence. */
function said(outcome: LicenseOutcome, license: string = LICENSE): RegistrationObservation {
  return { kind: 'ok', lookups: [{ license, outcome }] };
}

function sold(bought: number): LicenseOutcome {
  return { kind: 'registered', serial: 'FAC-A', bought };
}

it.each<[string, RegistrationObservation | null, readonly (readonly [level: string, suggests: string | null])[]]>([
  ['as many', said(sold(32)), []],
  ['fewer than were sold', said(sold(50)), [['warning', 'token-count-mismatch']]],
  ['more than were sold', said(sold(25)), [['note', null]]],
  ['none yet', said(sold(50), 'EFTM000000000009'), []],
  ['of a SKU that does not say', said({ kind: 'registered', serial: 'FAC-A' }), []],
  ['of a licence that is not listed', said({ kind: 'not-listed' }), []],
  ['of nobody knows what', null, []],
])('tokens on the unit: %s', (_, registration, expected) => {
  const findings = judgeBought(registration);
  expect(findings.map(({ level, suggests }) => [level, suggests])).toEqual(expected);
});

it('names the unit and the licence', () => {
  const [finding] = judgeBought(said(sold(50), LICENSE.toLowerCase()));
  expect(finding).toMatchObject({ subject: 'fac-1', facts: { license: LICENSE } });
});

it.each<[string, number | null, RegistrationObservation | null, readonly unknown[]]>([
  ['as many, and nobody else is asked', 32, null, []],
  ['fewer, and nobody else is asked', 50, null, [{ level: 'warning', suggests: 'token-count-mismatch' }]],
  ['more', 25, null, [{ level: 'note' }]],
  ['without a count', null, null, []],
  ['fewer, and the service says the same', 50, said(sold(50)), [{ level: 'warning' }]],
  ['fewer than either says', 50, said(sold(40)), [{ level: 'warning', confidence: 'suspected' }]],
  ['as many as the service says, and fewer than the certificate', 50, said(sold(32)), []],
  ['as many as the certificate says, and fewer than the service', 32, said(sold(50)), []],
  ['more than either says', 25, said(sold(40)), [{ level: 'note' }]],
])('tokens on the unit, by its certificate: %s', (_, tokens, registration, expected) => {
  const certificate = { license: LICENSE.toLowerCase(), tokens };
  expect(judgeBought(registration, certificate)).toMatchObject(expected);
});
