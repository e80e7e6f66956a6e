import * as z from 'zod';
import { choice, parsedText } from '../../config/schema/section.ts';
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

const PLACEHOLDERS: Readonly<Record<string, (data: TemplateData) => string | null | undefined>> = {
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
  return Object.fromEntries(Object.entries(PLACEHOLDERS).map(([name, valueOf]) => [name, valueOf(data) ?? '']));
}

/** How texts are made harmless for a service that interprets them in this way. All of them prevent mentions. */
const ESCAPES = {
  markdown: (text: string): string => text.split('\n').map(inertLine).join('\n'),
  html: (text: string): string => escapedForHtml(unlinked(text)),
  plain: unlinked,
} as const;

export type Escape = keyof typeof ESCAPES;

/**
 * Strings can contain `{{name}}` placeholders, whose texts are escaped, and `{{{name}}}` for the unchanged text. With
 * `{{name:100}}`, the result has at most 100 characters. An object such as `{ "{{tone}}": { "good": 0, "else": 1 } }`
 * is replaced with one of its cases. Inserted text is not expanded again, and templates cannot contain code.
 */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [key: string]: JsonTemplate };

/** Any placeholder, and then its limit. */
const PLACE = String.raw` *([A-Za-z]{1,32})(?::([1-9]\d{0,4}))? *`;
const PLACEHOLDER = new RegExp(String.raw`\{\{\{${PLACE}\}\}\}|\{\{${PLACE}\}\}`, 'gu');
const CHOICE = /^\{\{ *([A-Za-z]{1,32}) *\}\}$/u;

interface Section {
  readonly [key: string]: JsonTemplate;
}

function isSection(template: JsonTemplate): template is Section {
  return typeof template === 'object' && template !== null && !Array.isArray(template);
}

/** Returns null unless the only key is a placeholder, and its value contains the cases. */
function choiceIn(template: Section): { readonly name: string; readonly cases: Section } | null {
  const [[key, cases] = ['', null], ...others] = Object.entries(template);
  const name = CHOICE.exec(key)?.[1];
  return name === undefined || others.length > 0 || !isSection(cases) ? null : { name, cases };
}

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

const OTHERWISE = 'else';

function caseOf(cases: Section, value: string): JsonTemplate {
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

const MAX_TEMPLATE = 20_000;
const PLACES = Object.keys(PLACEHOLDERS)
  .map((name) => `{{${name}}}`)
  .join(', ');

export const template: z.ZodType<JsonTemplate> = parsedText({
  title: 'JSON template',
  expected: 'JSON with placeholders such as "{{title}}"',
  parse: (text) => {
    const value = text.length > MAX_TEMPLATE ? undefined : parsedJson(text);
    return value === undefined || problemIn(value) !== null ? null : value;
  },
  problem: (text) => problemIn(parsedJson(text) ?? null),
}).describe(
  `JSON to send instead of the default body. These placeholders are replaced in its strings: ${PLACES}. Texts are ` +
    'escaped as in `escape`, unless you write {{{title}}} instead of {{title}}. {{text:500}} inserts at most 500 ' +
    'characters. An object such as { "{{tone}}": { "critical": 1, "else": 2 } } is replaced with one of its cases.',
);

export const escape: z.ZodType<Escape> = choice('markdown', 'html', 'plain')
  .prefault('markdown')
  .describe(
    'How texts are escaped in the template: "markdown", "html", or "plain" for a service that does not interpret any ' +
      'markup. Mentions and URLs always contain a zero-width space, so that the service does not link them.',
  );

function problemIn(value: JsonTemplate): string | null {
  const unknown = placeholdersIn(value).find((name) => !Object.hasOwn(PLACEHOLDERS, name));
  if (unknown !== undefined) return `expected one of ${PLACES}, got "{{${unknown}}}"`;
  const open = choicesIn(value).find(({ cases }) => !Object.hasOwn(cases, OTHERWISE));
  return open === undefined ? null : `expected a case "${OTHERWISE}" in "{{${open.name}}}"`;
}

function placeholdersIn(template: JsonTemplate): readonly string[] {
  if (typeof template === 'string')
    return [...template.matchAll(PLACEHOLDER)].map(([, raw, , name = '']) => raw ?? name);
  if (typeof template !== 'object' || template === null) return [];
  return [...choicesIn(template).map(({ name }) => name), ...Object.values(template).flatMap(placeholdersIn)];
}

function choicesIn(template: JsonTemplate): readonly NonNullable<ReturnType<typeof choiceIn>>[] {
  if (typeof template !== 'object' || template === null) return [];
  const own = isSection(template) ? choiceIn(template) : null;
  return [...(own === null ? [] : [own]), ...Object.values(template).flatMap(choicesIn)];
}

function parsedJson(text: string): JsonTemplate | undefined {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
