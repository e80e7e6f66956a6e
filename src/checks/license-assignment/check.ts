import { instantText } from '../../core/instant-text.ts';
import { licensesOf } from '../../core/license/licenses-of.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import { unitOf } from '../../core/license/unit.ts';
import type { Declaration, Judgement } from '../declaration.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { UnitFacts } from '../unit-facts.ts';
import type { UnitObservation } from '../../sources/appliances/unit-observation.ts';
import { ASSIGNMENT_CAUSES, type AssignmentCause } from './causes.ts';
import { judgeLicenseAssignment } from './judge.ts';
import type { ListedUnit } from './placement.ts';
import { judgeRedeemBy } from './redeem-by.ts';

export const licenseAssignment: Declaration<'license-assignment', AssignmentCause> = {
  id: 'license-assignment',
  title: 'Licence assignment',
  dependsOn: [],
  explainedBy: [],
  causes: ASSIGNMENT_CAUSES,
  unknownRemedy:
    'See that the serial numbers of the unit and of its licences are known (appliances[].serial, ' +
    'appliances[].licenses) and that "registration" answers.',
  // The serial number that a licence is looked up for is read from the appliance.
  unknownWith: ['appliance'],
  place: { kind: 'branch', name: 'Registration', hint: 'who owns the licence' },
  step: 'registration',
  from: 'units',
  sources: ['appliances', 'registration'],
  judge: judgeAssignment,
};

function judgeAssignment({ config, picture: { appliances: units, registration }, at }: UnitFacts): Judgement {
  const expiring = judgeRedeemBy({ units, registration, at });
  if (config.registration === null) {
    const summary = 'The registration service is not configured';
    return expiring.length === 0 ? notConfigured(summary) : judged(expiring, summary);
  }
  if (units.length === 0) return unjudged('No appliance is configured whose licences could be looked up');
  if (registration === null) return unjudged('Not asked yet');
  const listed = units.map(listedUnit);
  const findings = listed.flatMap((unit) => judgeLicenseAssignment({ ...unit, listed, registration }));
  return judged(
    [...findings, ...expiring],
    `Every licence is registered to its FortiAuthenticator${ageOf(registration)}`,
  );
}

/** For answers that stand because the service gave no newer one. */
function ageOf(registration: RegistrationObservation): string {
  const since =
    registration.kind === 'ok'
      ? registration.lookups.flatMap(({ kept }) => (kept === undefined ? [] : [kept.since]))
      : [];
  return since.length === 0 ? '' : `, as the registration service said at ${instantText(Math.min(...since))}`;
}

function listedUnit({ config, rest, role }: UnitObservation): ListedUnit {
  return { unit: unitOf(config, rest, role), licenses: licensesOf(config.licenses, rest), appliance: rest };
}
