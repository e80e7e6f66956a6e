import { correctedNow, observeDateHeader, estimateClock, withGenuineTime } from '../checks/clock/judge.ts';
import type { CarrierFindings, Judgement, RoundFacts, TargetFacts } from '../checks/check.ts';
import { uncleanAddresses, withoutUnclean } from '../checks/endpoint-words.ts';
import { type AnswerFaults, withAnswers } from '../checks/intermittent/answers.ts';
import { connectionsOf, withSampling } from '../checks/intermittent/finding.ts';
import { judged, unjudged, type JudgedRound } from '../checks/judgement.ts';
import {
  needsCloserLook as wantsBurst,
  type SampledRound,
  type Sampling,
  samplingAfter,
} from '../checks/intermittent/sampling.ts';
import { answeringHosts } from '../checks/internet/judge.ts';
import { nameResolution } from '../checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES, otherNamesOf, withoutShared } from '../checks/name-resolution/other-names.ts';
import { controlHostsOf } from '../checks/reachability/judge.ts';
import { CHECKS } from '../checks/registry.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import type { Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { Config } from '../config/config.ts';
import type { ServiceConfig } from '../config/schema/watched.ts';
import type { EpochMs } from '../core/clock.ts';
import { type ClockObservation, decidingAddresses, type DnsObservation } from '../core/observation.ts';
import { isInvalid, type RoundObservations } from '../core/round.ts';
import type { Instruments } from './instruments.ts';
import type { Severity } from '../core/severity.ts';
import type { Assessment, Finding } from '../engine/model.ts';

/** Also stores the leaf certificates and failures for the next round. */
export function assessRound({ config, knowledge: base, memory }: Instruments, given: RoundObservations): JudgedRound {
  const tlsOf: TlsOf = (target) => base.of(target);
  const before = memory.sampling.current();
  const { answered } = memory;
  const { expectedAddresses } = config.licenseServer;
  const otherNames = otherNamesOf(given, expectedAddresses, (address) => isOfServer(given, address, tlsOf));
  const round = withoutShared(given, otherNames);
  const controls = controlChainsOf(round.controls);
  const clock = clockObservations(round, tlsOf);
  memory.roundTrips.note(given);
  const roundTrips = memory.roundTrips.known();
  const surroundings = { controls, now: correctedNow(round.startedAt, clock), roundTrips };
  const controlHosts = controlHostsOf(round);
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
      otherNames: index === 0 ? otherNames : NO_OTHER_NAMES,
    };
  });
  const found = targets.filter(({ service }) => (service?.carries ?? null) === null).map(findingsAt);
  const carriers = targets.flatMap(carriedAt);
  const [own] = targets;
  const sampling = isInvalid(round) || own === undefined ? before : samplingAfter(before, sampledIn(round, own));
  const answers = answersIn(found[0], memory.answers, round);
  const known = found.map((one, index) =>
    index === 0 ? { ...sampledFindings(one, sampling, round), ...answers.found } : one,
  );
  // Other connections have shown that the stages after the failed one are reached.
  const isLeftOut = sampling.kind === 'intermittent';
  const judged: JudgedRound = {
    assessments: assessmentsOf(own, known, isLeftOut, { config, round, clock, carriers, answered }),
    tls: targets.map(({ path, tls }) => ({ path, judged: tls })),
    ownClock: isInvalid(round) ? null : { estimate: estimateClock(clock), clockBase: round.clockBase },
  };
  for (const subject of answeringHosts(given)) answered.add(subject);
  memory.sampling.note(sampling);
  memory.answers = answers.faults;
  return judged;
}

/** Returns whether an immediate second round would provide more information about a failed connection. */
export function needsCloserLook({ memory, clock }: Instruments): boolean {
  return wantsBurst(memory.sampling.current(), clock.now());
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

function sampledIn(round: RoundObservations, { path, tls, knowledge, surroundings }: TargetFacts): SampledRound {
  const { burst } = round.path;
  const judged = judgeTlsPath({ ...path, endpoints: burst }, knowledge, surroundings).endpoints;
  const dialled = path.endpoints.map(({ address }) => address);
  const answers = path.names.flatMap(addressesIn);
  return {
    at: round.startedAt,
    answers: path.names.length === 0 ? dialled : dialled.filter((address) => answers.includes(address)),
    deciding: decidingAddresses(path.endpoints).map(({ address }) => address),
    own: connectionsOf(path.endpoints, tls.endpoints),
    burst: burst.length === 0 ? null : connectionsOf(burst, judged),
  };
}

function addressesIn({ a, aaaa }: DnsObservation): readonly string[] {
  return [a, aaaa].flatMap((reply) => (reply.kind === 'answer' ? reply.addresses : []));
}

function answersIn(
  found: TargetFindings | undefined,
  before: AnswerFaults,
  round: RoundObservations,
): { readonly faults: AnswerFaults; readonly found: TargetFindings } {
  const own = found?.[nameResolution.id] ?? null;
  if (own === null || isInvalid(round)) return { faults: before, found: {} };
  const { faults, findings } = withAnswers(before, own, round.startedAt);
  return { faults, found: { [nameResolution.id]: findings } };
}

function sampledFindings(own: TargetFindings, sampling: Sampling, { path }: RoundObservations): TargetFindings {
  const { reachability = null, 'tls-genuine': tlsGenuine = null, 'license-server': licenseServer = null } = own;
  const stages = { reachability, 'tls-genuine': tlsGenuine, 'license-server': licenseServer };
  return { ...own, ...withSampling(stages, sampling, path.licenseServer) };
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

/** @param isLeftOut whether a check without a connection in this round does not count */
function assessmentsOf(
  own: TargetFacts | undefined,
  found: readonly TargetFindings[],
  isLeftOut: boolean,
  facts: RoundFacts,
): readonly Assessment[] {
  return CHECKS.flatMap((check) => {
    if (check.from === 'round') return [{ id: check.id, ...check.judge(facts) }];
    if (check.from !== 'target' || own === undefined) return [];
    const delegate = check.delegate?.(own);
    const assessment = assessTargets(
      found.map((target) => target[check.id] ?? null),
      check.summary(own),
    );
    return [
      {
        id: check.id,
        ...(delegate === undefined ? {} : { delegate }),
        ...assessment,
        ...(isLeftOut && assessment.kind === 'unjudged' ? { waits: true } : {}),
      },
    ];
  });
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
