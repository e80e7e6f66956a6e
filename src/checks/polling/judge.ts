import {
  type Explanation,
  type Advice,
  type Finding,
  type FindingLevel,
  known,
  note,
  unknown,
} from '../../engine/model.ts';
import { isSmallShare } from '../intermittent/finding.ts';
import { isOlderTlsFault } from '../tls-genuine/expectations.ts';
import type { Declaration, Judgement, LogFacts } from '../check.ts';
import { notConfigured, unjudged, judged } from '../judgement.ts';
import { pathSeenBy } from '../peer-views.ts';
import { memoryBeside } from '../appliance/judge.ts';
import { POLLING_CAUSES, type PolicyKind, type PollingCause } from './causes.ts';
import { listens, isCorroborated, ONE_UNPROVEN } from '../../core/polling/state.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText, utcText } from '../../core/time-text.ts';
import {
  type AppliancePolling,
  type PollingError,
  type PollingReport,
  withoutLines,
} from '../../core/polling/report.ts';
import type { WatchedConfig } from '../../config/schema/watched.ts';
import { authority } from '../../core/addresses.ts';
import { nameList, timesText } from '../../core/visible-text.ts';
import { askedFor, firewallName, type PolicyMatch, policyText } from '../../core/license/firewall.ts';
import { withMoreSaid } from '../../engine/words.ts';

/** The path from this machine to the licence server. FortiAuthenticator probably uses a similar path. */
const PATH: readonly string[] = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];

/**
 * For these checks, this machine's probes are more reliable than a log line, which shows only that the path is broken
 * somewhere. These checks never report a cause that is based on a log line alone.
 */
const SEEN_BY_PROBES: readonly string[] = [...PATH, 'mail'];

type Heard = Extract<LogFacts, { readonly kind: 'heard' }>;

const MAX_LINE = 240;
const MINUTE: Millis = 60_000;

function judgePolling(heard: Heard): readonly Finding[] {
  const { appliances, silentAfter } = heard.report;
  return appliances.flatMap((appliance) => {
    const isSure = (error: PollingError): boolean => isCorroborated(likeErrors(error, appliance, heard));
    return [
      ...appliance.errors.map((error): Finding => {
        const finding = judgeError(appliance, error, heard);
        if (finding.level === 'note') return finding;
        if (!isSure(error)) return suspectedOnly(finding);
        return finding.level === 'broken' ? { ...finding, witness: 'appliance-log' } : finding;
      }),
      ...judgeTimes(appliance, heard),
      ...seenByPeers(appliance, heard),
      ...judgeSilence(appliance, silentAfter),
      ...judgeRejections(appliance, heard),
    ];
  });
}

/** Returns the errors that can corroborate this one, because they have the same cause. */
function likeErrors(
  { cause, severity, reliable }: PollingError,
  { errors }: AppliancePolling,
  { preconditionOf }: Heard,
): readonly PollingError[] {
  const suggests = suggestion(cause, preconditionOf);
  return errors.filter(
    (other) =>
      other.reliable === reliable &&
      other.severity === severity &&
      suggestion(other.cause, preconditionOf) === suggests,
  );
}

/** A single unproven line is not sufficient evidence. */
function suspectedOnly(finding: Finding): Finding {
  return { ...withMoreSaid(finding, '', ONE_UNPROVEN), level: 'warning', confidence: 'suspected' };
}

function judgeError(appliance: AppliancePolling, error: PollingError, heard: Heard): Finding {
  const { report, preconditionOf } = heard;
  const level = LEVELS[error.severity];
  const suggests = level === 'note' ? null : suggestion(error.cause, preconditionOf);
  return {
    rule: 'no-ftm-errors',
    subject: subjectOf(appliance.name, suggests),
    claim:
      error.count === 1
        ? `One FortiToken Mobile error was logged, at ${utcText(error.lastAt)}.`
        : `${String(error.count)} FortiToken Mobile errors were logged, from ${utcText(error.firstAt)} to ` +
          `${utcText(error.lastAt)}.`,
    quote: shorten(error.sample),
    at: error.lastAt,
    expected: `No FortiToken Mobile errors in the log within ${spanText(report.window)}`,
    level,
    suggests,
    explainedBy: explainedBy(error, preconditionOf),
    ...(error.reliable ? {} : { unproven: true }),
    ...complaintOf(appliance.name, error, suggests, heard),
    ...(usesSignatureText(level, suggests) || isOfNames(error.cause, preconditionOf)
      ? { advice: { summary: `${appliance.name}: ${error.summary}.`, remedy: error.remedy } }
      : {}),
  };
}

/** Problems that are fixed in different places get different subjects, so that they count as separate faults. */
function subjectOf(appliance: string, suggests: string | null): string {
  if (suggests === 'users-disabled') return `users of ${appliance}`;
  return suggests === 'appliance-fault-logged' ? `${appliance} itself` : appliance;
}

/** If only the unit's network path can explain the line, the matching firewall policy should be checked first. */
function complaintOf(
  appliance: string,
  { short, summary }: PollingError,
  suggests: string | null,
  heard: Heard,
): Pick<Finding, 'kind' | 'facts'> {
  if (suggests === 'appliance-fault-logged') return { facts: { appliance, ...known({ said: short }) } };
  if (suggests !== 'polling-failing') return { facts: { appliance } };
  const own = ownPolicy(appliance, heard);
  return { ...own, facts: { ...own.facts, ...known({ meaning: summary, said: short }) } };
}

/** Probe results are more useful than the log signature only if the fault must be on the path. */
function usesSignatureText(level: FindingLevel, suggests: string | null): boolean {
  return suggests !== null && (level === 'warning' || suggests !== 'polling-failing');
}

/**
 * The policy for the licence server does not explain a name resolution error, because FortiAuthenticator's resolvers
 * answer the DNS queries.
 */
function isOfNames(cause: string | null, preconditionOf: PreconditionOf): boolean {
  return cause !== null && preconditionOf(cause) === 'name-resolution';
}

/**
 * The time of arrival is used instead, so the difference has no other effect. It is reported once for each appliance,
 * with the latest error.
 */
function judgeTimes({ name, errors }: AppliancePolling, { preconditionOf }: Heard): readonly Finding[] {
  return errors
    .filter(({ severity, ahead }) => LEVELS[severity] !== 'note' && ahead !== undefined)
    .toSorted((a, b) => b.lastAt - a.lastAt)
    .slice(0, 1)
    .map(({ cause, lastAt, ahead = 0, reliable }): Finding => {
      const suggests = suggestion(cause, preconditionOf);
      // Rounded, so that the claim does not change with the delay of each line.
      const difference = spanText(Math.round(ahead / MINUTE) * MINUTE);
      return {
        rule: 'log-time-agrees',
        subject: subjectOf(name, suggests),
        claim: `The error of ${utcText(lastAt)} is dated ${difference} ahead of this machine's clock.`,
        expected: `The same clock and time zone on ${name}, on relays and on this machine`,
        level: 'note',
        suggests,
        ...(reliable ? {} : { unproven: true }),
        facts: { appliance: name },
      };
    });
}

/** If the path works for other agents as well, the fault is probably closer to FortiAuthenticator. */
function seenByPeers({ name, errors }: AppliancePolling, { peers = [], preconditionOf }: Heard): readonly Finding[] {
  const ofPath = errors.filter((error) => isOfPath(error, preconditionOf));
  return pathSeenBy(peers, PATH, Math.min(...ofPath.map(({ firstAt }) => firstAt))).map((seen) => ({
    ...seen,
    subject: name,
    level: 'note',
    suggests: 'polling-failing',
    ...(ofPath.some(({ reliable }) => reliable) ? {} : { unproven: true }),
    facts: { appliance: name },
  }));
}

function judgeSilence(
  { name, silent, silentFor, lastLineAt, reliableLineAt }: AppliancePolling,
  silentAfter: Millis,
): readonly Finding[] {
  if (!silent) return [];
  const since = spanText(silentFor ?? 0);
  const lastAt = reliableLineAt ?? lastLineAt;
  return [
    {
      rule: 'appliance-speaks',
      subject: name,
      claim:
        lastAt === null
          ? `No log line has arrived yet, although ftm-watch has been waiting for ${since}.`
          : `The last log line${lastAt === lastLineAt ? '' : ' from a verified sender'} arrived at ${utcText(lastAt)}, ` +
            `${since} ago.`,
      expected: `A log line at least every ${spanText(silentAfter)}`,
      level: 'warning',
      suggests: 'appliance-silent',
      explainedBy: [],
      facts: { appliance: name },
      ...(lastLineAt === null ? { advice: neverReceived(name) } : {}),
    },
  ];
}

/** From 8.0.3 on, FortiAuthenticator may require a host name in the certificate of a syslog server. */
function judgeRejections(
  { name, silent }: AppliancePolling,
  { certificateRejections = [] }: Heard,
): readonly Finding[] {
  if (!silent) return [];
  return certificateRejections
    .filter(({ appliance }) => appliance === name)
    .map(({ count, lastAt, names }) => ({
      rule: 'log-certificate-accepted',
      subject: name,
      claim:
        `${name} rejected the certificate of the syslog listener ${timesText(count)}, last at ${utcText(lastAt)} ` +
        `(names in it: ${nameList(names) || 'none'}).`,
      expected: 'A certificate that FortiAuthenticator accepts',
      level: 'note',
      suggests: 'appliance-silent',
      explainedBy: [],
      facts: { appliance: name },
    }));
}

function neverReceived(name: string): Advice {
  const summary = `${name} has never sent a log line to ftm-watch, so ftm-watch would miss its errors.`;
  return { summary, remedy: POLLING_CAUSES['appliance-silent'].remedy };
}

const LEVELS: Readonly<Record<PollingError['severity'], FindingLevel>> = {
  critical: 'broken',
  warning: 'warning',
  info: 'note',
};

function suggestion(cause: string | null, preconditionOf: PreconditionOf): string {
  return cause === null || SEEN_BY_PROBES.includes(preconditionOf(cause)) ? 'polling-failing' : cause;
}

/** FortiAuthenticator writes the message at the end of the line, after the fields. */
function shorten(line: string): string {
  return line.length <= MAX_LINE ? line : `…${line.slice(1 - MAX_LINE)}`;
}

const MOST_SENDERS = 6;

/** If no log line has ever been received, a missing log proves nothing. */
function judgeFirstLines({ config, report: { appliances }, unknownSenders }: Heard): readonly Finding[] {
  const silent = appliances
    .filter(({ lastLineAt, silent: isTold }) => lastLineAt === null && !isTold)
    .map(({ name }) => name);
  const subjects = appliances.length === 0 ? ['the log'] : silent;
  const refused =
    unknownSenders.length === 0
      ? ''
      : `; lines from unknown senders were rejected: ${nameList(unknownSenders, MOST_SENDERS)}`;
  return subjects.map((subject) =>
    unknown({
      rule: 'first-line-arrived',
      subject,
      claim: `Waiting for the first log line (${nameList(placesOf(config))})${refused}.`,
      expected: 'A log line from FortiAuthenticator',
      explainedBy: [],
    }),
  );
}

function placesOf({ logs }: WatchedConfig): readonly string[] {
  const { udp, tcp, tls } = logs.syslog;
  const listeners = Object.entries({ udp, tcp, tls: tls && tls.listen }).flatMap(([way, listener]) => {
    if (listener === null) return [];
    return [`${way.toUpperCase()} ${authority({ host: listener.address, port: listener.port })}`];
  });
  return [
    ...(listeners.length === 0 ? [] : [`listening on ${listeners.join(' and ')}`]),
    ...logs.files.map((file) => `reading ${file}`),
  ];
}

export const polling: Declaration<'polling', PollingCause> = {
  id: 'polling',
  title: 'Polling',
  // Faults in these checks can explain FortiAuthenticator's errors, so these checks are evaluated first.
  dependsOn: [...PATH, 'license-assignment', 'firewall-policy', 'mail'].map((by) => ({
    kind: 'explained',
    by,
    when: canCome(by),
    evidence: true,
    warnings: 'suspected',
    byWarning: mayAffectUnit,
  })),
  countsForReady: true,
  causes: POLLING_CAUSES,
  unknownRemedy:
    'Configure FortiAuthenticator to send its log to this machine (Logging > Log Config > Syslog Servers).',
  place: { kind: 'branch', name: 'Polling', hint: 'errors in the log' },
  step: 'provisioning',
  causeSteps: { 'users-disabled': 'code' },
  from: 'log',
  judge: judgeLog,
};

/** This machine's connections mostly work, but FortiAuthenticator's connections may fail. */
export function mayAffectUnit(finding: Finding): boolean {
  return isSmallShare(finding) || isOlderTlsFault(finding);
}

function canCome(by: string): Explanation['when'] {
  return (findings) =>
    findings.some(({ level, explainedBy }) => level !== 'note' && (explainedBy?.includes(by) ?? by !== 'mail'));
}

function judgeLog(facts: LogFacts): Judgement {
  if (!listens(facts.config)) return notConfigured('No log source is configured');
  switch (facts.kind) {
    // `ftm-watch check` does not receive the log, so a missing log is not a problem and the state is not `unknown`.
    case 'unheard':
      return facts.isTrouble ? unjudged(facts.reason) : notConfigured(facts.reason);
    case 'heard': {
      const found = judgePolling(facts);
      const failing = found.filter(({ suggests }) => suggests === 'polling-failing');
      const memory = memoryBeside(failing, facts.units ?? [], ({ subject }) => subject);
      const waiting = judgeFirstLines(facts);
      return {
        ...judged(
          [...found, ...memory, ...facts.notes, ...waiting],
          "FortiAuthenticator's log shows no FortiToken Mobile errors",
        ),
        // Missing log lines are reported as `appliance-silent`.
        ...(waiting.length === 0 ? {} : { waits: true }),
      };
    }
  }
}

/** Policies for other units are ignored. */
function ownPolicy(appliance: string, { config, firewall }: Heard): Pick<Finding, 'kind' | 'facts'> {
  const entry = askedFor(config.firewall, appliance);
  if (entry === null) return { facts: { appliance } };
  const { source } = entry;
  const observation = askedFor(firewall, appliance);
  const policy = observation?.kind === 'ok' ? textOf(observation.match) : null;
  const kind: PolicyKind = policy === null ? 'policy-unread' : 'policy-read';
  return { kind, facts: known({ appliance, source, firewall: firewallName(entry), policy }) };
}

function textOf(match: PolicyMatch): string {
  return match.kind === 'policy' ? policyText(match.policy) : 'the implicit deny';
}

/** After a repair, FortiAuthenticator's earlier connections may still time out for this long. */
const AFTERMATH: Millis = 60_000;

type PreconditionOf = (cause: string) => string;

/** A current or past fault that causes errors in FortiAuthenticator's log. */
export interface FaultSeen {
  readonly precondition: string;
  /** The only affected appliance. Null if all appliances may be affected. */
  readonly appliance: string | null;
  /** Time of the first of the consecutive rounds that detected the fault. A fault that returns is another fault. */
  readonly since: EpochMs;
  /** Time when the fault was last detected. */
  readonly at: EpochMs;
}

export interface UnexplainedPolling {
  readonly report: PollingReport;
  readonly notes: readonly Finding[];
}

/** The check whose failure explains every connection error. */
const BY_CONNECTION = 'reachability';
const CONNECTION: readonly string[] = [...PATH, 'firewall-policy'];
/** Licence faults do not cause log messages about failed connections. */
const OF_CONNECTION = /\bSSL\b|\bconnection\b|\btimeout\b/iu;

/** For example, a TLS fault cannot cause a name resolution error. */
function explainedBy(
  { cause, sample }: Pick<PollingError, 'cause' | 'sample'>,
  preconditionOf: PreconditionOf,
): readonly string[] {
  if (cause === null || cause === 'polling-failing')
    return OF_CONNECTION.test(messageOf(sample)) ? CONNECTION : [...CONNECTION, 'license-assignment'];
  const precondition = preconditionOf(cause);
  if (precondition === 'mail') return ['mail', 'internet', 'name-resolution'];
  if (precondition === 'name-resolution') return ['internet', 'name-resolution'];
  return CONNECTION.includes(precondition) ? CONNECTION : [precondition];
}

/**
 * Returns the preconditions whose failure can cause the errors. Only corroborated errors
 * count.
 */
export function complainedOf({ appliances }: PollingReport, preconditionOf: PreconditionOf): readonly string[] {
  return [...new Set(appliances.flatMap((appliance) => surelyComplainedOf(appliance, preconditionOf)))];
}

/**
 * Returns the time when any appliance last logged an error that a path fault can cause. A single log line is
 * sufficient.
 */
export function complainedOfPathAt({ appliances }: PollingReport, preconditionOf: PreconditionOf): EpochMs | null {
  const times = appliances
    .flatMap(({ errors }) => errors)
    .filter((error) => isOfPath(error, preconditionOf))
    .map(({ lastAt }) => lastAt);
  return times.length === 0 ? null : Math.max(...times);
}

function isOfPath(error: PollingError, preconditionOf: PreconditionOf): boolean {
  return error.severity === 'critical' && explainedBy(error, preconditionOf).includes(BY_CONNECTION);
}

function surelyComplainedOf({ errors }: AppliancePolling, preconditionOf: PreconditionOf): readonly string[] {
  const complaints = errors
    .filter(({ severity }) => severity !== 'info')
    .map((error) => ({ error, by: explainedBy(error, preconditionOf) }));
  return complaints
    .flatMap(({ by }) => by)
    .filter((id) => isCorroborated(complaints.filter(({ by }) => by.includes(id)).map(({ error }) => error)));
}

/** The fields before the message are removed, because they can contain any text. */
function messageOf(sample: string): string {
  return sample.slice(sample.lastIndexOf('="') + 1);
}

/** More than there are in a time window of the log. */
const MOST_SEEN = 100;

export function withLaterSeen(before: readonly FaultSeen[], later: readonly FaultSeen[]): readonly FaultSeen[] {
  return [...later, ...withoutSeen(before, later)].slice(0, MOST_SEEN);
}

/** Returns the faults, with the time since which they last according to the previous round. */
export function lastingSince(faults: readonly FaultSeen[], before: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.map((fault) => {
    const known = before.find((other) => isOfOne(fault, other));
    return known === undefined ? fault : { ...fault, since: known.since };
  });
}

export function withoutSeen(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => !others.some((other) => isSameFault(fault, other)));
}

export function seenIn(faults: readonly FaultSeen[], others: readonly FaultSeen[]): readonly FaultSeen[] {
  return faults.filter((fault) => others.some((other) => isSameFault(fault, other)));
}

function isOfOne(a: FaultSeen, b: FaultSeen): boolean {
  return a.precondition === b.precondition && a.appliance === b.appliance;
}

function isSameFault(a: FaultSeen, b: FaultSeen): boolean {
  return isOfOne(a, b) && a.since === b.since;
}

/**
 * Errors from the log remain in the time window after the path has been repaired, but must not raise a separate alarm.
 */
export function withoutExplained(
  report: PollingReport,
  faults: readonly FaultSeen[],
  preconditionOf: PreconditionOf,
): UnexplainedPolling {
  const parts = report.appliances.map((appliance) => {
    const { name, errors } = appliance;
    const own = faults.filter((fault) => fault.appliance === null || fault.appliance === name);
    // The fault must be able to cause the error, and must have been present during or shortly before it.
    const isExplained = (error: PollingError): boolean => {
      const by = explainedBy(error, preconditionOf);
      return own.some(({ precondition, at }) => by.includes(precondition) && error.lastAt <= at + AFTERMATH);
    };
    const explained = errors.filter(isExplained).map(({ lastAt }) => lastAt);
    const left = errors
      .filter((error) => !isExplained(error))
      .map((error) => withoutLines(error, (lastAt) => isExplained({ ...error, lastAt })));
    return {
      appliance: { ...appliance, errors: left },
      notes: explained.length === 0 ? [] : [explainedNote(name, Math.max(...explained))],
    };
  });
  return {
    report: { ...report, appliances: parts.map(({ appliance }) => appliance) },
    notes: parts.flatMap(({ notes }) => notes),
  };
}

function explainedNote(appliance: string, lastAt: EpochMs): Finding {
  const claim = `A known fault explains all errors in the log, the last of which occurred at ${utcText(lastAt)}.`;
  const expected = 'No unexplained FortiToken Mobile errors';
  return note({ rule: 'no-ftm-errors', subject: appliance, claim, expected });
}
