import { expect, it } from 'vitest';
import { judgeBought } from '../../../../src/checks/token-pool/bought-tokens.ts';
import type { LicenseOutcome, RegistrationObservation } from '../../../../src/core/license/registration.ts';
import { applianceFacts } from '../../../support/appliance-facts.ts';
import { LICENSE } from '../../../support/license-bench.ts';

/** The unit has 32 tokens of it. */
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
  const findings = judgeBought(applianceFacts(), registration);
  expect(findings.map(({ level, suggests }) => [level, suggests])).toEqual(expected);
});

it('names the licence, what was sold and what is held', () => {
  const [finding] = judgeBought(applianceFacts(), said(sold(50), LICENSE.toLowerCase()));
  expect(finding).toMatchObject({
    subject: 'fac-1',
    expected: `50 tokens of licence ${LICENSE.toLowerCase()}, as it was sold`,
    actual: '32 tokens of it',
    facts: { license: LICENSE.toLowerCase() },
  });
});
