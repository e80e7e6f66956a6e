/**
 * JSON with `{{name}}` in its texts. It is data: names are replaced once, by text, and nothing is computed, read or
 * run; what is put in is no template again.
 */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [key: string]: JsonTemplate };

const PLACEHOLDER = /\{\{ *([A-Za-z]{1,32}) *\}\}/gu;

/** What may stand there, each as the texts of `values` in `filled` have it. */
export function placeholdersOf(template: JsonTemplate): readonly string[] {
  if (typeof template === 'string') return [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap(placeholdersOf);
}

/** The template with its placeholders replaced; one without a value by nothing. */
export function filled(template: JsonTemplate, values: Readonly<Record<string, string>>): JsonTemplate {
  if (typeof template === 'string')
    return template.replace(PLACEHOLDER, (_, name: string) =>
      Object.hasOwn(values, name) ? (values[name] ?? '') : '',
    );
  if (typeof template !== 'object' || template === null) return template;
  if (Array.isArray(template)) return template.map((item: JsonTemplate) => filled(item, values));
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, values)]));
}
