import { correctedNow, observeDateHeader, estimateClock, withGenuineTime } from '../checks/clock/judge.ts';
import type { CarrierFindings, Judgement, RoundFacts, TargetFacts } from '../checks/check.ts';
import { uncleanAddresses, withoutUnclean } from '../checks/endpoint-words.ts';
import { judgeShare, roundConnectionsOf } from '../checks/intermittent/judge.ts';
import { judged, unjudged, type JudgedRound } from '../checks/judgement.ts';
import {
  needsCloserLook as wantsBurst,
  next,
  type PathShare,
  type RoundConnections,
  sharesOf,
} from '../checks/intermittent/path-share.ts';
import { answeringHosts } from '../checks/internet/judge.ts';
import { NO_OTHER_NAMES, otherNamesOf, withoutShared } from '../checks/name-resolution/other-names.ts';
import { controlHostsOf } from '../checks/reachability/judge.ts';
import { CHECKS } from '../checks/registry.ts';
import { mixedVersions } from '../checks/tls-genuine/judge-older-tls.ts';
import {
  controlChainsOf,
  type JudgedEndpoint,
  judgeTlsPath,
  type TlsKnowledge,
} from '../checks/tls-genuine/judge-path.ts';
import type { Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { Config } from '../config/config.ts';
import type { ServiceConfig } from '../config/schema/watched.ts';
import { type EpochMs, isRecent, type Millis } from '../core/clock.ts';
import { utcText } from '../core/time-text.ts';
import type { ClockObservation, EndpointObservation } from '../core/observation.ts';
import { isInvalid, type PathObservation, type RoundObservations } from '../core/round.ts';
import type { Instruments } from './instruments.ts';
import type { EarlierVerdicts } from './memory.ts';
import type { Severity } from '../core/severity.ts';
import type { Assessment, Finding } from '../engine/model.ts';

/** Also stores the leaf certificates and failures for the next round. */
export function assessRound({ config, knowledge: base, memory }: Instruments, given: RoundObservations): JudgedRound {
  const tlsOf: TlsOf = (target) => base.of(target);
  const before = memory.share.current();
  const { answered, earlier } = memory;
  const { expectedAddresses } = config.licenseServer;
  const otherNames = otherNamesOf(given, expectedAddresses, (address) => isOfServer(given, address, tlsOf));
  const round = withoutShared(given, otherNames);
  const controls = controlChainsOf(round.controls);
  const clock = clockObservations(round, tlsOf);
  const surroundings = { controls, now: correctedNow(round.startedAt, clock) };
  const controlHosts = controlHostsOf(round);
  const roundTrips = memory.roundTrips.known();
  const targets = [round.path.licenseServer, ...round.path.services].map((path, index): Target => {
    const knowledge = tlsOf(path.subject);
    const service = config.services[index - 1];
    return {
      service,
      path,
      port: (service ?? config.licenseServer).port,
      licenseServer: index === 0 ? config.licenseServer : null,
      tls: judgeTlsPath(path, knowledge, surroundings),
      knowledge,
      surroundings,
      controlHosts,
      roundTrips,
      otherNames: index === 0 ? otherNames : NO_OTHER_NAMES,
    };
  });
  const found = targets.filter(({ service }) => (service?.carries ?? null) === null).map(findingsAt);
  const carriers = targets.flatMap(carriedAt);
  const [own] = targets;
  const share = isInvalid(round) || own === undefined ? before : next(before, connectionsOf(round, own));
  const stands = failsPartly(share, round.path.licenseServer) ? standing(earlier, found[0] ?? {}, round.startedAt) : {};
  const known = found.map((one, index) => (index === 0 ? { ...one, ...findingsIn(stands) } : one));
  const judged: JudgedRound = {
    assessments: assessmentsOf(own, withShare(known, share, round.path.licenseServer), stands, {
      config,
      round,
      clock,
      carriers,
      answered,
    }),
    tls: targets.map(({ path, tls }) => ({ path, judged: tls })),
    ownClock: isInvalid(round) ? null : { estimate: estimateClock(clock), clockBase: round.clockBase },
  };
  if (own !== undefined) memory.earlier = { ...earlier, ...verdictsOf(own, found[0] ?? {}, round.startedAt) };
  for (const subject of answeringHosts(given)) answered.add(subject);
  memory.roundTrips.note(given);
  memory.share.note(share, given.startedAt);
  for (const { path, judged: seen } of judged.tls) base.rememberFlaws(path.subject, seen);
  return judged;
}

/** Returns whether an immediate second round would provide more information about a failed connection. */
export function needsCloserLook({ memory, clock }: Instruments): boolean {
  return wantsBurst(memory.share.current(), clock.now());
}

type TlsOf = (target: string) => TlsKnowledge;

/** An address belongs to the licence server if it presents the licence server's certificate. */
const SERVER_VERDICTS: readonly Verdict[] = ['genuine', 'rotated', 'vendor-ca-changed'];

function isOfServer({ path, startedAt }: RoundObservations, address: string, tlsOf: TlsOf): boolean {
  const { licenseServer } = path;
  const endpoints = licenseServer.endpoints.filter((endpoint) => endpoint.address === address);
  const knowledge = tlsOf(licenseServer.subject);
  const { worst } = judgeTlsPath({ ...licenseServer, endpoints }, knowledge, { controls: [], now: startedAt });
  return worst !== null && SERVER_VERDICTS.includes(worst.verdict);
}

/** Adds the evaluation of the mail servers if they respond after the rest of the round has been evaluated. */
export function withMail(judged: JudgedRound, config: Config, round: RoundObservations): JudgedRound {
  const own = CHECKS.find((check) => check.id === 'mail');
  if (own?.from !== 'round') return judged;
  const assessment = { id: own.id, ...own.judge({ config, round, carriers: [], clock: [], answered: new Set() }) };
  return { ...judged, assessments: judged.assessments.map((each) => (each.id === own.id ? assessment : each)) };
}

function connectionsOf(
  round: RoundObservations,
  { path, tls, knowledge, surroundings }: TargetFacts,
): RoundConnections {
  const judge = (endpoints: readonly EndpointObservation[]): readonly JudgedEndpoint[] =>
    judgeTlsPath({ ...path, endpoints }, knowledge, surroundings).endpoints;
  const others = mixedVersions({ path, tls, knowledge, surroundings });
  return roundConnectionsOf(round, tls.endpoints, judge(round.path.burst), others);
}

/**
 * Maximum age of earlier verdicts, which are used if a check has no verdict in this round and only some connections
 * fail.
 */
const VERDICT_KEPT: Millis = 15 * 60_000;

function failsPartly(share: PathShare, { endpoints }: PathObservation): boolean {
  return sharesOf(share).some(
    ({ addresses, pattern }) =>
      (pattern === 'intermittent' || pattern === 'single') &&
      endpoints.some(({ address }) => addresses.includes(address)),
  );
}

function standing(earlier: EarlierVerdicts, found: TargetFindings, now: EpochMs): EarlierVerdicts {
  return Object.fromEntries(
    Object.entries(earlier).filter(([id, { at }]) => found[id] === null && isRecent(at, now, VERDICT_KEPT)),
  );
}

function findingsIn(verdicts: EarlierVerdicts): TargetFindings {
  return Object.fromEntries(
    Object.entries(verdicts).map(([id, { at, findings }]) => [
      id,
      findings.map((finding) => ({ ...finding, at: finding.at ?? at })),
    ]),
  );
}

function verdictsOf(own: TargetFacts, found: TargetFindings, at: EpochMs): EarlierVerdicts {
  return Object.fromEntries(
    CHECKS.flatMap((check) => {
      const findings = found[check.id] ?? null;
      return check.from !== 'target' || findings === null
        ? []
        : [[check.id, { at, findings, summary: check.summary(own) }]];
    }),
  );
}

/** Null if there was nothing to evaluate. */
type TargetFindings = Readonly<Record<string, readonly Finding[] | null>>;

interface Target extends TargetFacts {
  /** Undefined for the licence server. */
  readonly service: ServiceConfig | undefined;
}

function findingsAt({ service, ...facts }: Target): TargetFindings {
  return findingsOf(facts, (findings) => (service === undefined ? findings : ofService(findings, service)));
}

/** Services that deliver activation codes have a separate check. */
function carriedAt({ service, ...facts }: Target): CarrierFindings | [] {
  if (service === undefined || service.carries === null) return [];
  const { carries, host, port, severity } = service;
  return { carries, host, port, severity, found: findingsOf(facts, (findings) => findings) };
}

function findingsOf(facts: TargetFacts, told: (findings: readonly Finding[]) => readonly Finding[]): TargetFindings {
  const found = CHECKS.flatMap((check) => (check.from === 'target' ? [[check.id, check.judge(facts)] as const] : []));
  // The address is added to each finding, because findings about a certificate do not contain an address if all
  // addresses present the same certificate.
  const ofCertificates = facts.tls.endpoints.flatMap(({ endpoint: { address }, judgement }) =>
    judgement.findings.map((finding): Finding => ({ ...finding, facts: { ...finding.facts, address } })),
  );
  const unclean = uncleanAddresses(facts.path.endpoints, [
    ...found.flatMap(([, findings]) => findings ?? []),
    ...ofCertificates,
  ]);
  const compared = (finding: Finding): Finding => withoutUnclean(finding, unclean);
  return Object.fromEntries(
    found.map(([id, findings]) => [id, findings === null ? null : told(findings.map(compared))]),
  );
}

function withShare(
  [own, ...services]: readonly TargetFindings[],
  share: PathShare,
  licenseServer: PathObservation,
): readonly TargetFindings[] {
  if (own === undefined) return [];
  const { reachability = null, 'tls-genuine': tlsGenuine = null } = own;
  const told = judgeShare({ reachability, 'tls-genuine': tlsGenuine }, share, licenseServer);
  return [{ ...own, ...told }, ...services];
}

/** @param stands verdicts from earlier rounds, used for checks without a verdict in this round */
function assessmentsOf(
  own: TargetFacts | undefined,
  found: readonly TargetFindings[],
  stands: EarlierVerdicts,
  facts: RoundFacts,
): readonly Assessment[] {
  return CHECKS.flatMap((check) => {
    if (check.from === 'round') return [{ id: check.id, ...check.judge(facts) }];
    if (check.from !== 'target' || own === undefined) return [];
    const delegate = check.delegate?.(own);
    return [
      {
        id: check.id,
        ...(delegate === undefined ? {} : { delegate }),
        ...assessTargets(
          found.map((target) => target[check.id] ?? null),
          summaryOf(check.summary(own), stands[check.id]),
        ),
      },
    ];
  });
}

function summaryOf(now: string, stands: EarlierVerdicts[string] | undefined): string {
  return stands === undefined
    ? now
    : `${stands.summary} (as of ${utcText(stands.at)}, because there was no connection in this round)`;
}

/** The check has a verdict only if there is one for the licence server. Services only add findings. */
function assessTargets([own, ...services]: readonly (readonly Finding[] | null)[], summary: string): Judgement {
  const findings = [own, ...services].flatMap((target) => target ?? []);
  return own === null || own === undefined
    ? { ...unjudged('There was no connection to check'), findings }
    : judged(findings, summary);
}

function ofService(findings: readonly Finding[], { host, port, severity }: ServiceConfig): readonly Finding[] {
  return cap(findings, severity).map((finding) => ({
    ...finding,
    facts: { ...finding.facts, host, port: String(port) },
  }));
}

function cap(findings: readonly Finding[], severity: Severity): readonly Finding[] {
  if (severity === 'critical') return findings;
  return findings.map((finding) => {
    if (finding.level === 'unknown') return { ...finding, level: 'note', suggests: null };
    if (finding.level === 'note') return finding;
    return { ...finding, level: severity === 'info' ? 'note' : 'warning' };
  });
}

function clockObservations(round: RoundObservations, tlsOf: TlsOf): readonly ClockObservation[] {
  const {
    controls,
    path: { licenseServer },
    ntp,
  } = round;
  const headers = [...controls, licenseServer].flatMap(({ subject, endpoints }) =>
    endpoints.flatMap(({ http }) => (http?.kind === 'response' ? [observeDateHeader(subject, http)] : [])),
  );
  return withGenuineTime([...ntp, ...headers], round, tlsOf);
}

export function trueTime({ knowledge }: Instruments, round: RoundObservations): EpochMs {
  return correctedNow(
    round.startedAt,
    clockObservations(round, (target) => knowledge.of(target)),
  );
}
