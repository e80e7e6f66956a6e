import {
  suggestsOnly,
  type Finding,
  known as knownFacts,
  note,
  unknown,
  isFault,
  warning,
} from '../../engine/model.ts';
import { nameList, visibleText } from '../../core/visible-text.ts';
import { type Declaration, type Judgement, type Facts, withAppliance } from '../check.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import { APPLIANCE_CAUSES, type UnreachableKind, type UnreadableKind } from './causes.ts';
import type { FactUse, KnownFact } from '../../core/license/firmware.ts';
import type { ApplianceConfig, SnmpConfig } from '../../config/schema/watched.ts';
import {
  type OwnClock,
  type FailureReason,
  hasAnswered,
  isOfThisMachine,
  type Resource,
  valueOf,
} from '../../core/observation.ts';
import { plainName, type HostPort } from '../../core/addresses.ts';
import { wasClockSet } from '../clock/judge.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';
import type { UnitObservation } from '../../connectors/picture.ts';
import { type Member, membersOf } from '../../core/license/cluster.ts';
import {
  type ApplianceFacts,
  type ApplianceFailure,
  type ApplianceObservation,
  type ProvisioningServer,
  type HaRoleObservation,
  sameSerial,
} from '../../core/license/appliance.ts';

type ApplianceCause = keyof typeof APPLIANCE_CAUSES;

/**
 * The level is `broken` only if no source shows that the appliance is running. An appliance may still be working even
 * if its API rejects the key.
 */
function judgeAppliance(
  observation: ApplianceObservation,
  { config: unit, role, known = [], factsAsOf = null }: UnitObservation,
  partner: Partner | null,
  { config: { licenseServer }, speaking, ownClock, at }: Facts,
): readonly Finding<ApplianceCause>[] {
  if (observation.kind !== 'ok')
    return [
      observation.kind === 'failed'
        ? judgeFailure(observation, role, speaking.includes(unit.name), partner)
        : judgeDenied(observation),
      ...judgeRole(role),
      ...judgeToldSerial(role, unit),
    ];
  return [
    ...judgeSerials({ ...observation.system, appliance: observation.appliance }, unit),
    ...judgePermissions(observation),
    ...judgeProvisioning(observation, licenseServer),
    ...judgeApplianceClock(observation, ownClock),
    ...judgeMemory(observation, known),
    ...judgeRole(role),
    ...judgeSnmpHash(observation, known, unit.snmp, role),
    ...judgeFirmware(observation, known),
    ...judgeFactsAge(observation, factsAsOf, at),
  ];
}

function judgeDenied({
  appliance,
  endpoint,
  status,
}: Extract<ApplianceObservation, { kind: 'denied' }>): Finding<ApplianceCause> {
  return deniedOf(status, 'its system information', { subject: appliance, facts: { appliance, address: endpoint } });
}

/** @param logSpeaks true if log lines from the appliance are still arriving */
function judgeFailure(
  observation: ApplianceFailure,
  role: HaRoleObservation | null,
  logSpeaks: boolean,
  partner: Partner | null,
): Finding<ApplianceCause> {
  const { message, appliance, endpoint, certificate } = observation;
  const seen = logSpeaks ? 'log lines from the unit still arrive' : signOfLife(observation, role);
  const failing = failingOf(observation);
  const weight = weightOf(observation, seen, role);
  const told = {
    ...expectationOf(observation),
    subject: appliance,
    claim: `The API ${failing}${seen === null || certificate !== undefined ? '' : `, but ${seen}`}.`,
    quote: message,
    ...weight,
    ...kindOf(observation),
    facts: { appliance, address: endpoint, failing, ...knownFacts({ requested: observation.refusedHost }) },
  };
  return weight.level === 'broken' && partner !== null ? besidePartner(told, partner) : told;
}

/** The other member of a unit's HA pair. `unclear`: the member was not queried yet, or this machine could not query it. */
interface Partner {
  readonly name: string;
  readonly state: 'answers' | 'answers-as-standby' | 'unclear';
}

/** Users can log in as long as one member works. Which one is active is known only from SNMP. */
function besidePartner(failure: Finding<ApplianceCause>, { name, state }: Partner): Finding<ApplianceCause> {
  const start = failure.claim.replace(/\.$/u, '');
  const { kind } = failure;
  const told = { ...failure, facts: { ...failure.facts, peer: name } };
  switch (state) {
    case 'answers': {
      const claim = `${start}, but ${name} of the same HA pair answers.`;
      return { ...told, claim, level: 'warning', kind: kind ?? PEER_ANSWERS };
    }
    case 'answers-as-standby':
      return { ...told, claim: `${start}, and its HA peer ${name} is only the standby unit.`, kind: kind ?? ACTIVE };
    case 'unclear': {
      const claim = `${start}, and it is not known whether ${name} of the same HA pair answers.`;
      return unknown({ ...failure, claim });
    }
  }
}

/** Returns null if the unit is not in a pair, or if no other member answers. */
function partnerOf({ others }: Member<UnitObservation>, speaking: readonly string[]): Partner | null {
  const partners = others.flatMap((member): Partner | [] => {
    const state = partnerState(member, speaking);
    return state === null ? [] : { name: member.unit.name, state };
  });
  return partners.find(({ state }) => state !== 'unclear') ?? partners[0] ?? null;
}

function partnerState(
  { seen: { config, rest, role }, unit: { name, serial, primary } }: Member<UnitObservation>,
  speaking: readonly string[],
): Partner['state'] | null {
  const isRestAlive = rest !== null && (rest.kind !== 'failed' || signOfLife(rest, role) !== null);
  if (isRestAlive || role?.kind === 'ok' || speaking.includes(name))
    return primary !== null && primary !== serial ? 'answers-as-standby' : 'answers';
  const isAsked = config.api !== null || config.snmp !== null;
  const last = config.api === null ? role : rest;
  return isAsked && (last?.kind !== 'failed' || isOfThisMachine(last.reason)) ? 'unclear' : null;
}

const PEER_ANSWERS: UnreachableKind = 'peer-answers';
const ACTIVE: UnreachableKind = 'active';

type CertificateFault = NonNullable<ApplianceFailure['certificate']>;

const BY_CERTIFICATE: Readonly<Record<CertificateFault, UnreadableKind>> = {
  untrusted: 'untrusted-certificate',
  invalid: 'invalid-certificate',
};
const BY_SNMP: UnreadableKind = 'snmp';

function kindOf(failure: ApplianceFailure): { readonly kind?: UnreadableKind | UnreachableKind } {
  if (failure.refusedHost !== undefined) return { kind: 'host-refused' };
  if (failure.afterRefusal === true) return { kind: 'locked-out' };
  if (failure.certificate !== undefined) return { kind: BY_CERTIFICATE[failure.certificate] };
  return failure.reason === 'timeout' && failure.acceptedTls === true ? { kind: 'slow' } : {};
}

function weightOf(
  { reason, afterRefusal }: ApplianceFailure,
  seen: string | null,
  role: HaRoleObservation | null,
): Pick<Finding<ApplianceCause>, 'level' | 'suggests' | 'confidence'> {
  if (isOfThisMachine(reason)) return { level: 'unknown', suggests: null };
  if (seen !== null) return { level: 'warning', suggests: 'appliance-unreadable' };
  // A packet filter on this machine causes a distinct error over UDP, but over TCP, it looks like an ordinary refusal
  // or timeout.
  const isSuspected = afterRefusal === true || (role?.kind === 'failed' && isOfThisMachine(role.reason));
  return {
    level: 'broken',
    suggests: 'appliance-unreachable',
    ...(isSuspected ? { confidence: 'suspected' } : {}),
  };
}

/** Returns evidence that the appliance is running even though its API cannot be read. */
function signOfLife(observation: ApplianceFailure, role: HaRoleObservation | null): string | null {
  if (role?.kind === 'ok') return 'SNMP answers';
  if (observation.acceptedTls === true) return 'its TLS handshake succeeds';
  return hasAnswered(observation.reason) ? 'a host answers at its address' : null;
}

const NAME_RESOLVES = 'api-name-resolves';

/** An unresolvable host name has a separate rule, because the resolver may be at fault. */
function expectationOf({ reason, endpoint }: ApplianceFailure): Pick<Finding<ApplianceCause>, 'rule' | 'expected'> {
  return reason === 'name-not-resolved'
    ? { rule: NAME_RESOLVES, expected: `a host name in ${endpoint} that resolves` }
    : { rule: 'api-answers', expected: `an answer from a FortiAuthenticator at ${endpoint}` };
}

function failingOf(
  observation: Pick<ApplianceFailure, 'reason' | 'acceptedTls' | 'refusedHost' | 'certificate'>,
): string {
  const { reason, acceptedTls = false, refusedHost, certificate } = observation;
  if (certificate !== undefined) return CERTIFICATE_FAULTS[certificate];
  if (refusedHost !== undefined) return `does not accept requests for the host ${refusedHost}`;
  if (reason === 'name-not-resolved') return 'cannot be queried, because its name does not resolve';
  if (reason === 'timeout' && acceptedTls) return 'does not answer in time';
  return acceptedTls || hasAnswered(reason) ? 'does not answer correctly' : 'does not answer';
}

const CERTIFICATE_FAULTS: Readonly<Record<CertificateFault, string>> = {
  untrusted: 'presents a certificate that is not trusted',
  invalid: 'presents a certificate that is not valid',
};

function judgePermissions(facts: ApplianceFacts): readonly Finding<ApplianceCause>[] {
  const { licensed, tokens, provisioning, mailServers, sms } = facts;
  const resources: Readonly<Record<string, Resource<unknown>>> = {
    fortitokenmobilelicenses: licensed,
    fortitokens: tokens,
    fortitokenmobileprovisioning: provisioning,
    smtpservers: mailServers,
    fortiguardmessages: sms,
  };
  const denied = Object.entries(resources).flatMap(([name, resource]) =>
    resource.kind === 'denied' ? [{ name, status: resource.status }] : [],
  );
  const { appliance, system } = facts;
  return [...Map.groupBy(denied, ({ status }) => status)].map(([status, group]) =>
    deniedOf(status, group.map(({ name }) => name).join(', '), {
      subject: appliance,
      facts: { appliance, serial: system.serial },
    }),
  );
}

/** 401 means that the user or the key is wrong, and 403 that the account lacks a permission. */
function deniedOf(
  status: number,
  what: string,
  about: Pick<Finding, 'subject' | 'facts'>,
): Finding<'appliance-access-denied'> {
  const found =
    status === 403
      ? {
          rule: 'api-permits-reading',
          claim: `The ftm-watch account is not permitted to read ${what} (HTTP 403).`,
          expected: 'permission to read all resources that are checked',
          kind: 'not-permitted',
        }
      : {
          rule: 'api-accepts-key',
          claim: `The API refused the web service key with HTTP ${String(status)} for ${what}.`,
          expected: 'an API that accepts the web service key',
        };
  return warning('appliance-access-denied', { ...about, ...found });
}

/** The default port in the REST API guide 6.0.4. The value 433 is probably a typo for 443. */
const DOCUMENTED_DEFAULT_PORT = 433;

function judgeProvisioning(facts: ApplianceFacts, server: HostPort): readonly Finding<ApplianceCause>[] {
  const used = valueOf(facts.provisioning);
  if (used === null || isSameServer(used, server)) return [];
  const hint =
    used.port === DOCUMENTED_DEFAULT_PORT && server.port === 443
      ? ' (the manual documents 433, which is probably a typo for 443)'
      : '';
  const probed = `${server.host}:${String(server.port)}`;
  const expected = `FortiToken Mobile provisioning through the server that ftm-watch checks, ${probed}`;
  const differs = { configured: probed, found: `${used.host}:${String(used.port ?? server.port)}` };
  const actual = visibleText(differs.found, 80);
  const claim = `FortiAuthenticator activates tokens through ${actual}, but ftm-watch checks ${probed}${hint}.`;
  const told = { rule: 'provisioning-server-matches', claim, expected, facts: differs };
  return [warning('provisioning-server-differs', withAppliance(facts, told))];
}

function isSameServer(used: ProvisioningServer, server: HostPort): boolean {
  return plainName(used.host) === plainName(server.host) && (used.port === null || used.port === server.port);
}

/** The licence check also works without the HA role. */
function judgeRole(role: HaRoleObservation | null): readonly Finding<ApplianceCause>[] {
  if (role === null || role.kind === 'ok') return [];
  const { appliance, reason, message } = role;
  const [rule, expected] = ['ha-role-readable', 'an HA role that can be read over SNMP'];
  const claim = `The HA role could not be read over SNMP (${reason})${secretHint(reason)}.`;
  return [note({ rule, subject: appliance, claim, expected, quote: message, facts: { appliance } })];
}

/** A unit does not respond to a query with a wrong community or encryption password. */
function secretHint(reason: FailureReason): string {
  return reason === 'timeout' ? ', which can also mean a wrong community or password' : '';
}

/** SNMP is the only source for a unit without an API, so a failure is a fault and not merely a note. */
function judgeOnlySnmp(
  role: HaRoleObservation | null,
  unit: ApplianceConfig,
  speaking: readonly string[],
): readonly Finding<ApplianceCause>[] {
  if (role === null || role.kind === 'ok') return judgeToldSerial(role, unit);
  const { appliance, reason, message } = role;
  const rule = reason === 'name-not-resolved' ? NAME_RESOLVES : 'snmp-answers';
  const told = { rule, subject: appliance, expected: 'an answer over SNMP', quote: message };
  const failing = `${failingOf({ reason })}${secretHint(reason)}`;
  const seen = speaking.includes(unit.name) ? ', but log lines from the unit still arrive' : '';
  const claim = `SNMP ${failing}${seen}.`;
  const facts = { appliance, failing };
  const state = unknown({ ...told, claim: 'The HA role and the serial number are unknown.', facts });
  if (isOfThisMachine(reason)) return [{ ...state, claim }];
  return [warning('appliance-unreadable', { ...told, claim, kind: BY_SNMP, facts }), state];
}

/**
 * If the deviation is at least this large, FortiAuthenticator may reject codes, because the phone's clock may be wrong
 * as well.
 */
const CLOCK_WARNING: Millis = 20_000;
/** Time-based codes are valid for 60 s (ta-p/190925). */
const CODES_REJECTED: Millis = 60_000;
/** Usual precision of a `Date` header. If a measurement is less precise, only a larger deviation is reported. */
const USUAL_PRECISION: Millis = 1000;

function judgeApplianceClock(facts: ApplianceFacts, ownClock: OwnClock | null): readonly Finding<ApplianceCause>[] {
  const { clock } = facts;
  if (clock === null) return [];
  // Measurements from before this machine's clock was set cannot be compared with its current time.
  if (ownClock !== null && wasClockSet(clock.clockBase, ownClock.clockBase)) return [];
  const estimate = ownClock?.estimate ?? null;
  const isConfirmed = estimate?.trusted === true;
  const isOwnWrong = isConfirmed && Math.abs(estimate.offsetMs) > estimate.precisionMs;
  const skew = clock.offsetMs - (isOwnWrong ? estimate.offsetMs : 0);
  const precision = clock.precisionMs + (isOwnWrong ? estimate.precisionMs : 0);
  const proven = Math.abs(skew) - Math.max(0, precision - USUAL_PRECISION);
  if (proven < CLOCK_WARNING) return [];
  const found = `${spanText(Math.round(Math.abs(skew) / 1000) * 1000)} ${skew > 0 ? 'ahead' : 'behind'}`;
  const expected = `a deviation of less than ${spanText(CLOCK_WARNING)}`;
  const rule = 'appliance-clock-agrees';
  if (!isConfirmed) {
    const claim =
      `The clock of FortiAuthenticator is ${found}, compared with the ftm-watch machine's clock, ` +
      'which is not confirmed.';
    return [note(withAppliance(facts, { rule, claim, expected }))];
  }
  const claim = `The clock of FortiAuthenticator is ${found}.`;
  return [
    warning('appliance-clock-skewed', {
      ...withAppliance(facts, { rule, claim, expected, facts: { found } }),
      // Each faulty part of a unit (clock, memory, firmware) is reported as a separate fault.
      subject: `clock of ${facts.appliance}`,
      ...(proven >= CODES_REJECTED ? { kind: 'codes-rejected' } : {}),
    }),
  ];
}

const KB_PER_GB = 1024 * 1024;

function missingMemory({ system }: ApplianceFacts, known: readonly KnownFact[]): MissingMemory | null {
  const { memoryKb } = system;
  const [need] = factsFor(known, 'memory');
  const least = need?.fact.leastMemoryKb ?? null;
  if (memoryKb === null || need === undefined || least === null || memoryKb >= least) return null;
  return { found: `${(memoryKb / KB_PER_GB).toFixed(1)} GB`, version: need.version };
}

interface MissingMemory {
  readonly found: string;
  readonly version: string;
}

function judgeMemory(facts: ApplianceFacts, known: readonly KnownFact[]): readonly Finding<ApplianceCause>[] {
  const missing = missingMemory(facts, known);
  if (missing === null) return [];
  const { found, version } = missing;
  const claim = `FortiAuthenticator has ${found} of memory, and firmware ${version} needs at least 4 GB.`;
  const told = { rule: 'memory-suffices', claim, expected: 'at least 4 GB of memory', facts: { found } };
  return [warning('appliance-memory-low', { ...withAppliance(facts, told), subject: `memory of ${facts.appliance}` })];
}

interface KnownUnit {
  readonly config: { readonly name: string };
  readonly rest: ApplianceObservation | null;
  readonly known?: readonly KnownFact[];
}

/**
 * Adds insufficient memory as a possible reason for other faults, without changing their level.
 * @param ofUnit the name of the unit that has the fault, or null if any unit may have it
 */
export function memoryBeside(
  faults: readonly Finding[],
  units: readonly KnownUnit[],
  ofUnit: (fault: Finding) => string | null,
): readonly Finding[] {
  const beside = faults.flatMap((fault) => {
    const unit = ofUnit(fault);
    return units.flatMap(({ config, rest, known = [] }): Finding | [] => {
      const missing =
        rest?.kind === 'ok' && (unit === null || config.name === unit) ? missingMemory(rest, known) : null;
      return missing === null ? [] : besideOf(fault, config.name, missing);
    });
  });
  return [...new Map(beside.map((finding) => [`${finding.subject} ${finding.claim}`, finding])).values()];
}

function besideOf({ subject, suggests, facts }: Finding, unit: string, { found, version }: MissingMemory): Finding {
  return {
    rule: 'memory-suffices',
    subject,
    claim:
      'Low memory is another possible reason, because provisioning and push fail while the unit is swapping: ' +
      `${unit} has ${found}, but firmware ${version} needs 4 GB.`,
    expected: 'at least 4 GB of memory',
    level: 'note',
    suggests,
    ...(facts === undefined ? {} : { facts }),
  };
}

/** Known memory and SNMP issues are reported only together with a memory or SNMP fault. */
function judgeFirmware(facts: ApplianceFacts, known: readonly KnownFact[]): readonly Finding<ApplianceCause>[] {
  return [...factsFor(known, 'outage'), ...factsFor(known, 'note')].map((one) => note(factNote(facts, one)));
}

/** SNMP may fail because the firmware does not support SHA-1. */
function judgeSnmpHash(
  facts: ApplianceFacts,
  known: readonly KnownFact[],
  snmp: Pick<SnmpConfig, 'user' | 'authProtocol'> | null,
  role: HaRoleObservation | null,
): readonly Finding<ApplianceCause>[] {
  const usesSha1 = snmp !== null && snmp.user !== null && (snmp.authProtocol ?? 'sha') === 'sha';
  if (role?.kind !== 'failed' || !usesSha1) return [];
  return factsFor(known, 'snmp-sha1').map((one) => note(factNote(facts, one)));
}

function factsFor(known: readonly KnownFact[], use: FactUse): readonly KnownFact[] {
  return known.filter(({ fact }) => fact.use === use);
}

const OLD_FACTS: Millis = 180 * 24 * 3_600_000;

/** Newer faults of the firmware are not known to an old version of ftm-watch. */
function judgeFactsAge(facts: ApplianceFacts, asOf: string | null, at: EpochMs): readonly Finding<ApplianceCause>[] {
  if (asOf === null || at - Date.parse(asOf) <= OLD_FACTS) return [];
  const claim =
    `The facts about firmware are as known on ${asOf}, more than 180 days ago: update ftm-watch, or add facts with ` +
    'firmwareFactFiles.';
  return [
    note(withAppliance(facts, { rule: 'firmware-facts-current', claim, expected: 'facts of the last 180 days' })),
  ];
}

function factNote(facts: ApplianceFacts, { fact, version, isUncertain, recommended }: KnownFact) {
  const { id, summary, todo, source, asOf } = fact;
  const faulty = [...recommended].filter(([, ids]) => ids.length > 0);
  const which = faulty.length === recommended.size ? 'all of them' : nameList(faulty.map(([text]) => text));
  const but = faulty.length === 0 ? '' : `, but other faults affect ${which}`;
  const others = faulty.map(([text, ids]) => `; ${text}: ${ids.join(', ')}`).join('');
  return withAppliance(facts, {
    rule: 'firmware-known',
    claim: isUncertain
      ? `${id} does not mention firmware ${version}, which may be affected too: ${todo}${but}.`
      : `Firmware ${version} ${summary}: ${todo}${but}.`,
    expected: 'firmware without known issues that affect activation or access by ftm-watch',
    actual:
      `${version}: ${id}, ${isUncertain ? 'which does not mention this version' : 'affected'} (${source}; as known ` +
      `on ${asOf}${others})`,
  });
}

function isNameless(findings: readonly Finding[]): boolean {
  return findings.every((finding) => !isFault(finding) || finding.rule === NAME_RESOLVES);
}

export const appliance: Declaration<'appliance', ApplianceCause> = {
  id: 'appliance',
  title: 'FortiAuthenticator',
  dependsOn: [
    { kind: 'explained', by: 'internet', when: suggestsOnly('appliance-unreachable'), evidence: false },
    { kind: 'explained', by: 'name-resolution', when: isNameless, evidence: false, warnings: 'all' },
  ],
  countsForReady: true,
  causes: APPLIANCE_CAUSES,
  unknownRemedy:
    'Make sure that ftm-watch can reach the FortiAuthenticator API. Check appliances[].api.url, the user and the ' +
    'key.',
  place: { kind: 'stop', stop: 'fortiauthenticator' },
  step: 'tokens',
  sources: ['appliances'],
  judge: judgeAppliances,
};

function judgeAppliances(facts: Facts): Judgement {
  const units = facts.picture.appliances;
  const bySnmp = units.flatMap(({ config, role }) =>
    config.api === null ? judgeOnlySnmp(role, config, facts.speaking) : [],
  );
  if (!units.some(({ config: { api } }) => api !== null))
    return bySnmp.length === 0
      ? notConfigured('No FortiAuthenticator REST API is configured')
      : judged(bySnmp, 'Only the serial number could be read, over SNMP');
  const asked = units.filter(({ rest }) => rest !== null);
  if (asked.length === 0) return unjudged('Not queried yet');
  const findings = membersOf(units).flatMap((member) =>
    member.seen.rest === null
      ? []
      : judgeAppliance(member.seen.rest, member.seen, partnerOf(member, facts.speaking), facts),
  );
  return judged([...findings, ...bySnmp], `The API answers on ${nameList(asked.map(({ config: { name } }) => name))}`);
}

/** `peerSerial` is null if the unit reports no HA peer. */
interface UnitSerials {
  readonly appliance: string;
  readonly serial: string;
  readonly peerSerial: string | null;
}

/**
 * Compares the serial numbers with the configured HA pair, in either order. If the other member answers, for example
 * after a failover, only a note is added. Any other serial number means that the wrong unit responded.
 */
function judgeSerials(told: UnitSerials, expected: ApplianceConfig): readonly Finding<ApplianceCause>[] {
  const { serial, peerSerial } = told;
  const { serial: own, peerSerial: peer } = expected;
  if (own === null) return sameSerial(peer, serial) ? [] : judgePeer(told, peer, peerSerial);
  if (sameSerial(own, serial)) return judgePeer(told, peer, peerSerial);
  const otherAnswers = note({
    rule: 'serial-matches',
    subject: told.appliance,
    claim: `The HA peer ${serial} answers at this address, so a failover has taken place.`,
    expected: `serial ${own}`,
    facts: { appliance: told.appliance, serial },
  });
  if (sameSerial(peerSerial, own)) return [otherAnswers, ...judgePeer(told, peer, serial)];
  if (!sameSerial(peer, serial)) return [differs(told, 'serial-matches', own, serial)];
  return peerSerial === null ? [otherAnswers] : [otherAnswers, differs(told, 'serial-matches', own, peerSerial)];
}

/** SNMP does not report the peer's serial number. */
function judgeToldSerial(
  role: HaRoleObservation | null,
  expected: ApplianceConfig,
): readonly Finding<ApplianceCause>[] {
  if (role?.kind !== 'ok' || role.serial === null) return [];
  return judgeSerials({ appliance: role.appliance, serial: role.serial, peerSerial: null }, expected);
}

function judgePeer(
  told: UnitSerials,
  configured: string | null,
  found: string | null,
): readonly Finding<ApplianceCause>[] {
  if (configured === null || found === null || sameSerial(configured, found)) return [];
  return [{ ...differs(told, 'peer-serial-matches', configured, found), kind: 'peer' }];
}

function differs(told: UnitSerials, rule: string, configured: string, found: string): Finding<ApplianceCause> {
  return warning('appliance-serial-differs', {
    rule,
    subject: told.appliance,
    claim: `The ${rule === 'serial-matches' ? 'unit' : 'HA peer'} has the serial number ${found}, not ${configured}.`,
    expected: `serial ${configured}`,
    facts: { appliance: told.appliance, serial: told.serial, configured, found },
  });
}
