import type { AssignmentCause } from './causes.ts';
import { type Finding, type FindingFacts, known, note, type Told, unknown } from '../../engine/finding.ts';
import type { Failure } from '../../core/observation.ts';
import { withMore } from '../../engine/words/claim.ts';
import { instantText, utcText } from '../../core/instant-text.ts';
import { holdsTokensOf } from '../../core/license/activation-context.ts';
import { isCoveredByOthers, placementOf, usersOf, type ListedUnit } from './placement.ts';
import type {
  LicenseLookup,
  LicenseOutcome,
  Postponed,
  RegistrationObservation,
} from '../../core/license/registration.ts';
import { sameSerial, type Unit } from '../../core/license/unit.ts';

type Verdict = Pick<Finding<AssignmentCause>, 'level' | 'suggests' | 'claim' | 'actual' | 'confidence' | 'kind'>;

export interface AssignmentInput extends ListedUnit {
  /** Every configured appliance: members of a cluster are judged as a group. */
  readonly listed: readonly ListedUnit[];
  readonly registration: RegistrationObservation;
}

/**
 * Judges precondition `license-assignment` for one appliance: each of its licences registered to where it belongs (see
 * `Placement`). Nothing that the registration service leaves open is called broken.
 */
export function judgeLicenseAssignment(input: AssignmentInput): readonly Finding[] {
  const { registration, unit } = input;
  switch (registration.kind) {
    case 'denied':
      return [
        serviceUnknown(unit, {
          claim: 'The registration service refused the API user.',
          actual: `the service refused the API user (${registration.message})`,
          quote: registration.message,
        }),
      ];
    case 'postponed':
    case 'failed':
      return [serviceUnknown(unit, openTold(registration))];
    case 'ok': {
      if (input.licenses.length === 0) return isCoveredByOthers(input, input.listed) ? [] : [noLicenses(unit)];
      return input.licenses.flatMap((license) => judgeLookup(input, license, lookupOf(registration.lookups, license)));
    }
  }
}

function lookupOf(lookups: readonly LicenseLookup[], license: string): LicenseLookup | undefined {
  return lookups.find((lookup) => sameSerial(lookup.license, license));
}

function judgeLookup(input: AssignmentInput, license: string, lookup: LicenseLookup | undefined): readonly Finding[] {
  if (lookup === undefined) return [notLookedUp(input.unit, license)];
  const { outcome, kept } = lookup;
  const verdict = judgeOutcome(input, license, outcome);
  const rule = 'license-registered-to-this-unit';
  const concerns = usersOf(input, input.listed);
  const facts = factsOf(input.unit, license, outcome.kind === 'registered' ? outcome.serial : null);
  return [
    ...(verdict === null
      ? []
      : [{ rule, subject: license, expected: expectedOf(input.unit), ...verdict, concerns, facts }]),
    ...(kept === undefined ? [] : [keptNote(license, kept, facts)]),
  ];
}

/** The tokens of a unit may bring a licence that nobody knew of when the service was asked last. */
function notLookedUp(unit: Unit, license: string): Finding {
  return unknown({
    rule: 'license-looked-up',
    subject: license,
    claim: 'The licence has not been looked up yet.',
    expected: ANSWER,
    actual: 'not looked up yet',
    facts: factsOf(unit, license, null),
  });
}

/** One call that fails does not make unknown what was known: licences move rarely. How old it is, is said. */
function keptNote(
  subject: string,
  { since, because }: NonNullable<LicenseLookup['kept']>,
  facts: FindingFacts,
): Finding {
  const { claim, actual, ...quoted } = openTold(because);
  return note({
    ...quoted,
    rule: 'registration-answers-again',
    subject,
    claim: withMore(claim, '; ', `its answer of ${utcText(since)} still counts`),
    expected: ANSWER,
    actual: `${actual}; what it said at ${instantText(since)} stands`,
    facts,
  });
}

function expectedOf({ name, serial, mode, primary }: Unit): string {
  if (mode === 'cluster' && primary !== null)
    return `registered to ${primary}, the primary of the cluster now (${name})`;
  return serial === null ? `registered to ${name}` : `registered to ${serial} (${name})`;
}

function judgeOutcome(input: AssignmentInput, license: string, outcome: LicenseOutcome): Verdict | null {
  switch (outcome.kind) {
    case 'registered':
      return judgeHolder(input, license, outcome.serial);
    case 'unregistered':
      return broken('license-not-registered', `not registered to any unit (status "${outcome.status}")`);
    case 'unnamed':
      return open(
        `listed ${outcome.status === null ? '' : `as "${outcome.status}" `}without a serial number that can be read`,
      );
    case 'not-listed':
      return open('not listed by the registration service');
    case 'postponed':
    case 'failed':
      return { level: 'unknown', suggests: null, ...openTold(outcome) };
  }
}

function judgeHolder(input: AssignmentInput, license: string, holder: string): Verdict | null {
  const { unit, listed } = input;
  const to = `registered to ${holder}`;
  if (unit.serial === null) return open(`${to}, and the serial of ${unit.name} is not known`);
  switch (placementOf({ from: input, license, holder, listed })) {
    case 'in-place':
      return null;
    case 'secondary':
      return onPeer(`${to}, which is the secondary of the cluster now`);
    case 'peer':
      return judgePeer(input, license, holder);
    case 'other-unit':
      return broken('license-on-other-unit', `${to}, which is neither this unit nor its peer`);
    case 'perhaps-shared':
      return suspected('warning', `${to}, which is configured too; ${roleUntold(unit)}`);
    case 'perhaps-other-unit':
      return suspected('broken', `${to}, which is neither this unit nor a known peer of it; ${roleUntold(unit)}`);
    case 'unlisted-primary':
      return open(`${to}, which is not configured; ${unit.name} is a load balancer, so name its primary too`);
  }
}

/**
 * After a failover the tokens keep working whichever member holds the licence, so that a running cluster is only
 * warned. A unit alone, or one that is still to be activated, cannot use a licence of another serial.
 */
function judgePeer({ unit, appliance }: AssignmentInput, license: string, holder: string): Verdict {
  const to = `registered to the HA peer ${holder}`;
  switch (unit.mode) {
    case 'standalone':
      return broken('license-on-peer', `${to}, and this unit runs alone`);
    case 'cluster':
      return holdsTokensOf(appliance, license) === false
        ? broken('license-on-peer', `${to}, and not activated yet`)
        : onPeer(`${to}`);
    case 'load-balancer':
    case 'unknown':
      return onPeer(`${to}; whether the cluster runs is not known`);
  }
}

function broken(suggests: AssignmentCause, actual: string): Verdict {
  return { level: 'broken', suggests, ...told(actual) };
}

/** A load balancer or a member of a pair has the tokens of a licence elsewhere, and so has what was restored. */
function suspected(level: 'broken' | 'warning', actual: string): Verdict {
  return { level, suggests: 'license-on-other-unit', confidence: 'suspected', kind: 'role-unknown', ...told(actual) };
}

function roleUntold({ name }: Unit): string {
  return `SNMP does not tell whether ${name} is a load balancer or a member of a pair`;
}

function onPeer(actual: string): Verdict {
  return { level: 'warning', suggests: 'license-on-peer', ...told(actual) };
}

function open(actual: string): Verdict {
  return { level: 'unknown', suggests: null, ...told(actual) };
}

function told(actual: string): Pick<Finding, 'claim' | 'actual'> {
  return { claim: `The licence is ${actual}.`, actual };
}

const ANSWER = 'an answer of the registration service';

function serviceUnknown(unit: Unit, told: Pick<Told, 'claim' | 'actual' | 'quote'>): Finding {
  const facts = factsOf(unit, null, null);
  return unknown({ ...told, rule: 'registration-service-answers', subject: unit.name, expected: ANSWER, facts });
}

function noLicenses(unit: Unit): Finding {
  return unknown({
    rule: 'license-known',
    subject: unit.name,
    claim: 'No licence number of this unit is known.',
    expected: 'a licence number, configured or read from the appliance',
    actual: 'none is known: name it under "licenses" of the appliance',
    facts: factsOf(unit, null, null),
  });
}

function openTold(missed: Postponed | Failure): Pick<Told, 'claim' | 'actual' | 'quote'> {
  if (missed.kind === 'failed') {
    const { reason, message } = missed;
    const claim = `The registration service did not answer (${reason}).`;
    return { claim, actual: `no answer (${reason}): ${message}`, quote: message };
  }
  return {
    claim: `The registration service is not asked before ${utcText(missed.until)}: its quota or a back-off.`,
    actual: `not asked before ${instantText(missed.until)}: quota or back-off of the registration service`,
  };
}

function factsOf({ name, serial, mode, primary }: Unit, license: string | null, holder: string | null): FindingFacts {
  // Where the licence belongs: on the member that is in charge, where nobody tells on the one that answers.
  const inCharge = (mode === 'cluster' ? primary : null) ?? serial;
  return known({ appliance: name, serial, primary: inCharge, license, holder });
}
