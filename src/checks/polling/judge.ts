import {
  type Explanation,
  type Advice,
  type Finding,
  type FindingLevel,
  known,
  unknown,
  warning,
} from '../../engine/model.ts';
import { isSmallShare } from '../intermittent/finding.ts';
import { isOlderTlsFault } from '../tls-genuine/expectations.ts';
import type { Declaration, Facts, HeardLog, Judgement } from '../check.ts';
import { notConfigured, unjudged, judged } from '../judgement.ts';
import { pathSeenBy } from '../peer-views.ts';
import { memoryBeside } from '../appliance/judge.ts';
import { POLLING_CAUSES, type PolicyKind, type PollingCause } from './causes.ts';
import { explained, explainedBy, isOfPath, PATH, type PreconditionOf } from './explained.ts';
import { listens, isSufficientEvidence, ONE_UNPROVEN } from '../../core/polling/state.ts';
import type { Millis } from '../../core/clock.ts';
import { spanText, utcText } from '../../core/time-text.ts';
import type { AppliancePolling, PollingError } from '../../core/polling/report.ts';
import type { WatchedConfig } from '../../config/schema/watched.ts';
import { authority } from '../../core/addresses.ts';
import { nameList, timesText } from '../../core/visible-text.ts';
import { askedFor, firewallName, type PolicyMatch, policyText } from '../../core/firewall.ts';
import { withMoreSaid } from '../../engine/words.ts';

/**
 * For these checks, this machine's probes are more reliable than a log line, which shows only that the path is broken
 * somewhere. These checks never report a cause that is based on a log line alone.
 */
const SEEN_BY_PROBES: readonly string[] = [...PATH, 'mail'];

type Heard = Pick<Facts, 'config' | 'picture'> & Omit<HeardLog, 'kind'>;

const MAX_LINE = 240;
const MINUTE: Millis = 60_000;

function judgePolling(heard: Heard): readonly Finding[] {
  const { appliances, silentAfter } = heard.report;
  return appliances.flatMap((appliance) => {
    const isSure = (error: PollingError): boolean => isSufficientEvidence(likeErrors(error, appliance, heard));
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
        claim: `The error of ${utcText(lastAt)} is dated ${difference} ahead of the ftm-watch machine's clock.`,
        expected: `The same clock and time zone on ${name}, on relays and on the ftm-watch machine`,
        level: 'note',
        suggests,
        ...(reliable ? {} : { unproven: true }),
        facts: { appliance: name },
      };
    });
}

/** If the path works for other agents as well, the fault is probably closer to FortiAuthenticator. */
function seenByPeers(
  { name, errors }: AppliancePolling,
  { picture: { peers }, preconditionOf }: Heard,
): readonly Finding[] {
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
    warning('appliance-silent', {
      rule: 'appliance-speaks',
      subject: name,
      claim:
        lastAt === null
          ? `No log line has arrived yet, although ftm-watch has been waiting for ${since}.`
          : `The last log line${lastAt === lastLineAt ? '' : ' from a verified sender'} arrived at ` +
            `${utcText(lastAt)}, ${since} ago.`,
      expected: `A log line at least every ${spanText(silentAfter)}`,
      explainedBy: [],
      facts: { appliance: name },
      ...(lastLineAt === null ? { advice: neverReceived(name) } : {}),
    }),
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
  unknownRemedy: 'Configure FortiAuthenticator to send its log to ftm-watch (Logging > Log Config > Syslog Servers).',
  place: { kind: 'branch', name: 'Polling', hint: 'what the log says' },
  step: 'provisioning',
  causeSteps: { 'users-disabled': 'code' },
  sources: ['log'],
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

function judgeLog({ config, picture, log }: Facts): Judgement {
  if (!listens(config)) return notConfigured('No log source is configured');
  switch (log.kind) {
    // `ftm-watch check` does not receive the log, so a missing log is not a problem and the state is not `unknown`.
    case 'unheard':
      return log.isTrouble ? unjudged(log.reason) : notConfigured(log.reason);
    case 'heard':
      return judgeHeard({ ...log, config, picture });
  }
}

function judgeHeard(facts: Heard): Judgement {
  const { report, isPartlyExplained, notes } = explained(facts);
  const found = judgePolling({ ...facts, report });
  const failing = found.filter(({ suggests }) => suggests === 'polling-failing');
  const memory = memoryBeside(failing, facts.picture.appliances, ({ subject }) => subject);
  const waiting = judgeFirstLines(facts);
  const told = [...found, ...memory].map(
    (finding): Finding =>
      isPartlyExplained({ reliable: finding.unproven !== true }) ? { ...finding, explainedBy: [] } : finding,
  );
  return {
    ...judged([...told, ...notes, ...waiting], "FortiAuthenticator's log shows no FortiToken Mobile errors"),
    // Missing log lines are reported as `appliance-silent`.
    ...(waiting.length === 0 ? {} : { waits: true }),
  };
}

/** Policies for other units are ignored. */
function ownPolicy(appliance: string, { config, picture: { firewall } }: Heard): Pick<Finding, 'kind' | 'facts'> {
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
