import { correctedNow } from '../../checks/clock/corrected-now.ts';
import { observeDateHeader } from '../../checks/clock/date-header.ts';
import type { CarrierFindings } from '../../checks/delivery/judge-carrier.ts';
import type { Judgement } from '../../checks/declaration.ts';
import { uncleanAddresses, withoutUnclean } from '../../checks/endpoint-words.ts';
import { judgeShare } from '../../checks/intermittent/judge.ts';
import { judged, unjudged } from '../../checks/judgement.ts';
import { roundConnectionsOf } from '../../checks/intermittent/round-connections.ts';
import { next, type PathShare } from '../../checks/intermittent/path-share.ts';
import { NO_OTHER_NAMES, otherNamesOf, withoutShared } from '../../checks/name-resolution/other-names.ts';
import { controlHostsOf } from '../../checks/reachability/explain-shut-ports.ts';
import { CHECKS } from '../../checks/registry.ts';
import type { RoundFacts } from '../../checks/round-facts.ts';
import type { TargetFacts } from '../../checks/target-facts.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from '../../checks/tls-genuine/judge-tls-path.ts';
import type { Verdict } from '../../checks/tls-genuine/tls-evidence.ts';
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
  /** Hosts that have answered since the start, `host:port`. */
  readonly answered: ReadonlySet<string>;
}

export interface AssessedRound {
  readonly judged: JudgedRound;
  /** For the next round. */
  readonly share: PathShare;
}

/** Turns what a round saw into what it means for each precondition by itself. */
export function assessRound(
  config: Config,
  given: RoundObservations,
  { tlsOf, share: before, answered }: RoundKnowledge,
): AssessedRound {
  const { expectedAddresses } = config.licenseServer;
  const otherNames = otherNamesOf(given, expectedAddresses, (address) => isOfServer(given, address, tlsOf));
  const round = withoutShared(given, otherNames);
  const controls = controlChainsOf(round.controls);
  const clock = clockObservations(round, tlsOf);
  const surroundings = { controls, now: correctedNow(round.startedAt, clock) };
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
        { config, round, clock, carriers, answered },
      ),
      tls: targets.map(({ path, tls }) => ({ path, judged: tls })),
    },
    share,
  };
}

/** Where the certificate is for the licence server, no other name having its address makes it another one's. */
const OF_SERVER: readonly Verdict[] = ['genuine', 'rotated', 'vendor-ca-changed'];

function isOfServer({ path, startedAt }: RoundObservations, address: string, tlsOf: RoundKnowledge['tlsOf']): boolean {
  const { licenseServer } = path;
  const endpoints = licenseServer.endpoints.filter((endpoint) => endpoint.address === address);
  const knowledge = tlsOf(licenseServer.subject);
  const { worst } = judgeTlsPath({ ...licenseServer, endpoints }, knowledge, { controls: [], now: startedAt });
  return worst !== null && OF_SERVER.includes(worst.verdict);
}

/** What the mail servers mean, where they have answered after everything else of their round. */
export function withMail(judged: JudgedRound, config: Config, round: RoundObservations): JudgedRound {
  const own = CHECKS.find((check) => check.id === 'mail');
  if (own?.from !== 'round') return judged;
  const assessment = { id: own.id, ...own.judge({ config, round, carriers: [], clock: [], answered: new Set() }) };
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
  const found = CHECKS.flatMap((check) => (check.from === 'target' ? [[check.id, check.judge(facts)] as const] : []));
  // A verdict on the only certificate that was seen does not name its address.
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

function clockObservations(round: RoundObservations, tlsOf: RoundKnowledge['tlsOf']): readonly ClockObservation[] {
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

/** The time as the round knows it. */
export function trueTime(round: RoundObservations, tlsOf: RoundKnowledge['tlsOf']): EpochMs {
  return correctedNow(round.startedAt, clockObservations(round, tlsOf));
}
