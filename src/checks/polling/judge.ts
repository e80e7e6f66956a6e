import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/duration.ts';
import { withMore } from '../../engine/words/claim.ts';
import { instantText, utcText } from '../../core/instant-text.ts';
import { POLLING_CAUSES } from './causes.ts';
import { type Advice, type Finding, type FindingLevel, known } from '../../engine/finding.ts';
import { isCorroborated, ONE_DATAGRAM } from '../../core/polling/corroboration.ts';
import { explainedBy, type PreconditionOf } from './explained.ts';
import { ownPolicy, type Policies } from './own-policy.ts';
import { PATH } from './path.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../core/polling/report.ts';

/**
 * What the agent's own probes see better than a log line can: the line only says that the path is broken somewhere, so
 * it must not raise their causes by itself.
 */
const SEEN_BY_PROBES: readonly string[] = [...PATH, 'mail'];

const MAX_LINE = 240;

/** Findings on the precondition `polling`: nothing for an appliance whose log is clean and alive. */
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

/** One datagram: worth a look, and no proof. */
function suspectedOnly(finding: Finding): Finding {
  const claim = withMore(finding.claim, '', ONE_DATAGRAM);
  return { ...finding, claim, actual: `${finding.actual}${ONE_DATAGRAM}`, level: 'warning', confidence: 'suspected' };
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
    actual:
      `${times(error.count)} since ${instantText(error.firstAt)}, last ${instantText(error.lastAt)}: ` +
      `${shorten(error.sample)}`,
    level,
    suggests,
    explainedBy: explainedBy(error, preconditionOf),
    ...complaintOf(appliance.name, error, suggests, policies),
    ...(saysItself(level, suggests) || isOfNames(error.cause, preconditionOf)
      ? { advice: { summary: `${appliance.name}: ${error.summary}.`, remedy: error.remedy } }
      : {}),
  };
}

/** What may be wrong at the same time, and is repaired in another place, is a fault of its own. */
function subjectOf(appliance: string, suggests: string | null): string {
  if (suggests === 'users-disabled') return `users of ${appliance}`;
  return suggests === 'appliance-fault-logged' ? `${appliance} itself` : appliance;
}

/** What the line means, and which policy to look at first where only the path of the unit can explain it. */
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
 * The signature knows the text, and what to do about it. Only where the path must be at fault is what the probes saw of
 * it worth more: the line cannot know that their path is clean.
 */
function saysItself(level: FindingLevel, suggests: string | null): boolean {
  return suggests !== null && (level === 'warning' || suggests !== 'polling-failing');
}

/** FortiAuthenticator asks resolvers of its own: no policy of a firewall explains what they answer. */
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
      actual:
        lastLineAt === null
          ? `It has never sent a line; waited for ${since}`
          : `Nothing since ${instantText(lastLineAt)}, ${since} ago`,
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

function times(count: number): string {
  return count === 1 ? 'Once' : `${String(count)} times`;
}

/** A log line tells the most at its end: FortiAuthenticator puts the message after its fields. */
function shorten(line: string): string {
  return line.length <= MAX_LINE ? line : `…${line.slice(1 - MAX_LINE)}`;
}
