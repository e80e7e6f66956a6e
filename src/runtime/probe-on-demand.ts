import { isIP } from 'node:net';
import { judgeHttp } from '../checks/license-server/judge.ts';
import { deadline, DeadlineError } from '../system/clock.ts';
import type { Config } from '../config/config.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { actualOf, type Finding } from '../engine/model.ts';
import type { DnsObservation, EndpointObservation, Failure } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import { visibleText } from '../core/visible-text.ts';
import { type ProbeFacts, renderProbe } from '../metrics/probe-metrics.ts';
import { judgeDns } from '../checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES } from '../checks/name-resolution/other-names.ts';
import { judgeTcp } from '../checks/reachability/judge.ts';
import { createLimiter } from '../network/limiter.ts';
import { judgeMail, mailViewOf, type MailView } from '../checks/mail/judge.ts';
import { mailLine, pathLines } from '../report/answers-text.ts';
import { judgeTlsPath } from '../checks/tls-genuine/judge-path.ts';
import type { TlsJudgement } from '../checks/tls-genuine/chain-case.ts';
import {
  controlTarget,
  licenseTarget,
  observeAnyAddress,
  type PathTarget,
  serviceTarget,
  straightTarget,
} from '../round/path.ts';
import { ROUND_LIMIT } from '../round/round.ts';
import { type Instruments, type RoundTools, roundTools } from '../round/instruments.ts';
import { observeMailServer } from '../round/mail.ts';
import type { ProbeAnswer, ProbeRequest, ProbeModule } from '../web/sources.ts';
import { discardIfStalled } from '../system/stall-monitor.ts';
import type { HostPort } from '../core/addresses.ts';
import { USUAL_PATIENCE, type MailServerConfig } from '../config/schema/watched.ts';
import type { ResolverConfig } from '../config/schema/secret.ts';
import { parseHostPort } from '../config/schema/section.ts';

export interface ProbesOnDemand {
  /** A failure of the target is returned, not thrown. */
  probe(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>;
  stop(): void;
}

/** On-demand probes use at most half of the allowed connections. The other half is reserved for rounds. */
const AT_ONCE = 2;
const MAX_WAITING = 16;
const MAX_SHOWN = 500;

interface ProbeOutcome extends Omit<ProbeFacts, 'module' | 'durationMs'> {
  readonly findings: readonly Finding[];
  readonly lines: readonly string[];
  /** The problem on this machine that prevented the probe, or null. */
  readonly localError: string | null;
}

const NOTHING: ProbeOutcome = {
  success: false,
  names: [],
  endpoint: null,
  mailCertificateNotAfter: null,
  genuineNotAfter: null,
  findings: [],
  lines: [],
  localError: null,
};

export function createProbesOnDemand(instruments: Instruments): ProbesOnDemand {
  const { config, clock } = instruments;
  const limiter = createLimiter(AT_ONCE);
  const mailView = mailViewOf(config);
  const stopping = new AbortController();

  async function probe({ target, module, timeout }: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer> {
    const choice = chooseProbe(config, target, module);
    if (choice.kind === 'malformed' || choice.kind === 'forbidden') return choice;
    if (limiter.waiting >= MAX_WAITING || stopping.signal.aborted) return { kind: 'busy' };
    const started = clock.elapsed();
    using limit = deadline(clock, Math.min(timeout ?? ROUND_LIMIT, ROUND_LIMIT), signal);
    using work = deadline(clock, ROUND_LIMIT, stopping.signal);
    const both = AbortSignal.any([limit.signal, work.signal]);
    const looked = await discardIfStalled(
      clock,
      limiter
        .run(() => probeOnce(choice, roundTools(instruments, both), mailView), both)
        .catch((error: unknown) => notStarted(error, both)),
    );
    const durationMs = clock.elapsed() - started;
    if (looked === null) return unknownAnswer(target, 'the ftm-watch process stalled during the probe');
    const { seen } = looked;
    if (stopping.signal.aborted) return unknownAnswer(target, 'the probe was cancelled');
    if (!seen.success && seen.localError !== null) return unknownAnswer(target, seen.localError);
    const metrics = await renderProbe({ module, durationMs, ...seen });
    return { kind: 'probed', metrics, explanation: explain(`${module} probe of ${target}`, seen, durationMs) };
  }

  return {
    probe,
    stop: () => stopping.abort(new Error('Stopping')),
  };
}

function probeOnce(choice: ProbeChoice, tools: RoundTools, mailView: MailView): Promise<ProbeOutcome> {
  switch (choice.kind) {
    case 'name':
      return lookUp(choice.target, tools);
    case 'mail':
      return rehearse(choice.server, tools, mailView);
    case 'path':
      return follow(choice.target, tools);
  }
}

async function lookUp(target: PathTarget, { limiter, askName, ctx }: RoundTools): Promise<ProbeOutcome> {
  const asked = target.resolvers.map((resolver) => limiter.run(() => askName(target.host, resolver, ctx), ctx.signal));
  const names = await Promise.all(asked);
  const { findings, addresses } = judgeNames(target, names);
  const success = addresses.length > 0 && isWell(findings);
  const lines = pathLines({ names, endpoints: [], references: [] });
  return { ...NOTHING, success, names, findings, lines, localError: localErrorOf(repliesOf(names)) };
}

async function rehearse(server: MailServerConfig, tools: RoundTools, view: MailView): Promise<ProbeOutcome> {
  const observation = await tools.limiter.run(() => observeMailServer(server, tools), tools.ctx.signal);
  const findings = judgeMail(observation, view);
  const { outcome, certificateNotAfter: mailCertificateNotAfter } = observation;
  return {
    ...NOTHING,
    success: outcome.kind === 'accepted',
    mailCertificateNotAfter,
    findings,
    lines: [mailLine(observation)],
    localError: localErrorOf([outcome]),
  };
}

async function follow(target: PathTarget, tools: RoundTools): Promise<ProbeOutcome> {
  const path = await observeAnyAddress(target, tools);
  const { names, endpoints } = path;
  const worst = judgeChains(path, tools);
  const { findings: tls } = worst ?? { findings: [] };
  const findings = [
    ...(names.length === 0 ? [] : judgeNames(target, names).findings),
    ...judgeTcp(endpoints, []),
    ...tls,
    ...(target.depth === 'http' ? judgeHttp(endpoints, []) : []),
  ];
  const endpoint = endpoints.at(-1) ?? null;
  // The probe fails if the certificate chain cannot be evaluated.
  const success = reached(endpoint, target.depth) && isWell(findings) && tls.every(({ level }) => level !== 'unknown');
  const localError = localErrorOf([...repliesOf(names), endpoint?.tcp, endpoint?.tls, endpoint?.http]);
  const genuineNotAfter = genuineEnd(endpoint, worst);
  return { ...NOTHING, success, names, endpoint, genuineNotAfter, findings, lines: pathLines(path), localError };
}

function judgeNames(
  { host, port, expectedAddresses }: PathTarget,
  names: readonly DnsObservation[],
): ReturnType<typeof judgeDns> {
  return judgeDns({ name: host, port, expectedAddresses, observations: names, others: NO_OTHER_NAMES, relays: [] });
}

/** Evaluates certificate chains in the same way as rounds, but without data from control hosts. */
function judgeChains(path: PathObservation, { knowledge, clock }: RoundTools): TlsJudgement | null {
  return judgeTlsPath(path, knowledge.ofAny(path.subject), { controls: [], now: clock.now() }).worst;
}

/** Returns the earliest expiry date in the chain, from the leaf to the certificate that verified it. */
function genuineEnd(endpoint: EndpointObservation | null, worst: TlsJudgement | null): EpochMs | null {
  const [leaf] = endpoint?.tls?.chain?.certificates ?? [];
  if (leaf === undefined || worst?.verdict !== 'genuine') return null;
  return Math.min(...[leaf, ...worst.authorities].map(({ notAfter }) => notAfter));
}

function reached(endpoint: EndpointObservation | null, depth: PathTarget['depth']): boolean {
  if (endpoint === null) return false;
  const { tcp, tls, http } = endpoint;
  switch (depth) {
    case 'tcp':
      return tcp.kind === 'open';
    case 'tls':
      return tls !== null && tls.kind !== 'failed';
    case 'http':
      return http !== null && http.kind !== 'failed';
  }
}

function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ level }) => level !== 'broken');
}

function repliesOf(names: readonly DnsObservation[]): readonly DnsObservation['a'][] {
  return names.flatMap(({ a, aaaa }) => [a, aaaa]);
}

function localErrorOf(outcomes: readonly (Failure | { readonly kind: string } | null | undefined)[]): string | null {
  const failures = outcomes.filter((outcome): outcome is Failure => outcome?.kind === 'failed');
  return failures.find(({ reason }) => reason === 'internal')?.message ?? null;
}

function notStarted(error: unknown, signal: AbortSignal): ProbeOutcome {
  if (!signal.aborted) throw error;
  return {
    ...NOTHING,
    localError:
      signal.reason instanceof DeadlineError
        ? 'the time limit was reached before the probe started'
        : 'the probe was cancelled',
  };
}

/** The answer does not contain `probe_success 0`, because that would indicate a problem with the target. */
function unknownAnswer(target: string, why: string): ProbeAnswer {
  return { kind: 'hindered', problem: `The state of ${target} is unknown: ${why}` };
}

function explain(title: string, { success, findings, lines }: ProbeOutcome, durationMs: Millis): readonly string[] {
  return [
    `${title}: ${success ? 'success' : 'failure'} after ${durationMs.toFixed(1)} ms`,
    '',
    ...lines,
    ...(findings.length === 0 ? [] : ['', 'Findings:', ...findings.map(findingLine)]),
  ].map((line) => visibleText(line, 2 * MAX_SHOWN));
}

function findingLine(finding: Finding): string {
  const { level, rule, subject, expected } = finding;
  return visibleText(`${level}  ${rule} (${subject}): expected ${expected}, got ${actualOf(finding)}`, 2 * MAX_SHOWN);
}

type ProbeChoice =
  | { readonly kind: 'path'; readonly target: PathTarget }
  | { readonly kind: 'name'; readonly target: PathTarget }
  | { readonly kind: 'mail'; readonly server: MailServerConfig };

type Refusal = Extract<ProbeAnswer, { kind: 'malformed' | 'forbidden' }>;

const MAX_NAMES_SHOWN = 100;

/**
 * Only configured or allowed targets are probed. With the module `dns`, a host is looked up with every resolver, and a
 * resolver is queried for the licence server's name, as in the blackbox exporter.
 */
export function chooseProbe(config: Config, asked: string, module: ProbeModule): ProbeChoice | Refusal {
  const resolver = module === 'dns' ? config.resolvers.find(({ label }) => label === asked) : undefined;
  if (resolver !== undefined) return atResolver(config, resolver);
  const wanted = parseTarget(asked);
  if (wanted === null)
    return { kind: 'malformed', problem: `Cannot probe ${shown(asked)}: expected HOST or HOST:PORT` };
  switch (module) {
    case 'dns':
      return chooseName(config, asked, wanted);
    case 'smtp':
      return chooseMail(config, asked, wanted);
    case 'tcp':
    case 'tls':
    case 'http': {
      const target = knownTargets(config).find(isWanted(wanted));
      return target === undefined ? forbidden(asked) : { kind: 'path', target: { ...target, depth: module } };
    }
  }
}

interface Wanted {
  readonly host: string;
  readonly port: number | null;
}

function parseTarget(text: string): Wanted | null {
  const withPort = parseHostPort(text, null);
  if (withPort !== null) return withPort;
  const alone = parseHostPort(text, 1);
  return alone === null ? null : { host: alone.host, port: null };
}

function isWanted({ host, port }: Wanted): (known: HostPort) => boolean {
  return (known) => known.host.toLowerCase() === host.toLowerCase() && (port === null || known.port === port);
}

function knownTargets(config: Config): readonly PathTarget[] {
  const { services, controlHosts, web, appliances, firewall, registration } = config;
  const urls = [
    ...appliances.flatMap(({ api }) => api?.url ?? []),
    ...firewall.map(({ url }) => url),
    registration?.url,
    registration?.authUrl,
  ];
  const straight = [...web.probeTargets, ...mailServers(config), ...urls.flatMap(endpointOf)];
  return [
    licenseTarget(config),
    ...services.map((service) => serviceTarget(service, config)),
    ...controlHosts.map((host) => controlTarget(host, config)),
    ...straight.map((host) => straightTarget(host, config)),
  ];
}

function endpointOf(url: string | undefined): readonly HostPort[] {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null) return [];
  const port = parsed.port === '' ? (parsed.protocol === 'https:' ? 443 : 80) : Number(parsed.port);
  return [{ host: parsed.hostname.replace(/^\[|\]$/gu, ''), port }];
}

/** Sending a message through a notification server is not rehearsed. */
function mailServers({ mail, notify }: Config): readonly MailServerConfig[] {
  return [
    ...mail,
    ...(notify.email?.servers ?? []).map((relay) => ({
      ...relay,
      applianceCaFile: null,
      from: null,
      to: null,
      required: false,
      timeout: USUAL_PATIENCE,
    })),
  ];
}

function chooseMail(config: Config, asked: string, wanted: Wanted): ProbeChoice | Refusal {
  const server = mailServers(config).find(isWanted(wanted));
  if (server !== undefined) return { kind: 'mail', server };
  return {
    kind: 'forbidden',
    problem: `Cannot probe ${shown(asked)} as a mail server: it is not listed in "mail" in the configuration`,
  };
}

function chooseName(config: Config, asked: string, wanted: Wanted): ProbeChoice | Refusal {
  const resolver = config.resolvers.find((known) => 'host' in known && isWanted(wanted)(known));
  if (resolver !== undefined) return atResolver(config, resolver);
  const target = knownTargets(config).find(isWanted({ ...wanted, port: null }));
  if (target === undefined) return forbidden(asked);
  if (isIP(target.host) === 0) return { kind: 'name', target };
  return {
    kind: 'malformed',
    problem: `Cannot resolve ${shown(asked)}: expected a name or a resolver, got an address`,
  };
}

function atResolver(config: Config, resolver: ResolverConfig): ProbeChoice {
  return { kind: 'name', target: { ...licenseTarget(config), resolvers: [resolver] } };
}

function forbidden(asked: string): Refusal {
  return {
    kind: 'forbidden',
    problem:
      `Cannot probe ${shown(asked)}: it is not in the configuration; ` + 'to allow it, add it to "web.probeTargets"',
  };
}

function shown(text: string): string {
  return `"${visibleText(text, MAX_NAMES_SHOWN)}"`;
}
