import type { EpochMs } from '../core/clock.ts';
import { isFlapping } from '../core/incident/incident.ts';
import type { Incident } from '../core/incident/incident.ts';
import type { DigestItem, DigestNotification, IncidentNotification, Notification } from '../core/incident/notification.ts';
import { PRECONDITIONS } from '../core/precondition.ts';
import type { PreconditionId } from '../core/precondition.ts';
import { headline } from './headline.ts';
import { instantText, spanText } from './time-text.ts';

/** What a mail says, before it is text or HTML. Its strings are plain text, and may quote strangers. */
export interface Letter {
  readonly title: string;
  readonly tone: 'critical' | 'warning' | 'good' | 'neutral';
  readonly lead: string;
  readonly sections: readonly Section[];
  readonly facts: readonly Fact[];
}

export interface Section {
  readonly title: string;
  /** `steps` are numbered. */
  readonly kind: 'text' | 'steps' | 'list';
  readonly lines: readonly string[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export interface LetterContext {
  readonly site: string;
  /** Now, and when it could not be delivered for the first time; null: this is the first try. */
  readonly delayed: { readonly firstFailedAt: EpochMs; readonly now: EpochMs } | null;
}

export function letterOf(notification: Notification, context: LetterContext): Letter {
  const letter = body(notification, context.site);
  return { ...letter, facts: [...letter.facts, ...delayFacts(context, notification.at)] };
}

function body(notification: Notification, site: string): Letter {
  switch (notification.kind) {
    case 'incident':
      return notification.event === 'resolved' ? allClear(notification, site) : alarm(notification, site);
    case 'digest':
      return digest(notification, site);
    case 'test':
      return {
        title: 'Test message',
        tone: 'neutral',
        lead: `This is a test: notifications from ftm-watch at ${site} arrive here. Nothing is broken because of this message.`,
        sections: [],
        facts: [{ name: 'Sent', value: instantText(notification.at) }],
      };
  }
}

function alarm(notification: IncidentNotification, site: string): Letter {
  const { incident, at } = notification;
  const { cause } = incident;
  return {
    title: sentence(headline(cause)),
    tone: cause.severity === 'critical' ? 'critical' : 'warning',
    lead: cause.summary,
    sections: spoken([
      ...changeSection(notification),
      { title: 'What users feel', kind: 'text', lines: [cause.impact] },
      { title: 'What to do', kind: 'steps', lines: cause.remedy },
      { title: 'Evidence', kind: 'list', lines: cause.evidence },
    ]),
    facts: [
      ...commonFacts(incident, site),
      { name: 'Since', value: `${instantText(incident.since)} (${spanText(at - incident.since)})` },
      ...(cause.consequences.length === 0 ? [] : [{ name: 'Blocked by it', value: titles(cause.consequences) }]),
      ...flapFacts(incident),
      ...reminderFacts(notification),
    ],
  };
}

/** Without those that have nothing to say. */
function spoken(sections: readonly Section[]): readonly Section[] {
  return sections.filter(({ lines }) => lines.length > 0);
}

function changeSection({ event, incident }: IncidentNotification): readonly Section[] {
  const former = incident.formerCauses.at(-1);
  if (event !== 'changed' || former === undefined) return [];
  const before = `${former.id} (${former.severity}, ${former.subject})`;
  return [
    {
      title: 'What changed',
      kind: 'text',
      lines: [`Until ${instantText(former.until)} the cause was taken to be ${before}. What follows replaces it.`],
    },
  ];
}

function allClear({ incident, at }: IncidentNotification, site: string): Letter {
  const end = incident.closedAt ?? at;
  return {
    title: `Resolved: ${headline(incident.cause)}`,
    tone: 'good',
    lead: `This is over. It lasted ${spanText(end - incident.since)}. There is nothing to do.`,
    sections: [{ title: 'What it was', kind: 'text', lines: [incident.cause.summary] }],
    facts: [
      ...commonFacts(incident, site),
      { name: 'From', value: instantText(incident.since) },
      { name: 'To', value: instantText(end) },
      ...flapFacts(incident),
    ],
  };
}

function digest({ items, omitted, at }: DigestNotification, site: string): Letter {
  const open = items.filter(({ incident }) => incident.status === 'open');
  const over = items.filter(({ incident }) => incident.status === 'closed');
  return {
    title: `${String(items.length + omitted)} incidents at once`,
    tone: open.length === 0 ? 'good' : open.some(({ incident }) => incident.cause.severity === 'critical') ? 'critical' : 'warning',
    lead: 'Too many notifications for one mail each: they are listed here together. The status page has the details.',
    sections: spoken([
      { title: 'Open', kind: 'list', lines: open.map(digestLine) },
      { title: 'Over', kind: 'list', lines: over.map(digestLine) },
      { title: 'Not listed', kind: 'text', lines: omitted === 0 ? [] : [`${String(omitted)} more incidents`] },
    ]),
    facts: [
      { name: 'Site', value: site },
      { name: 'As of', value: instantText(at) },
    ],
  };
}

function digestLine({ event, incident }: DigestItem): string {
  const { cause, since, closedAt } = incident;
  const end = closedAt === null ? '' : ` to ${instantText(closedAt)}`;
  const again = event === 'reminder' ? 'still ' : '';
  return `${again}${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject}), since ${instantText(since)}${end}`;
}

function commonFacts({ id, cause }: Incident, site: string): readonly Fact[] {
  return [
    { name: 'Site', value: site },
    { name: 'Cause', value: `${cause.id} (${cause.severity}, ${cause.confidence})` },
    { name: 'Subject', value: cause.subject },
    { name: 'Incident', value: id },
  ];
}

function flapFacts(incident: Incident): readonly Fact[] {
  const times = incident.returns.length;
  if (times === 0) return [];
  const count = `came back ${String(times)} ${times === 1 ? 'time' : 'times'} lately`;
  const value = isFlapping(incident) ? `${count}: it comes and goes, and stays open until it has been quiet for longer` : count;
  return [{ name: 'Flapping', value }];
}

function reminderFacts({ nextReminder }: IncidentNotification): readonly Fact[] {
  return nextReminder === null ? [] : [{ name: 'Next reminder', value: `${instantText(nextReminder)}, if it is still open` }];
}

function delayFacts({ delayed }: LetterContext, at: EpochMs): readonly Fact[] {
  if (delayed === null) return [];
  return [{ name: 'Delivery', value: `first failed at ${instantText(delayed.firstFailedAt)}, delayed by ${spanText(delayed.now - at)}` }];
}

function titles(ids: readonly PreconditionId[]): string {
  return ids.map((id) => PRECONDITIONS.find((precondition) => precondition.id === id)?.title ?? id).join(', ');
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
