import * as z from 'zod';
import { choice, parsedText } from './section.ts';

const PLACEHOLDERS = [
  'id',
  'event',
  'site',
  'time',
  'unix',
  'tone',
  'title',
  'text',
  'cause',
  'subject',
  'severity',
  'incident',
  'key',
  'page',
  'runbook',
] as const;

export type Placeholder = (typeof PLACEHOLDERS)[number];

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
export const PLACEHOLDER = new RegExp(String.raw`\{\{\{${PLACE}\}\}\}|\{\{${PLACE}\}\}`, 'gu');
const CHOICE = /^\{\{ *([A-Za-z]{1,32}) *\}\}$/u;

export interface TemplateSection {
  readonly [key: string]: JsonTemplate;
}

export function isSection(template: JsonTemplate): template is TemplateSection {
  return typeof template === 'object' && template !== null && !Array.isArray(template);
}

/** Returns null unless the only key is a placeholder, and its value contains the cases. */
export function choiceIn(template: TemplateSection): { readonly name: string; readonly cases: TemplateSection } | null {
  const [[key, cases] = ['', null], ...others] = Object.entries(template);
  const name = CHOICE.exec(key)?.[1];
  return name === undefined || others.length > 0 || !isSection(cases) ? null : { name, cases };
}

/** The case for all other values. */
export const OTHERWISE = 'else';

const MAX_TEMPLATE = 20_000;
const PLACES = PLACEHOLDERS.map((name) => `{{${name}}}`).join(', ');

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

export type Escape = 'markdown' | 'html' | 'plain';

export const escape: z.ZodType<Escape> = choice('markdown', 'html', 'plain')
  .prefault('markdown')
  .describe(
    'How texts are escaped in the template: "markdown", "html", or "plain" for a service that does not interpret any ' +
      'markup. Mentions and URLs always contain a zero-width space, so no service turns them into links.',
  );

function problemIn(value: JsonTemplate): string | null {
  const unknown = placeholdersIn(value).find((name) => !PLACEHOLDERS.some((known) => known === name));
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

/** Returns whether the template identifies an incident, so that a message cannot be about several. */
export function isOfOneIncident(template: JsonTemplate): boolean {
  return placeholdersIn(template).some((name) => name === 'incident' || name === 'key');
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
