import type { Config, ServiceConfig } from '../config/config.ts';
import type { Assessment } from '../core/assessment.ts';
import type { Severity } from '../core/cause.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Finding } from '../core/finding.ts';
import { nameList } from '../core/name-list.ts';
import type { ClockObservation, EndpointObservation } from '../core/observation.ts';
import type { PreconditionId } from '../core/precondition.ts';
import { next, type PathShare } from '../core/path-share.ts';
import type { PathObservation, RoundObservations } from '../core/round.ts';
import { nextTurn } from '../next-turn.ts';
import { correctedNow } from '../probes/clock/corrected-now.ts';
import { observeDateHeader } from '../probes/clock/date-header.ts';
import { judgeClock } from '../probes/clock/judge.ts';
import { judgeDns } from '../probes/dns/judge.ts';
import { judgeHttp, judgeTcp } from '../probes/endpoint/judge.ts';
import { judgeMail } from '../probes/mail/judge.ts';
import { explainShutPorts, nearestHost } from './explain-shut-ports.ts';
import { judgeFamily } from './judge-family.ts';
import { judgeInternet } from './judge-internet.ts';
import { withGenuineTime } from './genuine-time.ts';
import { judgeShare } from './judge-share.ts';
import { lookOf } from './look-of.ts';
import { controlChainsOf, judgeTlsPath, type JudgedTlsPath, type TlsKnowledge } from './judge-tls-path.ts';
import { judgeOlderTls } from './judge-older-tls.ts';
import { refusedBaselineFindings } from './refused-baseline.ts';
import { isVoid } from './void-round.ts';

/** What a round is judged by, apart from what it saw. */
export interface RoundKnowledge {
  /** By target, `host:port`. */
  readonly tlsOf: (target: string) => TlsKnowledge;
  /** What the rounds before say of the connections to the licence server. */
  readonly share: PathShare;
}

export interface JudgedRound {
  /** Of the preconditions that the probes look at. */
  readonly assessments: readonly Assessment[];
  /** The verdicts on the licence server, then on the services. */
  readonly tls: readonly { readonly path: PathObservation; readonly judged: JudgedTlsPath }[];
}

export interface AssessedRound {
  readonly judged: JudgedRound;
  /** For the next round. */
  readonly share: PathShare;
}

/** Paths that are judged in one turn: some milliseconds of work. */
const PATHS_A_TURN = 25;

/** Turns what a round saw into what it means for each precondition by itself; many paths in turns with other work. */
export async function assessRound(
  config: Config,
  round: RoundObservations,
  { tlsOf, share: before }: RoundKnowledge,
): Promise<AssessedRound> {
  const controls = controlChainsOf(round.controls);
  const clock = withGenuineTime(clockObservations(round), round, tlsOf);
  const now = correctedNow(round.startedAt, clock);
  const nearest = nearestHost(round);
  const judged: JudgedRound['tls'][number][] = [];
  const stages: PathFindings[] = [];
  for (const [index, path] of [round.licenseServer, ...round.services].entries()) {
    if (index % PATHS_A_TURN === PATHS_A_TURN - 1) await nextTurn();
    const knowledge = tlsOf(path.subject);
    const tls = judgeTlsPath(path, knowledge, { controls, now });
    judged.push({ path, judged: tls });
    const more = [
      ...judgeOlderTls(path, tls, knowledge, { controls, now }),
      ...refusedBaselineFindings(path.subject, knowledge),
    ];
    stages.push(judgePath({ path, tls, more }, { config, nearest }, index));
  }
  const burst = judgeTlsPath({ ...round.licenseServer, endpoints: round.burst }, tlsOf(round.licenseServer.subject), {
    controls,
    now,
  });
  const [straight] = judged;
  const share = isVoid(round) ? before : next(before, lookOf(round, straight?.judged.endpoints ?? [], burst.endpoints));
  const [own, ...services] = stages;
  const told = own === undefined ? [] : [{ ...own, ...judgeShare(own, share, round.licenseServer) }, ...services];
  return {
    judged: {
      assessments: [
        judgeInternet(round),
        stage('name-resolution', told, nameSummary(round.licenseServer)),
        stage('reachability', told, reachSummary(round.licenseServer)),
        stage('tls-genuine', told, straight?.judged.worst?.summary ?? 'No connection to judge'),
        stage('license-server', told, 'The licence server answers'),
        assessMail(round),
        assessClock(config, clock),
      ],
      tls: judged,
    },
    share,
  };
}

type Stage = 'name-resolution' | 'reachability' | 'tls-genuine' | 'license-server';

/** Null: there was nothing to judge. */
type PathFindings = Readonly<Record<Stage, readonly Finding[] | null>>;

interface JudgedPath {
  readonly path: PathObservation;
  readonly tls: JudgedTlsPath;
  /** Beside the verdicts on the certificates. */
  readonly more: readonly Finding[];
}

interface PathContext {
  readonly config: Config;
  /** By `nearestHost`. */
  readonly nearest: Millis | null;
}

function judgePath({ path, tls, more }: JudgedPath, { config, nearest }: PathContext, index: number): PathFindings {
  const service = config.services[index - 1];
  const capped = (findings: readonly Finding[]): readonly Finding[] =>
    service === undefined ? findings : ofService(findings, service);
  const { endpoints } = path;
  const answered = endpoints.filter(({ http }) => http !== null);
  const proxied = endpoints.some(({ proxy }) => proxy !== null);
  return {
    'name-resolution':
      path.names.length === 0
        ? proxied || endpoints.length > 0
          ? []
          : null
        : capped(nameFindings(path, config, index)),
    reachability: judgeable(endpoints) ? capped(explainShutPorts(judgeTcp(endpoints), endpoints, nearest)) : null,
    'tls-genuine': tls.worst === null ? null : capped([...tls.worst.findings, ...more]),
    'license-server': answered.length === 0 ? null : capped(judgeHttp(answered)),
  };
}

function nameFindings(
  { names, host }: PathObservation,
  { licenseServer, services }: Config,
  index: number,
): readonly Finding[] {
  const { port } = services[index - 1] ?? licenseServer;
  const expectedAddresses = index === 0 ? licenseServer.expectedAddresses : [];
  const { findings, addresses } = judgeDns({ name: host, port, expectedAddresses, observations: names });
  return index === 0 ? [...findings, ...judgeFamily(licenseServer, addresses)] : findings;
}

function judgeable(endpoints: readonly EndpointObservation[]): boolean {
  return endpoints.some(({ tcp }) => tcp.kind === 'open' || (tcp.reason !== 'aborted' && tcp.reason !== 'internal'));
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

/** The licence server decides whether a stage was judged; what services add are findings. */
function stage(id: Stage, [licenseServer, ...services]: readonly PathFindings[], summary: string): Assessment {
  const own = licenseServer?.[id] ?? null;
  return {
    id,
    kind: own === null ? 'unjudged' : 'judged',
    findings: [...(own ?? []), ...services.flatMap((service) => service[id] ?? [])],
    summary: own === null ? 'There was no connection to judge' : summary,
  };
}

function nameSummary({ names, host, endpoints }: PathObservation): string {
  if (names.length === 0)
    return endpoints.some(({ proxy }) => proxy !== null) ? 'The proxy resolves the name' : `${host} is an address`;
  const addresses = [...new Set(endpoints.map(({ address }) => address))];
  return `${host} is ${addresses.join(', ')}`;
}

function reachSummary({ endpoints }: PathObservation): string {
  const open = endpoints.flatMap(({ tcp }) => (tcp.kind === 'open' ? [tcp.durationMs] : []));
  const proxy = endpoints.find((endpoint) => endpoint.proxy !== null)?.proxy;
  const way = proxy === undefined || proxy === null ? '' : ` through the proxy ${proxy}`;
  return open.length === 0 ? 'No connection' : `The port opens${way} in ${Math.max(...open).toFixed(0)} ms`;
}

function assessMail({ mail }: RoundObservations): Assessment {
  if (mail.length === 0)
    return { id: 'mail', kind: 'not-configured', findings: [], summary: 'No mail server is configured' };
  return judgedAs('mail', mail.flatMap(judgeMail), `${nameList(mail.map(({ server }) => server))} accepts a message`);
}

/** Without an NTP server the time is a by-product of other answers: when none has it, nothing is missing. */
function assessClock({ clock }: Config, observations: readonly ClockObservation[]): Assessment {
  if (clock.ntp.length === 0 && !observations.some(({ outcome }) => outcome.kind === 'offset')) {
    return {
      id: 'clock',
      kind: 'not-configured',
      findings: [],
      summary: 'No NTP server is configured, and no answer told the time',
    };
  }
  return judgedAs('clock', judgeClock(observations, clock.maxOffset), 'The clock agrees with the outside world');
}

function judgedAs(id: PreconditionId, findings: readonly Finding[], summary: string): Assessment {
  return { id, kind: 'judged', findings, summary };
}

function clockObservations({ controls, licenseServer, ntp }: RoundObservations): readonly ClockObservation[] {
  const headers = [...controls, licenseServer].flatMap(({ subject, endpoints }) =>
    endpoints.flatMap(({ http }) => (http?.kind === 'response' ? [observeDateHeader(subject, http)] : [])),
  );
  return [...ntp, ...headers];
}

/** The time as the round knows it. */
export function trueTime(round: RoundObservations): EpochMs {
  return correctedNow(round.startedAt, clockObservations(round));
}
