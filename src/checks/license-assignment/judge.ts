import { instantText, utcText, dayText } from '../../core/time-text.ts';
import { licensesOf, holdsTokensOf, sameSerial, type ApplianceObservation } from '../../core/license/appliance.ts';
import { isMember, membersOf, type Unit } from '../../core/license/cluster.ts';
import type {
  RegistrationObservation,
  LicenseLookup,
  LicenseOutcome,
  Postponed,
} from '../../core/license/registration.ts';
import type { Declaration, Judgement, Facts } from '../check.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { UnitObservation } from '../../connectors/picture.ts';
import { ASSIGNMENT_CAUSES } from './causes.ts';
import {
  type Finding,
  type FindingFacts,
  known,
  note,
  type FindingText,
  unknown,
  type Confidence,
  warning,
} from '../../engine/model.ts';
import { type Failure, valueOf } from '../../core/observation.ts';
import { withMore } from '../../engine/words.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';

type AssignmentCause = keyof typeof ASSIGNMENT_CAUSES;

type Verdict = Pick<Finding<AssignmentCause>, 'level' | 'suggests' | 'claim' | 'confidence' | 'kind'>;

interface AssignmentInput extends ListedUnit {
  /** All appliances are needed, because cluster members are evaluated together. */
  readonly listed: readonly ListedUnit[];
  readonly registration: RegistrationObservation;
}

/** The level is never `broken` if the registration service's answer is ambiguous. */
function judgeLicenseAssignment(input: AssignmentInput): readonly Finding[] {
  const { registration, unit } = input;
  switch (registration.kind) {
    case 'denied':
      return [
        {
          ...serviceUnknown(unit, { claim: REFUSED, quote: registration.message }),
          advice: { summary: REFUSED, remedy: [CHECK_USER] },
        },
      ];
    case 'postponed':
    case 'failed':
      return [serviceUnknown(unit, unansweredText(registration))];
    case 'ok': {
      if (input.licenses.length === 0) return isCoveredByOthers(input) ? [] : [noLicenses(unit)];
      const lookups = new Map(registration.lookups.map((lookup) => [lookup.license.toUpperCase(), lookup]));
      const found = input.licenses.map((license) => ({ license, lookup: lookups.get(license.toUpperCase()) }));
      return [
        ...found.flatMap(({ license, lookup }) => judgeLookup(input, license, lookup)),
        ...judgeQueue(unit, found),
      ];
    }
  }
}

function judgeLookup(input: AssignmentInput, license: string, lookup: LicenseLookup | undefined): readonly Finding[] {
  if (lookup === undefined) return [notLookedUp(input.unit, license)];
  const { outcome, kept } = lookup;
  const verdict = judgeOutcome(input, license, outcome);
  const rule = 'license-registered-to-this-unit';
  const concerns = usersOf(input);
  const facts = factsOf(input.unit, license, outcome.kind === 'registered' ? outcome.serial : null);
  return [
    ...(verdict === null
      ? []
      : [{ rule, subject: license, expected: expectedOf(input.unit), ...verdict, concerns, facts }]),
    ...(kept === undefined ? [] : [keptNote(license, kept, facts)]),
  ];
}

interface Found {
  readonly license: string;
  readonly lookup: LicenseLookup | undefined;
}

function isQueued({ lookup }: Pick<Found, 'lookup'>): boolean {
  return lookup?.outcome.kind === 'queued';
}

/** The remaining licences are looked up later, so they are not reported as unknown. */
function judgeQueue(unit: Unit, found: readonly Found[]): readonly Finding[] {
  const looked = found.filter((one) => !isQueued(one)).length;
  if (looked === found.length) return [];
  return [
    note({
      rule: 'licenses-looked-up',
      subject: unit.name,
      claim: `${String(looked)} of ${String(found.length)} licences were looked up so far.`,
      expected: ANSWER,
      facts: factsOf(unit, null, null),
    }),
  ];
}

/** New tokens on a unit can belong to a licence that was unknown when the registration service was last queried. */
function notLookedUp(unit: Unit, license: string): Finding {
  return unknown({
    rule: 'license-looked-up',
    subject: license,
    claim: 'The licence has not been looked up yet.',
    expected: ANSWER,
    facts: factsOf(unit, license, null),
  });
}

/** Earlier results remain valid after a failed query, because licences are rarely moved. */
function keptNote(
  subject: string,
  { since, because }: NonNullable<LicenseLookup['kept']>,
  facts: FindingFacts,
): Finding {
  const { claim, ...quoted } = unansweredText(because);
  return note({
    ...quoted,
    rule: 'registration-answers-again',
    subject,
    claim: withMore(claim, '; ', `its answer from ${utcText(since)} is still used`),
    expected: ANSWER,
    facts,
  });
}

function expectedOf({ name, serial, mode, primary }: Unit): string {
  if (mode === 'cluster' && primary !== null)
    return `registered to ${primary}, the current primary of the cluster (${name})`;
  return serial === null ? `registered to ${name}` : `registered to ${serial} (${name})`;
}

function judgeOutcome(input: AssignmentInput, license: string, outcome: LicenseOutcome): Verdict | null {
  switch (outcome.kind) {
    case 'registered':
      return judgeHolder(input, license, outcome.serial);
    case 'unregistered':
      return broken('license-not-registered', `not registered to any unit (status "${outcome.status}")`);
    case 'unnamed':
      return open(`listed ${outcome.status === null ? '' : `as "${outcome.status}" `}without a readable serial number`);
    case 'not-listed':
      return open('not listed by the registration service');
    case 'queued':
      return null;
    case 'postponed':
    case 'failed':
      return { level: 'unknown', suggests: null, ...unansweredText(outcome) };
  }
}

/** If the active member of a cluster is unknown, the licence may be on any suitable member. */
function judgeHolder(input: AssignmentInput, license: string, holder: string): Verdict | null {
  const { unit } = input;
  if (unit.serial === null && !isMember(unit, holder))
    return open(`registered to ${holder}, but the serial number of ${unit.name} is unknown`);
  if (!isMember(unit, holder)) return judgeStranger(input, holder);
  if (unit.mode === 'cluster' && unit.primary !== null)
    return sameSerial(unit.primary, holder) ? null : judgePeer(input, license, holder);
  if (sameSerial(unit.serial, holder) || unit.mode === 'load-balancer') return null;
  const isExpected = unit.mode !== 'standalone' && holderExpectsIt(input, license, holder);
  return isExpected ? null : judgePeer(input, license, holder);
}

/** A load balancer has no licence and gets its tokens from its primary. */
function judgeStranger({ unit: { name, mode, roleTold }, listed }: AssignmentInput, holder: string): Verdict | null {
  const to = `registered to ${holder}`;
  if (mode === 'load-balancer') {
    const isListed = listed.some(({ unit }) => isMember(unit, holder));
    const primary = `add the primary of the load balancer ${name} to the configuration`;
    return isListed ? null : open(`${to}, which is not configured, so ${primary}`);
  }
  // Only SNMP distinguishes a standalone unit from a load balancer. A load balancer has the same tokens as its primary.
  if (mode === 'cluster' || roleTold === true)
    return broken('license-on-other-unit', `${to}, which is neither this unit nor its peer`);
  const doubt = `without SNMP, it is unknown whether ${name} is a load balancer or a member of a pair`;
  return listed.some(({ unit }) => sameSerial(unit.serial, holder))
    ? suspected('warning', `${to}, which is also configured, and ${doubt}`)
    : suspected('broken', `${to}, which is neither this unit nor a known peer, and ${doubt}`);
}

/**
 * After a failover, tokens keep working regardless of which member holds the licence, so a running cluster gets only a
 * warning. A standalone unit, or a unit that is not yet activated, cannot use a licence for a different serial number.
 */
function judgePeer({ unit, appliance }: AssignmentInput, license: string, holder: string): Verdict {
  const to =
    unit.primary === null
      ? `registered to the HA peer ${holder}`
      : `registered to ${holder}, which is currently the secondary of the cluster`;
  switch (unit.mode) {
    case 'standalone':
      return broken('license-on-peer', `${to}, but this unit is standalone`);
    case 'cluster':
      return holdsTokensOf(appliance, license) === false
        ? broken('license-on-peer', `${to}, and is not activated yet`)
        : onPeer(to);
    case 'load-balancer':
    case 'unknown':
      return onPeer(`${to}, and the state of the cluster is unknown`);
  }
}

function broken(suggests: AssignmentCause, what: string): Verdict {
  return { level: 'broken', suggests, ...told(what) };
}

/**
 * A load balancer, an HA member or a restored unit can have tokens from a licence that is registered to another unit.
 */
function suspected(level: 'broken' | 'warning', what: string): Verdict {
  return { level, suggests: 'license-on-other-unit', confidence: 'suspected', kind: 'role-unknown', ...told(what) };
}

function onPeer(what: string): Verdict {
  return { level: 'warning', suggests: 'license-on-peer', ...told(what) };
}

function open(what: string): Verdict {
  return { level: 'unknown', suggests: null, ...told(what) };
}

function told(what: string): Pick<Finding, 'claim'> {
  return { claim: `The licence is ${what}.` };
}

const ANSWER = 'an answer from the registration service';

const REFUSED = 'The registration service refused the API user.';
const CHECK_USER =
  'Check "user", "passwordFile" and "accountId" in "registration", and that the API user is active and has read-only ' +
  'access to Asset Management.';

function serviceUnknown(unit: Unit, told: Pick<FindingText, 'claim' | 'quote'>): Finding {
  const facts = factsOf(unit, null, null);
  return unknown({ ...told, rule: 'registration-service-answers', subject: unit.name, expected: ANSWER, facts });
}

function noLicenses(unit: Unit): Finding {
  return unknown({
    rule: 'license-known',
    subject: unit.name,
    claim: 'The licence numbers of this unit are unknown, so add them to appliances[].licenses.',
    expected: 'a licence number, configured or read from the appliance',
    facts: factsOf(unit, null, null),
  });
}

function unansweredText(missed: Postponed | Failure): Pick<FindingText, 'claim' | 'quote'> {
  if (missed.kind === 'failed') {
    const { reason, message } = missed;
    const claim =
      reason === 'rejected'
        ? 'The registration service rejected the query.'
        : `The registration service did not answer (${reason}).`;
    return { claim, quote: message };
  }
  return {
    claim:
      `The registration service is not queried before ${utcText(missed.until)}, because of its quota or earlier ` +
      'failures.',
  };
}

function factsOf({ name, serial, mode, primary }: Unit, license: string | null, holder: string | null): FindingFacts {
  // The licence belongs on the active member. If the active member is unknown, the member that responds is used.
  const inCharge = (mode === 'cluster' ? primary : null) ?? serial;
  return known({ appliance: name, serial, primary: inCharge, license, holder });
}

const DAY: Millis = 86_400_000;

/** Number of days before the deadline at which the reporting of each cause starts. */
const STAGES: readonly (readonly [days: number, cause: AssignmentCause])[] = [
  [0, 'license-expired'],
  [7, 'license-expires-in-7-days'],
  [30, 'license-expires-in-30-days'],
  [90, 'license-expires-in-90-days'],
];

interface RedeemInput {
  readonly units: readonly UnitObservation[];
  readonly registration: RegistrationObservation | null;
  readonly at: EpochMs;
}

interface RedeemDeadline {
  readonly license: string;
  readonly redeemBy: EpochMs;
  /** Days left, including the last one. */
  readonly left: number;
  /** How certain it is that the licence was not redeemed. */
  readonly confidence: Confidence;
}

/**
 * Licences that must still be redeemed. The deadline is printed on the licence certificate. No API returns it, so it is
 * set in the configuration.
 */
export function redeemDeadlines(input: RedeemInput): readonly RedeemDeadline[] {
  const certificates = new Map(
    input.units.flatMap(({ config }) => config.certificates).map((one) => [one.license.toUpperCase(), one]),
  );
  return [...certificates.values()].flatMap(({ license, redeemBy }) => {
    const confidence = redeemBy === null ? null : notRedeemed(license, input);
    if (redeemBy === null || confidence === null) return [];
    // The certificate states a date without a time zone, so the day is assumed to end at midnight UTC.
    const left = Math.ceil((redeemBy + DAY - input.at) / DAY);
    return [{ license, redeemBy, left, confidence }];
  });
}

function judgeRedeemBy(input: RedeemInput): readonly Finding[] {
  return redeemDeadlines(input).flatMap(({ license, redeemBy, left, confidence }): readonly Finding[] => {
    const stage = STAGES.find(([days]) => left <= days);
    if (stage === undefined) return [];
    const [, suggests] = stage;
    const date = dayText(redeemBy);
    return [
      warning(suggests, {
        rule: 'license-redeemed-in-time',
        subject: license,
        claim:
          left <= 0
            ? `The licence had to be redeemed by ${date}, but ${REASON[confidence]}.`
            : `The licence must be redeemed by ${date}, but ${REASON[confidence]} (${daysText(left)}).`,
        expected: `redeemed by ${date}, as stated on its certificate`,
        confidence,
        facts: known({ license, date }),
      }),
    ];
  });
}

function daysText(left: number): string {
  return left === 1 ? 'this is the last day' : `${String(left)} days are left`;
}

const REASON: Readonly<Record<Confidence, string>> = {
  confirmed: 'no unit has tokens from the licence',
  suspected: 'it is unknown whether the licence was redeemed',
};

/** Returns null if the licence was redeemed, or if the unit that could confirm this cannot currently be queried. */
function notRedeemed(license: string, { units, registration }: RedeemInput): Confidence | null {
  const held = units.filter(({ config: { api } }) => api !== null).map(({ rest }) => holdsTokensOf(rest, license));
  // A licence that is registered to a unit was probably redeemed, although Fortinet does not document this.
  const isRegistered = isRegisteredIn(registration, license);
  if (held.length === 0) return isRegistered ? null : 'suspected';
  if (held.some((hasTokens) => hasTokens !== false)) return null;
  return isRegistered ? 'suspected' : 'confirmed';
}

function isRegisteredIn(registration: RegistrationObservation | null, license: string): boolean {
  const lookups = registration?.kind === 'ok' ? registration.lookups : [];
  return lookups.some((one) => sameSerial(one.license, license) && one.outcome.kind === 'registered');
}

export const licenseAssignment: Declaration<'license-assignment', AssignmentCause> = {
  id: 'license-assignment',
  title: 'Licence assignment',
  dependsOn: [{ kind: 'reads', by: 'appliance' }],
  countsForReady: true,
  causes: ASSIGNMENT_CAUSES,
  unknownRemedy:
    'Configure the serial numbers of the unit and of its licences (appliances[].serial, appliances[].licenses), and ' +
    'make sure that the service in "registration" answers.',
  place: { kind: 'branch', name: 'Registration', hint: 'who owns the licence' },
  step: 'registration',
  sources: ['appliances', 'registration'],
  judge: judgeAssignment,
};

function judgeAssignment({ config, picture: { appliances: units, registration }, at }: Facts): Judgement {
  const expiring = judgeRedeemBy({ units, registration, at });
  if (config.registration === null) {
    const summary = 'The registration service is not configured';
    return expiring.length === 0 ? notConfigured(summary) : judged(expiring, summary);
  }
  if (units.length === 0) return unjudged('No appliance with licences is configured');
  if (registration === null) return unjudged('Not queried yet');
  const listed = listedUnits(units);
  const findings = listed.flatMap((unit) => judgeLicenseAssignment({ ...unit, listed, registration }));
  return judged([...findings, ...expiring], `${scopeOf(registration)}${ageOf(registration)}`);
}

function scopeOf(registration: RegistrationObservation): string {
  const lookups = registration.kind === 'ok' ? registration.lookups : [];
  const looked = lookups.filter((lookup) => !isQueued({ lookup })).length;
  return looked === lookups.length
    ? 'Every licence is registered to its FortiAuthenticator'
    : `${String(looked)} of ${String(lookups.length)} licences were looked up, and each is registered to its ` +
        'FortiAuthenticator';
}

/** Reports the oldest answer that is still used because the registration service has not returned a newer one. */
function ageOf(registration: RegistrationObservation): string {
  const since =
    registration.kind === 'ok'
      ? registration.lookups.flatMap(({ kept }) => (kept === undefined ? [] : [kept.since]))
      : [];
  return since.length === 0 ? '' : `, as the registration service reported at ${instantText(Math.min(...since))}`;
}

function listedUnits(units: readonly UnitObservation[]): readonly ListedUnit[] {
  return membersOf(units).map(({ seen: { config, rest }, unit, others }) => {
    // A unit that does not answer cannot name its peer, but the peer can name this unit.
    const naming = unit.mode === 'unknown' ? others.flatMap((other) => other.unit.serial ?? []) : [];
    return {
      unit: { ...unit, peers: [...new Set([...unit.peers, ...naming])] },
      licenses: licensesOf(config.licenses, rest),
      appliance: rest,
    };
  });
}

interface ListedUnit {
  readonly unit: Unit;
  /** Configured licences, and licences from which the unit's tokens came. */
  readonly licenses: readonly string[];
  readonly appliance: ApplianceObservation | null;
}

/** A load balancer needs no licence. Neither does a unit if another member of its cluster has one. */
function isCoveredByOthers({ unit, listed }: AssignmentInput): boolean {
  if (unit.mode === 'load-balancer') return true;
  if (unit.mode === 'standalone') return false;
  return listed.some(
    ({ unit: { serial }, licenses }) => licenses.length > 0 && serial !== null && isMember(unit, serial),
  );
}

/** Also true if the holder's tokens are unknown. */
function holderExpectsIt({ listed }: AssignmentInput, license: string, holder: string): boolean {
  return listed.some(
    ({ unit, licenses, appliance }) =>
      sameSerial(unit.serial, holder) &&
      (licenses.some((own) => sameSerial(own, license)) || (appliance !== null && !reportsTokens(appliance))),
  );
}

function reportsTokens(appliance: ApplianceObservation): boolean {
  return appliance.kind === 'ok' && valueOf(appliance.tokens) !== null;
}

/** The unit itself, other members of its cluster, and load balancers. */
function usersOf({ unit, listed }: AssignmentInput): readonly string[] {
  const others = listed.filter(({ unit: other }) => other.name !== unit.name && mayShare(unit, other));
  return [unit.name, ...others.map(({ unit: { name } }) => name)];
}

function mayShare(unit: Unit, other: Unit): boolean {
  if (unit.serial === null || other.serial === null || other.mode === 'load-balancer') return true;
  return isMember(unit, other.serial) || isMember(other, unit.serial);
}
