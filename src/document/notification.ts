import { createHash } from 'node:crypto';
import { headline, shortCause } from '../checks/headline.ts';
import type { Millis } from '../core/clock.ts';
import { counted } from '../core/phrases.ts';
import type { Cause } from '../engine/model.ts';
import {
  lastedText,
  type DigestNotification,
  type IncidentNotification,
  type Notification,
  type NoteEvent,
  type Incident,
  type Occurrence,
} from '../engine/incident/incident.ts';
import { spanText, zonedText } from '../core/time-text.ts';
import { visibleText } from '../core/visible-text.ts';

/**
 * The text of a notification for any channel. It is plain text that can quote untrusted input. Each channel escapes and
 * truncates the text for its service. Only `subject` is guaranteed to be one line of printable text.
 */
export interface NotificationText {
  /** A complete message with at most 60 characters, such as `CRITICAL hq: TLS intercepted by FortiGate`. */
  readonly subject: string;
  readonly tone: Tone;
  /** The next step to take. It comes first and does not repeat the subject. */
  readonly action: string;
  /** Describes the fault in a sentence or two. */
  readonly summary: string;
  readonly links: Links;
}

/** The severity of the incidents that are still open when the message is created. `good` if no incident is open. */
export type Tone = 'critical' | 'warning' | 'good' | 'neutral';

const NOTHING_TO_DO = 'No action is required.';

export function notificationText(notification: Notification, context: MessageContext): NotificationText {
  return {
    subject: subjectOf(notification, context.site),
    ...contentOf(notification, context.site),
    links: notificationLinks(notification, context),
  };
}

function contentOf(notification: Notification, site: string): Pick<NotificationText, 'tone' | 'action' | 'summary'> {
  switch (notification.kind) {
    case 'incident':
      return incidentContent(notification);
    case 'digest':
      return digestContent(notification);
    case 'note':
      return { tone: notification.tone, action: notification.action, summary: notification.summary };
    case 'test':
      return {
        tone: 'neutral',
        action: `${NOTHING_TO_DO} Notifications from ftm-watch at ${site} are delivered to you.`,
        summary: 'This is a test message. It does not report a fault.',
      };
  }
}

function incidentContent({ event, incident, stillOpen }: IncidentNotification) {
  const { cause } = incident;
  if (event !== 'resolved') return { tone: toneOf([cause]), action: firstStep(cause), summary: cause.summary };
  const [mostSevere] = stillOpen;
  return {
    tone: toneOf(stillOpen),
    action:
      mostSevere === undefined
        ? NOTHING_TO_DO
        : `This incident is resolved, but another one is still open: ${headline(mostSevere)}.`,
    summary: `The incident lasted ${lastedText(incident)}. ${cause.summary}`,
  };
}

function digestContent({ items, omitted, stillOpen }: DigestNotification) {
  const open = items.map(({ incident }) => incident).filter(({ status }) => status === 'open');
  const [mostSevere] = open;
  const [other] = stillOpen;
  return {
    tone: toneOf([...open.map(({ cause }) => cause), ...stillOpen]),
    action:
      mostSevere !== undefined
        ? `Start with the most severe incident, ${headline(mostSevere.cause)}: ${firstStep(mostSevere.cause)}`
        : other === undefined
          ? NOTHING_TO_DO
          : `These incidents are resolved, but another one is still open: ${headline(other)}.`,
    summary: `This message is about ${counted(items.length + omitted, 'incident')}.`,
  };
}

function firstStep({ remedy, summary }: Cause): string {
  return remedy[0] ?? summary;
}

function toneOf(open: readonly Pick<Cause, 'severity'>[]): Tone {
  if (open.length === 0) return 'good';
  return open.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning';
}

/** The number of characters of a subject that a phone displays. */
const MAX_SUBJECT = 60;

const NOTE_STATES: Readonly<Record<NoteEvent, string>> = {
  restart: 'RESTARTED',
  summary: 'SUMMARY',
};

/**
 * Returns a line of at most 60 characters with the severity, site and cause. The site is truncated to the remaining
 * space, but to at least seven characters.
 */
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
      return causeLine('REMINDER', site, spansOf(Math.max(0, at - since)), cause);
    case 'changed':
      return causeLine(severity, site, [' (changed)'], cause);
    case 'resolved': {
      // The end of one incident must not hide the fact that others are still open.
      const open = stillOpen.length === 0 ? '' : ` (${String(stillOpen.length)} open)`;
      return causeLine('RESOLVED', site, [open], lastSentCause(incident));
    }
  }
}

/**
 * Returns the duration in whole minutes (in whole hours for two hours or more), and a shorter form with only the
 * largest unit.
 */
function spansOf(span: Millis): readonly string[] {
  const step = span < 60_000 ? 1 : span < 7_200_000 ? 60_000 : 3_600_000;
  const whole = spanText(Math.floor(span / step) * step);
  return [whole, whole.split(' ').slice(0, 2).join(' ')].map((text) => ` (${text})`);
}

/** The minimum number of characters for the site, regardless of the length of the other texts. */
const SITE_AT_LEAST = 7;

/** @param asides candidates for the text after the site; the first one that fits is used */
function causeLine(
  state: string,
  site: string,
  asides: readonly string[],
  cause: Parameters<typeof shortCause>[0],
): string {
  const lines = asides.map((aside) => {
    const around = `${state} ${aside}: `.length + Math.min(site.length, SITE_AT_LEAST);
    const short = shortCause(cause, MAX_SUBJECT - around);
    return { fits: around + short.length <= MAX_SUBJECT, text: line(state, site, `${aside}: ${short}`) };
  });
  return (lines.find(({ fits }) => fits) ?? lines.at(-1))?.text ?? '';
}

function digestSubject({ items, omitted, stillOpen }: DigestNotification, site: string): string {
  const openCauses = [
    ...items.flatMap(({ incident }) => (incident.status === 'open' ? [incident.cause] : [])),
    ...stillOpen,
  ];
  const open = openCauses.length + omitted;
  const over = items.filter(({ incident }) => incident.status === 'closed').length;
  if (open === 0) return line('RESOLVED', site, `: ${counted(over, 'incident')}`);
  const state = openCauses.some(({ severity }) => severity === 'critical') ? 'CRITICAL' : 'WARNING';
  return line(state, site, `: ${counted(open, 'incident')} open, ${String(over)} resolved`);
}

function line(state: string, site: string, rest: string): string {
  const room = MAX_SUBJECT - state.length - 1 - rest.length;
  return `${state} ${visibleText(site, room) || '-'}${rest}`;
}

/**
 * Returns the cause with which an ended incident was last sent. If the cause changed while nothing was sent
 * (maintenance, a silence), the new cause is only listed in the history.
 */
function lastSentCause({
  cause,
  lastNotified,
}: Incident): Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'> {
  if (
    lastNotified === null ||
    lastNotified.named.some((one) => one.cause === cause.id && one.subject === cause.subject)
  )
    return cause;
  return { id: lastNotified.cause, subject: lastNotified.subject, severity: lastNotified.severity, product: null };
}

/**
 * The links in a message. A link is null if no URL is configured, because a phone cannot open an internal address. The
 * links only open a page. They do not change anything and do not contain a token, because mail scanners follow links.
 */
export interface Links {
  /**
   * The page of the incident, the list of incidents for a message about several incidents, or the status page for a
   * message about ftm-watch itself.
   */
  readonly page: string | null;
  readonly runbook: string | null;
}

type LinkBases = Pick<MessageContext, 'publicUrl' | 'runbookUrl'>;

/** Returns the links for one incident in a message, a digest or a pushed alert. */
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

/** The title of the page to which `Links.page` points, by kind of notification. */
export const PAGE_TITLES: Readonly<Record<Notification['kind'], string>> = {
  incident: 'Incident',
  digest: 'Incidents',
  test: 'Status page',
  note: 'Status page',
};

function below(base: string | null, path: string): string | null {
  return base === null ? null : `${base.replace(/\/+$/u, '')}/${path}`;
}

/** The settings for the text and links of messages. */
export interface MessageContext {
  readonly site: string;
  /** The IANA time zone of the site. Times are shown in this zone and in UTC. */
  readonly timezone: string;
  /** The base URL of the status page, without a trailing slash. Null if messages do not contain links to the page. */
  readonly publicUrl: string | null;
  /** The base URL of the runbooks, without a trailing slash. If null, a path below `publicUrl` is used. */
  readonly runbookUrl: string | null;
}

/** Returns the period in which a past fault was seen, and its duration. */
export function occurrenceText(occurrence: Occurrence, timezone: string): string {
  const [from, to] = [zonedText(occurrence.since, timezone), zonedText(occurrence.lastSeen, timezone)];
  return `seen from ${from} to ${to}, lasted ${lastedText(occurrence)}`;
}

/** The limits for a message. The status page contains the complete texts. */
const MAX_PARAGRAPH = 1_000;
const MAX_ITEMS = 10;

/**
 * Returns the text below the subject, which describes the fault and then the next step. Each paragraph is a single line
 * of printable text that must still be escaped for the service. Digests and notes list their items.
 */
export function messageParagraphs(
  notification: Notification,
  { action, summary }: NotificationText,
  site: string,
): readonly string[] {
  const items = digestItems(notification).map((item) => subjectOf(item, site));
  const more = items.length + omittedOf(notification) - MAX_ITEMS;
  const notes = notification.kind === 'note' ? notification.sections : [];
  const sections = notes.map(({ title, lines }) => `${title}: ${lines.join('; ')}`);
  return [
    summary,
    action,
    ...sections,
    ...items.slice(0, MAX_ITEMS),
    ...(more > 0 ? [`and ${String(more)} more`] : []),
  ].map((text) => visibleText(text, MAX_PARAGRAPH));
}

function omittedOf(notification: Notification): number {
  return notification.kind === 'digest' ? notification.omitted : 0;
}

/** Returns the items of a digest as separate notifications. For other notifications, the list is empty. */
export function digestItems(notification: Notification): readonly IncidentNotification[] {
  if (notification.kind !== 'digest') return [];
  const { id, at, items, stillOpen } = notification;
  return items.map(({ event, incident }) => ({
    kind: 'incident',
    id,
    at,
    event,
    incident,
    nextReminder: null,
    stillOpen,
  }));
}

/** Returns a 64-character key for a fault, which is the same for all agents at a site. */
export function faultKey(site: string, cause: string, subject: string): string {
  return createHash('sha256')
    .update(JSON.stringify([site, cause, subject]))
    .digest('hex');
}
