import { type Explanation, type Advice, type Finding, type FindingLevel, known, unknown } from '../../engine/model.ts';
import { isSmallShare } from '../intermittent/finding.ts';
import type { Declaration, Judgement, LogFacts } from '../check.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import { memoryBeside } from '../appliance/judge.ts';
import { POLLING_CAUSES, type PollingCause } from './causes.ts';
import { listens, isCorroborated, ONE_DATAGRAM } from '../../core/polling/state.ts';
import { PATH, explainedBy, type PreconditionOf } from './explained.ts';
import type { Millis } from '../../core/clock.ts';
import { spanText, utcText } from '../../core/time-text.ts';
import { withMoreSaid } from '../../engine/words.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../core/polling/report.ts';
import type { WatchedConfig } from '../../config/schema/watched.ts';
import { authority } from '../../core/addresses.ts';
import { nameList } from '../../core/phrases.ts';
import {
  askedFor,
  type FirewallObservation,
  firewallName,
  type PolicyMatch,
  policyText,
} from '../../core/license/firewall.ts';
import type { FirewallConfig } from '../../config/schema/connectors.ts';

/**
 * Here, this machine's probes are more reliable than a log line, which shows only that the path is broken somewhere. A
 * log line alone does not raise the causes of these checks.
 */
const SEEN_BY_PROBES: readonly string[] = [...PATH, 'mail'];

const MAX_LINE = 240;

function judgePolling(
  report: PollingReport,
  preconditionOf: PreconditionOf,
  policies: Policies,
): readonly Finding[] {
  return report.appliances.flatMap((appliance) => {
    const corroborated = isCorroborated(appliance.errors.filter(({ severity }) => severity === 'critical'));
    return [
      ...appliance.errors.map((error): Finding => {
        const finding = judgeError(appliance, error, { window: report.window, preconditionOf, policies });
        if (finding.level !== 'broken') return finding;
        return corroborated ? { ...finding, witness: 'appliance-log' } : suspectedOnly(finding);
      }),
      ...judgeSilence(appliance, report.silentAfter),
    ];
  });
}

/** A single datagram is not sufficient evidence. */
function suspectedOnly(finding: Finding): Finding {
  return { ...withMoreSaid(finding, '', ONE_DATAGRAM), level: 'warning', confidence: 'suspected' };
}

interface Judging {
  readonly window: Millis;
  readonly preconditionOf: PreconditionOf;
  readonly policies: Policies;
}

function judgeError(
  appliance: AppliancePolling,
  error: PollingError,
  { window, preconditionOf, policies }: Judging,
): Finding {
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
    expected: `No FortiToken Mobile errors in the log within ${spanText(window)}`,
    level,
    suggests,
    explainedBy: explainedBy(error, preconditionOf),
    ...complaintOf(appliance.name, error, suggests, policies),
    ...(usesSignatureText(level, suggests) || isOfNames(error.cause, preconditionOf)
      ? { advice: { summary: `${appliance.name}: ${error.summary}.`, remedy: error.remedy } }
      : {}),
  };
}

/** Problems that are fixed in different places get different subjects, so that they are separate faults. */
function subjectOf(appliance: string, suggests: string | null): string {
  if (suggests === 'users-disabled') return `users of ${appliance}`;
  return suggests === 'appliance-fault-logged' ? `${appliance} itself` : appliance;
}

/** If only the unit's network path can explain the line, the matching firewall policy is the first thing to check. */
function complaintOf(
  appliance: string,
  { short, summary }: PollingError,
  suggests: string | null,
  policies: Policies,
): Pick<Finding, 'kind' | 'facts'> {
  if (suggests === 'appliance-fault-logged') return { facts: { appliance, ...known({ said: short }) } };
  if (suggests !== 'polling-failing') return { facts: { appliance } };
  const own = ownPolicy(appliance, policies);
  return { ...own, facts: { ...own.facts, ...known({ meaning: summary, said: short }) } };
}

/** Probe results are more useful than the log signature only if the path must be at fault. */
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

function judgeSilence(
  { name, silent, silentFor, lastLineAt }: AppliancePolling,
  silentAfter: Millis,
): readonly Finding[] {
  if (!silent) return [];
  const since = spanText(silentFor ?? 0);
  return [
    {
      rule: 'appliance-speaks',
      subject: name,
      claim:
        lastLineAt === null
          ? `No log line has arrived yet, although ftm-watch has waited for ${since}.`
          : `The last log line arrived at ${utcText(lastLineAt)}, ${since} ago.`,
      expected: `A log line at least every ${spanText(silentAfter)}`,
      level: 'warning',
      suggests: 'appliance-silent',
      explainedBy: [],
      facts: { appliance: name },
      ...(lastLineAt === null ? { advice: neverReceived(name) } : {}),
    },
  ];
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

/**
 * A log that was never received proves nothing.
 * @param unknownSenders senders whose lines were rejected
 */
function judgeFirstLines(
  config: WatchedConfig,
  { appliances }: PollingReport,
  unknownSenders: readonly string[],
): readonly Finding[] {
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
    byWarning: isSmallShare,
  })),
  causes: POLLING_CAUSES,
  unknownRemedy:
    'Configure FortiAuthenticator to send its log to this machine (Logging > Log Config > Syslog Servers).',
  place: { kind: 'branch', name: 'Polling', hint: 'errors in the log' },
  step: 'provisioning',
  causeSteps: { 'users-disabled': 'code' },
  from: 'log',
  judge: judgeLog,
};

function canCome(by: string): Explanation['when'] {
  return (findings) =>
    findings.some(({ level, explainedBy }) => level !== 'note' && (explainedBy?.includes(by) ?? by !== 'mail'));
}

function judgeLog(facts: LogFacts): Judgement {
  if (!listens(facts.config)) return notConfigured('No log source is configured');
  switch (facts.kind) {
    // `ftm-watch check` does not receive the log. A missing log is not a problem there, so the state is not `unknown`.
    case 'unheard':
      return facts.isTrouble ? unjudged(facts.reason) : notConfigured(facts.reason);
    case 'heard': {
      const { config, report, notes, unknownSenders, preconditionOf } = facts;
      const policies = { configured: config.firewall, asked: facts.firewall };
      const found = judgePolling(report, preconditionOf, policies);
      const failing = found.filter(({ suggests }) => suggests === 'polling-failing');
      const memory = memoryBeside(failing, facts.units ?? [], ({ subject }) => subject);
      const waiting = judgeFirstLines(config, report, unknownSenders);
      return {
        ...judged(
          [...found, ...memory, ...notes, ...waiting],
          'The log of FortiAuthenticator shows no FortiToken Mobile errors',
        ),
        // Missing log lines are reported as `appliance-silent`.
        ...(waiting.length === 0 ? {} : { waits: true }),
      };
    }
  }
}

type PolicyKind = keyof (typeof POLLING_CAUSES)['polling-failing']['kinds'];

interface Policies {
  readonly configured: readonly Pick<FirewallConfig, 'url' | 'vdom' | 'source' | 'appliances'>[];
  readonly asked: readonly FirewallObservation[];
}

/** Policies for other units are ignored. */
function ownPolicy(appliance: string, { configured, asked }: Policies): Pick<Finding, 'kind' | 'facts'> {
  const entry = askedFor(configured, appliance);
  if (entry === null) return { facts: { appliance } };
  const { source } = entry;
  const observation = askedFor(asked, appliance);
  const policy = observation?.kind === 'ok' ? textOf(observation.match) : null;
  const kind: PolicyKind = policy === null ? 'policy-unread' : 'policy-read';
  return { kind, facts: known({ appliance, source, firewall: firewallName(entry), policy }) };
}

function textOf(match: PolicyMatch): string {
  return match.kind === 'policy' ? policyText(match.policy) : 'the implicit deny';
}
