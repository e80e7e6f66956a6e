import { createHash } from 'node:crypto';
import { headline, shortCause } from '../checks/headline.ts';
import { restOfImpact, shortImpact } from '../checks/verdict-words.ts';
import type { Millis } from '../core/clock.ts';
import { compareSeverity } from '../core/severity.ts';
import { counted, cutAtWord, visibleText } from '../core/visible-text.ts';
import type { Cause } from '../engine/model.ts';
import {
  lastedText,
  type DigestNotification,
  type IncidentNotification,
  type Notification,
  type NoteEvent,
  type Incident,
  type Occurrence,
  type OpenCause,
} from '../engine/incident/incident.ts';
import { openCauseOf } from '../engine/incident/announce.ts';
import { spanText, zonedText, zoneOf } from '../core/time-text.ts';
import { silenceCommand, titledFault } from './incident-story.ts';

/**
 * Plain text that may quote untrusted input. Each channel escapes and truncates the text as required. `subject` and
 * each paragraph are a single line of printable text.
 */
export interface NotificationText {
  /** At most 60 characters, such as `CRITICAL FTM hq: TLS is intercepted by FortiGate`. */
  readonly subject: string;
  readonly tone: Tone;
  /** The next step for the reader. */
  readonly action: string;
  /** How a message with sections begins. */
  readonly lead: readonly string[];
  /** The whole message, for channels without sections. */
  readonly paragraphs: readonly string[];
  readonly links: Links;
}

/** `good` if no incident is open. */
export type Tone = 'critical' | 'warning' | 'good' | 'neutral';

const NOTHING_TO_DO = 'No action is required.';

export function notificationText(notification: Notification, context: MessageContext): NotificationText {
  const content = contentOf(notification, context);
  return {
    subject: subjectOf(notification, context.site),
    ...content,
    paragraphs: content.paragraphs.map((text) => visibleText(text, MAX_PARAGRAPH)),
    links: notificationLinks(notification, context),
  };
}

type Content = Omit<NotificationText, 'subject' | 'links'>;

function contentOf(notification: Notification, context: MessageContext): Content {
  switch (notification.kind) {
    case 'incident':
      return notification.event === 'resolved' ? resolvedContent(notification) : openContent(notification, context);
    case 'digest':
      return digestContent(notification, context.site);
    case 'note': {
      const { tone, action, summary, sections } = notification;
      const lists = sections.map(({ title, lines }) => `${title}: ${lines.join('; ')}`);
      return { tone, action, lead: [action], paragraphs: [action, summary, ...lists] };
    }
    case 'test': {
      const action = `${NOTHING_TO_DO} Notifications from ftm-watch at ${context.site} are delivered to you.`;
      return { tone: 'neutral', action, lead: [action], paragraphs: [action, TEST_MESSAGE] };
    }
  }
}

export const TEST_MESSAGE = 'This is a test message. It does not report a fault.';

/** What does not work, why, and the rest of the impact. */
function openContent({ event, incident, at }: IncidentNotification, { publicUrl, timezone }: MessageContext): Content {
  const { cause, since } = incident;
  const action = firstStep(cause);
  const rest = restOfImpact(cause);
  const stop =
    publicUrl === null
      ? `To stop the reminders, run on the machine that runs ftm-watch: ${silenceCommand(cause)}`
      : 'To stop the reminders, acknowledge or silence the incident on its page.';
  const lasts = `Still broken after ${spanText(Math.max(0, at - since))}, since ${zoneOf(timezone).short(since, at)}.`;
  const still = event === 'reminder' ? [`${lasts} ${stop}`] : [];
  return {
    tone: toneOf([cause]),
    action,
    lead: [...still, `${shortImpact(cause)}.`, cause.summary, ...(rest === '' ? [] : [rest])],
    // The title names the cause, but who did it may not fit into it.
    paragraphs: [...still, cause.summary, cause.impact, action],
  };
}

function resolvedContent({ incident, stillOpen }: IncidentNotification): Content {
  const { cause, subjectKind } = incident;
  const [mostSevere] = stillOpen;
  const isRemoved = subjectKind === 'removed';
  const other = mostSevere === undefined ? [] : [`Another incident is still open: ${headline(mostSevere)}.`];
  const action = isRemoved
    ? 'It is unknown whether the fault still exists. No action is required if this change of the configuration was ' +
      'intended.'
    : (other[0] ?? NOTHING_TO_DO);
  const what = isRemoved
    ? `ftm-watch no longer checks ${cause.subject}: ${headline(cause)}.`
    : `Resolved after ${lastedText(incident)}: ${headline(cause)}.`;
  const lead = [what, action, ...(isRemoved ? other : [])];
  const { title, text } = titledFault(cause, true);
  return { tone: toneOf(stillOpen), action, lead, paragraphs: [...lead, `${title}: ${text}`] };
}

function digestContent(digest: DigestNotification, site: string): Content {
  const { items, omitted, stillOpen } = digest;
  const open = items.map(({ incident }) => incident).filter(({ status }) => status === 'open');
  const [mostSevere] = open;
  const [other] = stillOpen;
  const action =
    mostSevere !== undefined
      ? `${startOf(mostSevere.cause, other)}: ${firstStep(mostSevere.cause)}`
      : other === undefined
        ? NOTHING_TO_DO
        : `These incidents are resolved, but another one is still open: ${headline(other)}.`;
  const lines = digestItems(digest).map((item) => subjectOf(item, site));
  const more = lines.length + omitted - MAX_ITEMS;
  return {
    tone: toneOf([...open.map(({ cause }) => cause), ...stillOpen]),
    action,
    lead: [action],
    paragraphs: [action, ...lines.slice(0, MAX_ITEMS), ...(more > 0 ? [`and ${String(more)} more`] : [])],
  };
}

/** @param other the most severe of the open incidents that are not listed */
function startOf(cause: Cause, other: OpenCause | undefined): string {
  return other !== undefined && compareSeverity(other.severity, cause.severity) < 0
    ? `A more severe incident is still open: ${headline(other)}. Of the incidents listed here, start with ` +
        headline(cause)
    : `${shortImpact(cause)}. Start with the most severe incident, ${headline(cause)}`;
}

function firstStep({ remedy, summary }: Cause): string {
  return remedy[0] ?? summary;
}

function toneOf(open: readonly Pick<Cause, 'severity'>[]): Tone {
  if (open.length === 0) return 'good';
  return open.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning';
}

/** Phones display subjects of this length in full. */
const MAX_SUBJECT = 60;

const NOTE_STATES: Readonly<Record<NoteEvent, string>> = {
  restart: 'RESTARTED',
  summary: 'SUMMARY',
};

/** A site name that is too long is cut at a word. */
export function subjectOf(notification: Notification, site: string): string {
  switch (notification.kind) {
    case 'incident':
      return incidentSubject(notification, site);
    case 'digest':
      return digestSubject(notification, site);
    case 'note':
      return line(NOTE_STATES[notification.event], site, `: ${notification.short}`);
    case 'test':
      return line('TEST', site, ': test message from ftm-watch');
  }
}

function incidentSubject({ event, incident, at, stillOpen }: IncidentNotification, site: string): string {
  const { cause, since } = incident;
  const severity = cause.severity.toUpperCase();
  switch (event) {
    case 'firing':
      return causeLine(severity, site, [''], cause);
    case 'reminder':
      return causeLine(severity, site, spansOf(Math.max(0, at - since)), cause);
    case 'changed':
      return causeLine(severity, site, [' (changed)', ''], cause);
    case 'resolved': {
      // Without the number of open incidents, the subject would read like an all-clear.
      const open = stillOpen.length === 0 ? '' : ` (${String(stillOpen.length)} open)`;
      return causeLine('RESOLVED', site, [open], lastSentCause(incident));
    }
  }
}

/**
 * Returns the duration in two forms: in whole minutes (or whole hours, from two hours on), and in its largest unit
 * only.
 */
function spansOf(span: Millis): readonly string[] {
  const step = span < 60_000 ? 1 : span < 7_200_000 ? 60_000 : 3_600_000;
  const whole = spanText(Math.floor(span / step) * step);
  return [whole, whole.split(' ').slice(0, 2).join(' ')].map((text) => ` (${text})`);
}

/** With a site name of this length, the shortest name of each cause fits. */
const SITE_ROOM = 13;

/** @param asides alternatives for the text after the site name; the first one that fits is used */
function causeLine(
  state: string,
  site: string,
  asides: readonly string[],
  cause: Parameters<typeof shortCause>[0],
): string {
  const lines = asides.map((aside) => {
    const around = `${state} ${PRODUCT} ${aside}: `.length + cutAtWord(site, SITE_ROOM).length;
    const short = shortCause(cause, MAX_SUBJECT - around);
    return { fits: around + short.length <= MAX_SUBJECT, text: line(state, site, `${aside}: ${short}`) };
  });
  return (lines.find(({ fits }) => fits) ?? lines.at(-1))?.text ?? '';
}

function digestSubject({ items, omitted, omittedOpen, stillOpen }: DigestNotification, site: string): string {
  const openCauses = [
    ...items.flatMap(({ incident }) => (incident.status === 'open' ? [incident.cause] : [])),
    ...stillOpen,
  ];
  const open = openCauses.length + omittedOpen;
  const over = items.filter(({ incident }) => incident.status === 'closed').length + omitted - omittedOpen;
  if (open === 0) return line('RESOLVED', site, `: ${counted(over, 'incident')}`);
  const state = openCauses.some(({ severity }) => severity === 'critical') ? 'CRITICAL' : 'WARNING';
  return line(state, site, `: ${counted(open, 'incident')} open, ${String(over)} resolved`);
}

function line(state: string, site: string, rest: string): string {
  const begin = `${state} ${PRODUCT} `;
  return `${begin}${cutAtWord(site, MAX_SUBJECT - begin.length - rest.length) || '-'}${rest}`;
}

/** Tells apart messages of several programs about the same site. */
const PRODUCT = 'FTM';

/**
 * Returns the cause that was last reported for an incident that has ended. A cause that was found during maintenance or
 * a silence was not sent.
 */
function lastSentCause({ cause, lastNotified }: Incident): Parameters<typeof shortCause>[0] {
  if (
    lastNotified === null ||
    lastNotified.named.some((one) => one.cause === cause.id && one.subject === cause.subject)
  )
    return cause;
  const { cause: id, named: _named, at: _at, ...told } = lastNotified;
  return { ...told, id, product: null };
}

/**
 * Null if no URL is configured, because a phone cannot open internal addresses. The links contain no tokens and only
 * open a page without changing anything, because mail scanners follow links.
 */
export interface Links {
  /** The incident's page, the list of incidents, or the status page. */
  readonly page: string | null;
  readonly runbook: string | null;
}

type LinkBases = Pick<MessageContext, 'publicUrl' | 'runbookUrl'>;

export function incidentLinks(
  { id, cause }: { readonly id: string; readonly cause: Pick<Cause, 'id'> },
  bases: LinkBases,
): Links {
  return { page: below(bases.publicUrl, `incidents/${encodeURIComponent(id)}`), runbook: runbookLink(cause.id, bases) };
}

function runbookLink(cause: string, { publicUrl, runbookUrl }: LinkBases): string | null {
  return runbookUrl === null ? below(publicUrl, `runbooks/${cause}`) : below(runbookUrl, cause);
}

export function notificationLinks(notification: Notification, bases: LinkBases): Links {
  switch (notification.kind) {
    case 'incident':
      return incidentLinks(notification.incident, bases);
    case 'digest':
      return { page: below(bases.publicUrl, 'incidents'), runbook: null };
    case 'note':
    case 'test':
      return { page: below(bases.publicUrl, ''), runbook: null };
  }
}

export const PAGE_TITLES: Readonly<Record<Notification['kind'], string>> = {
  incident: 'Incident',
  digest: 'Incidents',
  test: 'Status page',
  note: 'Status page',
};

function below(base: string | null, path: string): string | null {
  return base === null ? null : `${base.replace(/\/+$/u, '')}/${path}`;
}

export interface MessageContext {
  readonly site: string;
  readonly timezone: string;
  /** Has no trailing slash. If null, messages contain no links to the page. */
  readonly publicUrl: string | null;
  /** Has no trailing slash. If null, links to runbooks point below `publicUrl`. */
  readonly runbookUrl: string | null;
}

export function occurrenceText(occurrence: Occurrence, timezone: string): string {
  const [from, to] = [zonedText(occurrence.since, timezone), zonedText(occurrence.lastSeen, timezone)];
  return `seen from ${from} to ${to}, lasted ${lastedText(occurrence)}`;
}

const MAX_PARAGRAPH = 1_000;
const MAX_ITEMS = 10;

/** Empty unless the notification is a digest. */
export function digestItems(notification: Notification): readonly IncidentNotification[] {
  if (notification.kind !== 'digest') return [];
  const { id, at, items, stillOpen } = notification;
  return items.map(({ event, incident }) => {
    const others = items.filter((other) => other.incident.status === 'open' && other.incident.id !== incident.id);
    const open = [...others.map((other) => openCauseOf(other.incident)), ...stillOpen];
    open.sort((a, b) => compareSeverity(a.severity, b.severity));
    return { kind: 'incident', id, at, event, incident, nextReminder: null, stillOpen: open };
  });
}

/** All agents at a site use the same key for the same fault. */
export function faultKey(site: string, cause: string, subject: string): string {
  return createHash('sha256')
    .update(JSON.stringify([site, cause, subject]))
    .digest('hex');
}
