import type { CauseId } from '../cause.ts';
import type { EpochMs } from '../clock.ts';
import type { Finding, FindingFacts, FindingLevel } from '../finding.ts';
import type { LicenseLookup, LicenseOutcome, RegistrationObservation } from './registration.ts';
import type { Unit } from './unit.ts';

/** Where a licence is, seen from one unit. */
type Placement = 'this-unit' | 'primary' | 'secondary' | 'peer' | 'other-unit';

interface Verdict {
  readonly level: FindingLevel;
  readonly suggests: CauseId | null;
  readonly actual: string;
}

export interface AssignmentInput {
  readonly unit: Unit;
  /** The licences that belong to this unit: lookups of others are left out. */
  readonly licenses: readonly string[];
  readonly registration: RegistrationObservation;
  /** `activationContextOf`: false makes a licence on the peer an error, since it can still be put right. */
  readonly licenseActive: boolean | null;
}

/**
 * Judges precondition `license-assignment`: each licence registered to this unit, or to the member of its cluster that
 * is in charge. Nothing that the registration service leaves open is called broken.
 */
export function judgeLicenseAssignment(input: AssignmentInput): readonly Finding[] {
  const { registration, unit } = input;
  switch (registration.kind) {
    case 'denied':
      return [serviceUnknown(unit, `the service refused the API user (${registration.message})`)];
    case 'postponed':
      return [serviceUnknown(unit, postponed(registration.until))];
    case 'failed':
      return [serviceUnknown(unit, `no answer (${registration.reason}): ${registration.message}`)];
    case 'ok': {
      if (input.licenses.length === 0) return [noLicenses(unit)];
      return input.licenses.flatMap((license) => judgeLookup(input, license, lookupOf(registration.lookups, license)));
    }
  }
}

function lookupOf(lookups: readonly LicenseLookup[], license: string): LicenseOutcome | null {
  return lookups.find((lookup) => sameText(lookup.license, license))?.outcome ?? null;
}

function judgeLookup(input: AssignmentInput, license: string, outcome: LicenseOutcome | null): readonly Finding[] {
  if (outcome === null) return [];
  const verdict = judgeOutcome(input, outcome);
  if (verdict === null) return [];
  const { unit } = input;
  return [
    {
      rule: 'license-registered-to-this-unit',
      subject: license,
      expected: unit.serial === null ? `registered to ${unit.name}` : `registered to ${unit.serial} (${unit.name})`,
      actual: verdict.actual,
      level: verdict.level,
      suggests: verdict.suggests,
      facts: factsOf(unit, license, outcome.kind === 'registered' ? outcome.serial : null),
    },
  ];
}

function judgeOutcome(input: AssignmentInput, outcome: LicenseOutcome): Verdict | null {
  switch (outcome.kind) {
    case 'registered':
      return judgeHolder(input, outcome.serial);
    case 'unregistered':
      return { level: 'broken', suggests: 'license-not-registered', actual: `not registered to any unit (status "${outcome.status}")` };
    case 'not-listed':
      return unknown('the service does not list this licence number');
    case 'postponed':
      return unknown(postponed(outcome.until));
    case 'failed':
      return unknown(`no answer (${outcome.reason}): ${outcome.message}`);
  }
}

function judgeHolder(input: AssignmentInput, holder: string): Verdict | null {
  const { unit } = input;
  if (unit.serial === null) return unknown(`registered to ${holder}, and the serial of ${unit.name} is not known`);
  switch (placementOf(unit, holder)) {
    case 'this-unit':
    case 'primary':
      return null;
    case 'secondary':
      return onPeer('warning', `registered to ${holder}, which is the secondary of the cluster now`);
    case 'peer':
      return judgePeer(input, holder);
    case 'other-unit':
      return {
        level: 'broken',
        suggests: 'license-on-other-unit',
        actual: `registered to ${holder}, which is neither this unit nor its peer`,
      };
  }
}

/**
 * After a failover the tokens go on working whichever member holds the licence, so that a running cluster is only warned.
 * A unit alone, or one that is still to be activated, cannot use a licence of another serial.
 */
function judgePeer(input: AssignmentInput, holder: string): Verdict {
  switch (input.unit.mode) {
    case 'standalone':
      return onPeer('broken', `registered to the HA peer ${holder}, and this unit runs alone`);
    case 'cluster':
      return input.licenseActive === false
        ? onPeer('broken', `registered to the HA peer ${holder}, and not activated yet`)
        : onPeer('warning', `registered to the HA peer ${holder}`);
    case 'unknown':
      return onPeer('warning', `registered to the HA peer ${holder}; whether the cluster runs is not known`);
  }
}

function placementOf(unit: Unit, holder: string): Placement {
  const isMember = sameText(holder, unit.serial ?? '') || unit.peers.some((peer) => sameText(peer, holder));
  if (!isMember) return 'other-unit';
  if (unit.mode === 'cluster' && unit.primary !== null) return sameText(unit.primary, holder) ? 'primary' : 'secondary';
  return sameText(holder, unit.serial ?? '') ? 'this-unit' : 'peer';
}

function onPeer(level: 'warning' | 'broken', actual: string): Verdict {
  return { level, suggests: 'license-on-peer', actual };
}

function unknown(actual: string): Verdict {
  return { level: 'unknown', suggests: null, actual };
}

function serviceUnknown(unit: Unit, actual: string): Finding {
  return {
    rule: 'registration-service-answers',
    subject: unit.name,
    expected: 'an answer of the registration service',
    actual,
    level: 'unknown',
    suggests: null,
    facts: factsOf(unit, null, null),
  };
}

function noLicenses(unit: Unit): Finding {
  return {
    rule: 'license-known',
    subject: unit.name,
    expected: 'a licence number, configured or read from the appliance',
    actual: 'none is known: name it under "licenses" of the appliance',
    level: 'unknown',
    suggests: null,
    facts: factsOf(unit, null, null),
  };
}

function postponed(until: EpochMs): string {
  return `not asked before ${new Date(until).toISOString()}: quota or back-off of the registration service`;
}

function factsOf(unit: Unit, license: string | null, holder: string | null): FindingFacts {
  return {
    appliance: unit.name,
    ...(unit.serial === null ? {} : { serial: unit.serial }),
    ...(license === null ? {} : { license }),
    ...(holder === null ? {} : { holder }),
  };
}

/** Serial and licence numbers are typed by people. */
function sameText(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}
