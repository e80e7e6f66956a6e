import { correctedNow } from '../../checks/clock/corrected-now.ts';
import { observeDateHeader } from '../../checks/clock/date-header.ts';
import type { CarrierFindings } from '../../checks/delivery/judge-carrier.ts';
import type { Judgement } from '../../checks/declaration.ts';
import { judgeShare } from '../../checks/judge-share.ts';
import { judged, unjudged } from '../../checks/judgement.ts';
import { roundConnectionsOf } from '../../checks/round-connections.ts';
import { next, type PathShare } from '../../checks/path-share.ts';
import { nearestHost } from '../../checks/reachability/explain-shut-ports.ts';
import { CHECKS } from '../../checks/registry.ts';
import type { RoundFacts } from '../../checks/round-facts.ts';
import type { TargetFacts } from '../../checks/target-facts.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from '../../checks/tls-genuine/judge-tls-path.ts';
import type { Config } from '../../config/config.ts';
import type { ServiceConfig } from '../../sources/path/services-section.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { ClockObservation } from '../../core/observation.ts';
import type { PathObservation } from '../../core/round.ts';
import type { RoundObservations } from '../../sources/registry.ts';
import type { Severity } from '../../core/severity.ts';
import type { Assessment } from '../../engine/assessment.ts';
import type { Finding } from '../../engine/finding.ts';
import { withGenuineTime } from '../../checks/genuine-time.ts';
import type { JudgedRound } from '../../checks/judged-round.ts';
import { isInvalid } from '../../core/invalid-round.ts';

/** What a round is judged by, apart from what it saw. */
export interface RoundKnowledge {
  /** By target, `host:port`. */
  readonly tlsOf: (target: string) => TlsKnowledge;
  /** What the rounds before say of the connections to the licence server. */
  readonly share: PathShare;
}

export interface AssessedRound {
  readonly judged: JudgedRound;
  /** For the next round. */
  readonly share: PathShare;
}

/** Turns what a round saw into what it means for each precondition by itself. */
export function assessRound(
  config: Config,
  round: RoundObservations,
  { tlsOf, share: before }: RoundKnowledge,
): AssessedRound {
  const controls = controlChainsOf(round.controls);
  const clock = withGenuineTime(clockObservations(round), round, tlsOf);
  const surroundings = { controls, now: correctedNow(round.startedAt, clock) };
  const nearest = nearestHost(round);
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
      nearest,
    };
  });
  const found = targets.filter(({ service }) => (service?.carries ?? null) === null).map(findingsAt);
  const carriers = targets.flatMap(carriedAt);
  const burst = judgeTlsPath(
    { ...round.path.licenseServer, endpoints: round.path.burst },
    tlsOf(round.path.licenseServer.subject),
    surroundings,
  );
  const [own] = targets;
  const share = isInvalid(round)
    ? before
    : next(before, roundConnectionsOf(round, own?.tls.endpoints ?? [], burst.endpoints));
  return {
    judged: {
      assessments: assessmentsOf(
        { own, found: withShare(found, share, round.path.licenseServer) },
        { config, round, clock, carriers },
      ),
      tls: targets.map(({ path, tls }) => ({ path, judged: tls })),
    },
    share,
  };
}

/** What the mail servers mean, where they have answered after everything else of their round. */
export function withMail(judged: JudgedRound, config: Config, round: RoundObservations): JudgedRound {
  const own = CHECKS.find((check) => check.id === 'mail');
  if (own?.from !== 'round') return judged;
  const assessment = { id: own.id, ...own.judge({ config, round, carriers: [], clock: [] }) };
  return { ...judged, assessments: judged.assessments.map((each) => (each.id === own.id ? assessment : each)) };
}

/** By check. Null: there was nothing to judge. */
type TargetFindings = Readonly<Record<string, readonly Finding[] | null>>;

interface Target extends TargetFacts {
  /** undefined: the target is the licence server */
  readonly service: ServiceConfig | undefined;
}

function findingsAt({ service, ...facts }: Target): TargetFindings {
  return findingsOf(facts, (findings) => (service === undefined ? findings : ofService(findings, service)));
}

/** A service that carries codes has a check of its own. */
function carriedAt({ service, ...facts }: Target): CarrierFindings | [] {
  if (service === undefined || service.carries === null) return [];
  const { carries, host, port, severity } = service;
  return { carries, host, port, severity, found: findingsOf(facts, (findings) => findings) };
}

function findingsOf(facts: TargetFacts, told: (findings: readonly Finding[]) => readonly Finding[]): TargetFindings {
  return Object.fromEntries(
    CHECKS.flatMap((check) => {
      if (check.from !== 'target') return [];
      const findings = check.judge(facts);
      return [[check.id, findings === null ? null : told(findings)]];
    }),
  );
}

/** What many connections say takes the place of what one says, of the licence server. */
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

interface JudgedTargets {
  /** The licence server. */
  readonly own: TargetFacts | undefined;
  readonly found: readonly TargetFindings[];
}

function assessmentsOf({ own, found }: JudgedTargets, facts: RoundFacts): readonly Assessment[] {
  return CHECKS.flatMap((check) => {
    if (check.from === 'round') return [{ id: check.id, ...check.judge(facts) }];
    if (check.from !== 'target' || own === undefined) return [];
    return [
      {
        id: check.id,
        ...assessTargets(
          found.map((target) => target[check.id] ?? null),
          check.summary(own),
        ),
      },
    ];
  });
}

/** The licence server decides whether it was judged; what services add are findings. */
function assessTargets([own, ...services]: readonly (readonly Finding[] | null)[], summary: string): Judgement {
  const findings = [own, ...services].flatMap((target) => target ?? []);
  return own === null || own === undefined
    ? { ...unjudged('There was no connection to judge'), findings }
    : judged(findings, summary);
}

function ofService(findings: readonly Finding[], { host, port, severity }: ServiceConfig): readonly Finding[] {
  return cap(findings, severity).map((finding) => ({
    ...finding,
    facts: { ...finding.facts, host, port: String(port) },
  }));
}

/** What a service does wrong counts for no more than the configuration says it is worth. */
function cap(findings: readonly Finding[], severity: Severity): readonly Finding[] {
  if (severity === 'critical') return findings;
  return findings.map((finding) => {
    if (finding.level === 'unknown') return { ...finding, level: 'note', suggests: null };
    if (finding.level === 'note') return finding;
    return { ...finding, level: severity === 'info' ? 'note' : 'warning' };
  });
}

function clockObservations({ controls, path: { licenseServer }, ntp }: RoundObservations): readonly ClockObservation[] {
  const headers = [...controls, licenseServer].flatMap(({ subject, endpoints }) =>
    endpoints.flatMap(({ http }) => (http?.kind === 'response' ? [observeDateHeader(subject, http)] : [])),
  );
  return [...ntp, ...headers];
}

/** The time as the round knows it. */
export function trueTime(round: RoundObservations): EpochMs {
  return correctedNow(round.startedAt, clockObservations(round));
}
