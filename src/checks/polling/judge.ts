import { type Explanation, type Advice, type Finding, type FindingLevel, known, unknown } from '../../engine/model.ts';
import { isSmallShare } from '../intermittent/finding.ts';
import type { Declaration, Judgement, LogFacts } from '../check.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import { memoryBeside } from '../appliance/condition.ts';
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
 * Preconditions that the agent's own probes judge better than a log line. A line only shows that the path is broken
 * somewhere, so it must not raise their causes on its own.
 */
const SEEN_BY_PROBES: readonly string[] = [...PATH, 'mail'];

const MAX_LINE = 240;

/** Returns findings on the precondition `polling`. There are none for an appliance with a clean and active log. */
export function judgePolling(
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

/** Lowers a finding to a suspicion. A single datagram deserves attention but is not proof. */
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
        ? `One FortiToken Mobile error in the log, at ${utcText(error.lastAt)}.`
        : `${String(error.count)} FortiToken Mobile errors in the log, from ${utcText(error.firstAt)} to ` +
          `${utcText(error.lastAt)}.`,
    quote: shorten(error.sample),
    at: error.lastAt,
    expected: `No FTM errors in the log within ${spanText(window)}`,
    level,
    suggests,
    explainedBy: explainedBy(error, preconditionOf),
    ...complaintOf(appliance.name, error, suggests, policies),
    ...(saysItself(level, suggests) || isOfNames(error.cause, preconditionOf)
      ? { advice: { summary: `${appliance.name}: ${error.summary}.`, remedy: error.remedy } }
      : {}),
  };
}

/**
 * Returns the subject of a finding. Problems that can occur at the same time and are fixed in different places are
 * separate faults.
 */
function subjectOf(appliance: string, suggests: string | null): string {
  if (suggests === 'users-disabled') return `users of ${appliance}`;
  return suggests === 'appliance-fault-logged' ? `${appliance} itself` : appliance;
}

/** Returns the meaning of the line, and the policy to check first if only the unit's own path can explain it. */
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

/**
 * Reports whether the signature's own explanation is used. It describes the text and the remedy. The probe results are
 * more useful only if the path must be at fault. A log line does not show that the probes' path is clean.
 */
function saysItself(level: FindingLevel, suggests: string | null): boolean {
  return suggests !== null && (level === 'warning' || suggests !== 'polling-failing');
}

/**
 * Reports whether an error is about name resolution. FortiAuthenticator uses its own resolvers, so a firewall policy
 * does not explain their answers.
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
          ? `No log line has ever arrived; ftm-watch has waited for ${since}.`
          : `The last log line arrived at ${utcText(lastLineAt)}, ${since} ago.`,
      expected: `A log line at least every ${spanText(silentAfter)}`,
      level: 'warning',
      suggests: 'appliance-silent',
      explainedBy: [],
      facts: { appliance: name },
      ...(lastLineAt === null ? { advice: neverHeard(name) } : {}),
    },
  ];
}

function neverHeard(name: string): Advice {
  const summary = `${name} has never sent a line to ftm-watch, which would miss its errors.`;
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

/**
 * Shortens a log line at the start. The end is the most informative, because FortiAuthenticator puts the message after
 * its fields.
 */
function shorten(line: string): string {
  return line.length <= MAX_LINE ? line : `…${line.slice(1 - MAX_LINE)}`;
}

const MOST_STRANGERS = 6;

/**
 * Waits for the first line of each appliance, because a log that never sent anything proves nothing. This is not a
 * fault of the path, so no fault explains it.
 *
 * @param strangers unknown senders whose lines were rejected
 */
export function judgeFirstLines(
  config: WatchedConfig,
  { appliances }: PollingReport,
  strangers: readonly string[],
): readonly Finding[] {
  const silent = appliances
    .filter(({ lastLineAt, silent: isTold }) => lastLineAt === null && !isTold)
    .map(({ name }) => name);
  const subjects = appliances.length === 0 ? ['the log'] : silent;
  const refused =
    strangers.length === 0 ? '' : `; lines of unknown senders were refused: ${nameList(strangers, MOST_STRANGERS)}`;
  return subjects.map((subject) =>
    unknown({
      rule: 'first-line-arrived',
      subject,
      claim: `Waiting for the first log line, ${nameList(placesOf(config))}${refused}.`,
      expected: 'A log line of FortiAuthenticator',
      explainedBy: [],
    }),
  );
}

/** Returns the addresses that are listened on. */
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
  // Every error of FortiAuthenticator may have another explanation.
  dependsOn: [...PATH, 'license-assignment', 'firewall-policy', 'mail'].map((by) => ({
    kind: 'explained',
    by,
    when: canCome(by),
    evidence: true,
    warnings: 'suspected',
    byWarning: isSmallShare,
  })),
  causes: POLLING_CAUSES,
  unknownRemedy: 'Let FortiAuthenticator send its log to this machine: Logging > Log Config > Syslog Servers.',
  place: { kind: 'branch', name: 'Polling', hint: 'what its log says' },
  step: 'provisioning',
  causeSteps: { 'users-disabled': 'code' },
  from: 'log',
  judge: judgeLog,
};

/**
 * Reports whether some of FortiAuthenticator's errors can come from this precondition. Errors that cannot are not
 * explained together with those that can.
 */
function canCome(by: string): Explanation['when'] {
  return (findings) =>
    findings.some(({ level, explainedBy }) => level !== 'note' && (explainedBy?.includes(by) ?? by !== 'mail'));
}

function judgeLog(facts: LogFacts): Judgement {
  if (!listens(facts.config)) return notConfigured('No log source is configured');
  switch (facts.kind) {
    // Not listening is not a problem, so the state is not `unknown`. A single check only runs for what it can observe,
    // which does not include the log.
    case 'unheard':
      return facts.isTrouble ? unjudged(facts.reason) : notConfigured(facts.reason);
    case 'heard': {
      const { config, report, notes, strangers, preconditionOf } = facts;
      const policies = { configured: config.firewall, asked: facts.firewall };
      const found = judgePolling(report, preconditionOf, policies);
      const failing = found.filter(({ suggests }) => suggests === 'polling-failing');
      const memory = memoryBeside(failing, facts.units ?? [], ({ subject }) => subject);
      const waiting = judgeFirstLines(config, report, strangers);
      return {
        ...judged(
          [...found, ...memory, ...notes, ...waiting],
          'The log of FortiAuthenticator shows no FortiToken Mobile errors',
        ),
        // Missing lines are reported as silence of the appliance.
        ...(waiting.length === 0 ? {} : { waits: true }),
      };
    }
  }
}

type PolicyKind = keyof (typeof POLLING_CAUSES)['polling-failing']['kinds'];

/** The configured FortiGates and their answers. */
interface Policies {
  readonly configured: readonly Pick<FirewallConfig, 'url' | 'vdom' | 'source' | 'appliances'>[];
  readonly asked: readonly FirewallObservation[];
}

/** Returns the policy that was looked up for the affected unit. Another unit's policy is not relevant. */
export function ownPolicy(appliance: string, { configured, asked }: Policies): Pick<Finding, 'kind' | 'facts'> {
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
