import { headline } from '../checks/headline.ts';
import { titleOf } from '../checks/registry.ts';
import type { AuditEntry } from '../core/audit.ts';
import type { EpochMs } from '../core/clock.ts';
import { spanText } from '../core/time-text.ts';
import { timesText, visibleText } from '../core/visible-text.ts';
import { type Incident, INCIDENT_DEFAULTS, lastedText } from '../engine/incident/incident.ts';
import type { Cause } from '../engine/model.ts';
import { capital, quotation } from '../engine/words.ts';
import {
  type Fact,
  type Paragraph,
  type Part,
  type Section,
  sectionOf,
  type TimeStyle,
  type Tone,
  type Word,
} from './document.ts';
import { SEVERITY_TONES } from './states.ts';

const SHOWN_EVIDENCE = 5;

interface TitledText {
  readonly title: string;
  readonly text: string;
}

/** Once the fault has ended, the sentences are quoted, because they describe the time when they were reported. */
export function titledFault({ summary }: Pick<Cause, 'summary'>, isOver: boolean): TitledText {
  return isOver ? { title: 'Reported fault', text: quotation(summary) } : { title: 'Summary', text: summary };
}

export function titledImpact({ impact }: Pick<Cause, 'impact'>, isOver: boolean): TitledText {
  return isOver ? { title: 'Reported impact', text: quotation(impact) } : { title: 'Impact', text: impact };
}

export function faultSection(cause: Pick<Cause, 'summary'>, isOver = false): readonly Section[] {
  const { title, text } = titledFault(cause, isOver);
  return sectionOf(title, paragraph(text));
}

export function impactSection(cause: Pick<Cause, 'impact'>, isOver = false): readonly Section[] {
  const { title, text } = titledImpact(cause, isOver);
  return sectionOf(title, paragraph(text));
}

/** Such as `Resolved: TLS is intercepted`. Without the state if the incident is open. */
export function incidentTitle({ status, cause }: Incident): string {
  return status === 'closed' ? `Resolved: ${capital(headline(cause))}` : capital(headline(cause));
}

export const REMEDY = 'What to do';
export const REMEDY_WHEN_OVER = 'What to do if it returns';

export function remedySection({ remedySteps }: Pick<Cause, 'remedySteps'>, isOver = false): readonly Section[] {
  return sectionOf(isOver ? REMEDY_WHEN_OVER : REMEDY, { kind: 'steps', lines: remedySteps });
}

type Shown = Pick<Cause, 'evidence' | 'consequences'>;

export function evidenceSection(shown: Shown, title = 'Evidence', ...before: readonly Part[]): readonly Section[] {
  const { evidence, consequences } = shown;
  const hidden = consequences.map(titleOf).join(', ');
  return sectionOf(
    title,
    ...before,
    { kind: 'list', lines: evidence, shown: SHOWN_EVIDENCE },
    paragraph(hidden === '' ? '' : `Not checked because of this fault: ${hidden}`),
  );
}

/** Empty for an empty line. */
function paragraph(line: Paragraph): Part {
  return { kind: 'text', lines: line === '' ? [] : [line] };
}

export interface TimelineEvent {
  readonly at: EpochMs;
  readonly kind: 'seen' | 'opened' | 'cause-changed' | 'returned' | 'closed' | 'change' | 'notification';
  /** Null if the event is about several incidents or about none. */
  readonly incident: string | null;
  readonly words: readonly Word[];
  readonly tone?: Tone;
}

/** What happened to the fault itself. */
export function faultEvents(incident: Incident): readonly TimelineEvent[] {
  const { id, cause, formerCauses, returns, earlier } = incident;
  const [causes, occurrences] = [
    [...formerCauses, cause],
    [...earlier, incident],
  ];
  return [
    ...occurrences.flatMap((occurrence, index): readonly TimelineEvent[] => {
      const { since, openedAt, closedAt } = occurrence;
      const [word, named] = index === 0 ? ['First seen: ', causes[0] ?? cause] : ['Seen again: ', cause];
      const end = {
        kind: 'closed',
        incident: id,
        words: [`Resolved after ${lastedText(occurrence)}`],
        tone: 'good',
      } as const;
      return [
        { at: since, kind: 'seen', incident: id, words: [word, ...causeWords(named)] },
        { at: openedAt, kind: 'opened', incident: id, words: ['Confirmed'], tone: SEVERITY_TONES[cause.severity] },
        ...(closedAt === null ? [] : [{ at: closedAt, ...end }]),
      ];
    }),
    ...formerCauses.map((former, index): TimelineEvent => {
      const next = causes[index + 1] ?? cause;
      const words = ['The cause changed from ', ...causeWords(former), ' to ', ...causeWords(next)];
      return { at: former.until, kind: 'cause-changed', incident: id, words };
    }),
    ...returns
      .filter((at) => occurrences.every(({ since }) => since !== at))
      .map((at): TimelineEvent => ({ at, kind: 'returned', incident: id, words: ['The fault returned'] })),
  ];
}

function causeWords({ id, subject, severity }: Pick<Cause, 'id' | 'subject' | 'severity'>): readonly Word[] {
  return [{ code: id }, ` (${severity}${subject === '' ? '' : `, ${subject}`})`];
}

/** What people changed: on the incident's page, and its silences. */
function changeEvents(changes: readonly AuditEntry[], incident: string): readonly TimelineEvent[] {
  return changes.map((change) => {
    const { at, detail } = change;
    return { at, kind: 'change', incident, words: [`${changeText(change)}${detail === '' ? '' : `: ${detail}`}`] };
  });
}

export function changeText({ action, account, address }: AuditEntry): string {
  const who = `by ${account}${address === null ? '' : ` from ${address}`}`;
  switch (action) {
    case 'add-silence':
      return `Silenced ${who}`;
    case 'remove-silence':
      return `Silence removed ${who}`;
    case 'acknowledge':
      return `Acknowledged ${who}`;
    case 'unacknowledge':
      return `Acknowledgement withdrawn ${who}`;
    case 'comment':
      return `Comment ${who}`;
    case 'attach-capture':
      return `Packet capture of FortiAuthenticator’s connection attached ${who}`;
    case 'reload':
      return `Configuration reloaded ${who}`;
  }
}

/** Events with the same time stay in the order of the list. */
export function timelinePart(events: readonly TimelineEvent[], times: TimeStyle, { ofSeveral = false } = {}): Part {
  return {
    kind: 'table',
    head: ['When', ...(ofSeveral ? ['Incident'] : []), 'What'],
    lines: events
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, incident, words, tone }) => ({
        cells: [[timeWord(at, times)], ...(ofSeveral ? [incident ?? ''] : []), words],
        ...(tone === undefined ? {} : { tone }),
      })),
  };
}

function timeWord(at: EpochMs, times: TimeStyle): Word {
  return { at, text: times(at) };
}

/** What is stored about an incident, except its notifications. */
export interface IncidentPast {
  readonly incident: Incident;
  /**
   * Changes that were made on the incident's page and changes to its silences, newest first. Only the first and the
   * latest changes by each account are included, and `omittedChanges` counts the others.
   */
  readonly changes: readonly AuditEntry[];
  readonly omittedChanges: number;
  /** False if the history was unavailable, so that changes and notifications may be missing. */
  readonly complete: boolean;
}

export const TIMELINE = 'Timeline';

/**
 * What to do, what happened, and what shows the fault. What happened comes first when the fault is over.
 * @param notifications about this incident
 */
export function incidentStory(
  { incident, changes, omittedChanges, complete }: IncidentPast,
  notifications: readonly TimelineEvent[],
  times: TimeStyle,
): readonly Section[] {
  const { id, status, cause } = incident;
  const omitted = omittedChanges === 0 ? '' : `${String(omittedChanges)} more changes are not shown.`;
  const untold = complete && notifications.length === 0 ? 'No notifications have been sent about this incident.' : '';
  const missing = complete ? '' : 'The history was not available, so entries may be missing.';
  const events = [...faultEvents(incident), ...changeEvents(changes, id), ...notifications];
  const remarks = [omitted, untold, missing].map(paragraph);
  const timeline = sectionOf(TIMELINE, timelinePart(events, times), ...remarks);
  const remedy = remedySection(cause, status === 'closed');
  const evidence = evidenceSections(incident, times);
  return status === 'open' ? [...remedy, ...timeline, ...evidence] : [...timeline, ...evidence, ...remedy];
}

/** Evidence that has not changed is shown once. */
function evidenceSections(incident: Incident, times: TimeStyle): readonly Section[] {
  const { cause, openingEvidence, formerCauses, openedAt, status } = incident;
  if (openingEvidence.length === 0)
    return evidenceSection(cause, 'Evidence', paragraph('The evidence when it was confirmed was not stored.'));
  const opened = timeWord(openedAt, times);
  if (openingEvidence.join('\n') === cause.evidence.join('\n'))
    return evidenceSection(cause, 'Evidence', paragraph(['Unchanged since ', opened]));
  const [first = cause] = formerCauses;
  const then = { evidence: openingEvidence, consequences: [] };
  return [
    ...evidenceSection(cause, status === 'open' ? 'Evidence now' : 'Evidence when it was last seen'),
    ...evidenceSection(then, 'Evidence when it was confirmed', paragraph([opened, ': ', ...causeWords(first)])),
  ];
}

/** @param now null for a page that is updated, so that it does not change all the time */
export function incidentFacts(
  incident: Incident,
  site: string,
  now: EpochMs | null,
  times: TimeStyle,
): readonly Fact[] {
  const { id, cause, status, since, causeSince, lastSeen, closedAt, clear, earlier, acknowledgement } = incident;
  const whenOpen = (name: string, from: EpochMs): Fact => [
    name,
    [timeWord(from, times), now === null || now - from < 1_000 ? '' : `, for ${spanText(now - from)}`],
  ];
  return [
    ['Site', site],
    ['Cause', [{ code: cause.id }, ` (${cause.severity}, ${cause.confidence})`]],
    ...(cause.subject === '' ? [] : [['Affected', cause.subject] as const]),
    ['Incident', [{ code: id }]],
    ...(status === 'open'
      ? [whenOpen('Since', causeSince), ...(since < causeSince ? [whenOpen('First sign', since)] : [])]
      : [['From', [timeWord(since, times)]] as const]),
    ['Last seen', [timeWord(lastSeen, times)]],
    ...(closedAt === null ? [] : [['Resolved', [timeWord(clear.after ?? closedAt, times)]] as const]),
    ...(closedAt === null ? [] : [['Duration', lastedText(incident)] as const]),
    ...(earlier.length === 0 ? [] : [['Earlier occurrences', String(earlier.length)] as const]),
    ...(acknowledgement === null
      ? []
      : [['Acknowledged', [`by ${acknowledgement.by} at `, timeWord(acknowledgement.at, times)]] as const]),
    ...flappingFacts(incident),
  ];
}

function flappingFacts({ returns, flapping, status, cause }: Incident): readonly Fact[] {
  const within = `within ${spanText(INCIDENT_DEFAULTS.flapping.within)}`;
  const count = returns.length === 0 ? [] : [`returned ${timesText(returns.length)} ${within}`];
  const rule =
    flapping && status === 'open'
      ? [
          `${cause.subject} had more than ${String(INCIDENT_DEFAULTS.flapping.outages)} outages ${within}, so this ` +
            `incident stays open until the fault has been gone for ${spanText(INCIDENT_DEFAULTS.flapping.quiet)}`,
        ]
      : [];
  const facts = [...count, ...rule];
  return facts.length === 0 ? [] : [['Flapping', facts.join('; ')]];
}

const LONGEST_SUBJECT = 255;

/**
 * Quoted for a POSIX shell. A subject that cannot be quoted safely is omitted, and the silence then matches all
 * subjects.
 */
export function silenceCommand({ id, subject }: Pick<Cause, 'id' | 'subject'>): string {
  const isPlain = subject !== '' && visibleText(subject, LONGEST_SUBJECT) === subject;
  const about = isPlain ? ` --subject ${quoted(subject)}` : '';
  return `ftm-watch silence add --for 2h --cause ${id}${about} --comment 'being repaired'`;
}

/** There is no command of ftm-watch for it, but the control socket takes the page's form. */
export function acknowledgeCommand(incidents: readonly Pick<Incident, 'id'>[], socket: string): string {
  const ids = incidents.map(({ id }) => encodeURIComponent(id)).join(',');
  const where = `--unix-socket ${quoted(socket)} http://localhost/incidents/acknowledge`;
  // `-sS` prints only errors. Containers have no $USER.
  return `curl -sS ${where} -d incidents=${ids} -d by="$(id -un)"`;
}

function quoted(text: string): string {
  return /^[\w.:@/-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
