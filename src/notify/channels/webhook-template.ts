import {
  choiceIn,
  type Escape,
  isSection,
  type JsonTemplate,
  OTHERWISE,
  PLACEHOLDER,
  type Placeholder,
  type TemplateSection,
} from '../../config/schema/webhook-template.ts';
import { isoTime } from '../../core/time-text.ts';
import { escapedForHtml, unlinked } from '../../core/visible-text.ts';
import { inertLine } from '../../document/markdown.ts';
import { faultKey, type MessageContext, notificationText, type NotificationText } from '../../document/notification.ts';
import { eventOf, type Incident, type Notification } from '../../engine/incident/incident.ts';

interface TemplateData {
  readonly notification: Notification;
  readonly site: string;
  readonly text: NotificationText;
  /** Null if the notification is about several incidents or none. */
  readonly incident: Incident | null;
}

const VALUES: Readonly<Record<Placeholder, (data: TemplateData) => string | null | undefined>> = {
  id: ({ notification }) => notification.id,
  event: ({ notification }) => eventOf(notification),
  site: ({ site }) => site,
  time: ({ notification }) => isoTime(notification.at),
  unix: ({ notification }) => String(Math.floor(notification.at / 1_000)),
  tone: ({ text }) => text.tone,
  title: ({ text }) => text.subject,
  text: ({ text }) => text.paragraphs.join('\n'),
  cause: ({ incident }) => incident?.cause.id,
  subject: ({ incident }) => incident?.cause.subject,
  severity: ({ incident }) => incident?.cause.severity,
  incident: ({ incident }) => incident?.id,
  key: ({ incident, site }) => incident && faultKey(site, incident.cause.id, incident.cause.subject),
  page: ({ text }) => text.links.page,
  runbook: ({ text }) => text.links.runbook,
};

/** The values of these placeholders can quote untrusted input. */
const TEXTS: ReadonlySet<string> = new Set(['site', 'title', 'text', 'subject']);

export function templateValues(notification: Notification, context: MessageContext): Readonly<Record<string, string>> {
  const text = notificationText(notification, context);
  const incident = notification.kind === 'incident' ? notification.incident : null;
  const data = { notification, site: context.site, text, incident };
  return Object.fromEntries(Object.entries(VALUES).map(([name, valueOf]) => [name, valueOf(data) ?? '']));
}

/** How texts are made harmless for a service that interprets them in this way. All of them prevent mentions. */
const ESCAPES = {
  markdown: (text: string): string => text.split('\n').map(inertLine).join('\n'),
  html: (text: string): string => escapedForHtml(unlinked(text)),
  plain: unlinked,
} as const satisfies Readonly<Record<Escape, (text: string) => string>>;

/**
 * Placeholders without a value become an empty string.
 * @param escape `plain` if the service does not interpret any markup
 */
export function filled(
  template: JsonTemplate,
  values: Readonly<Record<string, string>>,
  escape: Escape = 'markdown',
): JsonTemplate {
  const valueOf = (name: string): string => (Object.hasOwn(values, name) ? (values[name] ?? '') : '');
  if (typeof template === 'string')
    return template.replace(PLACEHOLDER, (_, ...groups: readonly (string | undefined)[]) => {
      const [raw, rawLimit, name = '', limit] = groups;
      const inserted = raw === undefined && TEXTS.has(name) ? ESCAPES[escape] : unchanged;
      return fitted(valueOf(raw ?? name), Number(rawLimit ?? limit ?? Infinity), inserted);
    });
  if (Array.isArray(template)) return template.map((item: JsonTemplate) => filled(item, values, escape));
  if (!isSection(template)) return template;
  const chosen = choiceIn(template);
  if (chosen !== null) return filled(caseOf(chosen.cases, valueOf(chosen.name)), values, escape);
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, values, escape)]));
}

function unchanged(text: string): string {
  return text;
}

function caseOf(cases: TemplateSection, value: string): JsonTemplate {
  return (Object.hasOwn(cases, value) ? cases[value] : cases[OTHERWISE]) ?? null;
}

/** Shortens the text before it is escaped, so that no escaped character is cut in two. */
function fitted(text: string, limit: number, escape: (text: string) => string): string {
  let room = Math.min(limit, text.length);
  for (;;) {
    const shown = escape(cut(text, room));
    if (shown.length <= limit || room === 0) return shown;
    room = Math.min(room - 1, Math.floor((room * limit) / shown.length));
  }
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1)).replace(/\p{Cs}$/u, '')}…`;
}
