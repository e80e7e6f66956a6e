import type { JsonSchema } from '../../src/config/config.ts';
import { type DescribedKey, describedKeys } from './described-keys.ts';

const TABLE = /(?<begin><!-- keys: (?<section>\w+) -->\n)[^]*?(?<end><!-- end -->)/gu;
const HEAD = '| key | type | default | what it is for |\n|---|---|---|---|\n';

/**
 * The document with each of its tables, between `<!-- keys: SECTION -->` and `<!-- end -->`, made again from the
 * schema. A section without a table gets one at the end: words around it are for somebody to write.
 */
export function renderReference(document: string, schema: JsonSchema): string {
  const keys = describedKeys(schema);
  const named = referencedSections(document);
  const unnamed = Object.keys(asSchema(schema['properties'])).filter((section) => !named.includes(section));
  const added = unnamed.map((section) => `\n## \`${section}\`\n\n<!-- keys: ${section} -->\n<!-- end -->\n`);
  return [document, ...added].join('').replaceAll(TABLE, (_table, begin: string, section: string, end: string) => {
    const rows = keys
      .filter(({ path }) => path === section || path.startsWith(`${section}.`) || path.startsWith(`${section}[`))
      .map(row);
    return `${begin}\n${HEAD}${rows.join('\n')}\n\n${end}`;
  });
}

/** The sections that the document has a table for. */
export function referencedSections(document: string): readonly string[] {
  return [...document.matchAll(TABLE)].map((match) => match.groups?.['section'] ?? '');
}

function row({ path, schema, required }: DescribedKey): string {
  const description = typeof schema['description'] === 'string' ? schema['description'] : '';
  return `| ${[`\`${path}\``, typeText(schema), defaultText(schema, required), description].map(cell).join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function typeText(schema: JsonSchema): string {
  const { anyOf, enum: values, items, type, title } = schema;
  if (Array.isArray(anyOf)) return anyOf.map((alternative: JsonSchema) => typeText(alternative)).join(' or ');
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (type === 'array') return `list: ${typeText(asSchema(items))}`;
  if (type === 'object') return 'section';
  return type === 'null' ? '`null`' : String(title);
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** A section's own default is that of its keys; what has none is left out. */
function defaultText({ default: value, type }: JsonSchema, required: boolean): string {
  if (required) return 'required';
  if (value === undefined || type === 'object') return '–';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((item) => `\`${String(item)}\``).join(', ');
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
