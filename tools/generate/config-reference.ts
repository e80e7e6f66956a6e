import type { JsonSchema } from '../../src/config/config.ts';
import { type DescribedKey, describedKeys } from './described-keys.ts';

const TABLE = /(?<begin><!-- keys: (?<section>\w+) -->\n)[^]*?(?<end><!-- end -->)/gu;
const HEAD = '| key | type | default | description |\n|---|---|---|---|\n';

/**
 * Returns the document with each of its tables, between `<!-- keys: SECTION -->` and `<!-- end -->`, generated from
 * the schema. A section without a table gets one at the end, for which the surrounding text has to be written.
 */
export function renderReference(document: string, schema: JsonSchema): string {
  const keys = describedKeys(schema);
  const named = referencedSections(document);
  const unnamed = Object.keys(asSchema(schema['properties'])).filter((section) => !named.includes(section));
  const added = unnamed.map((section) => `\n## \`${section}\`\n\n<!-- keys: ${section} -->\n<!-- end -->\n`);
  return [document, ...added].join('').replaceAll(TABLE, (_table, begin: string, section: string, end: string) => {
    const own = keys.filter(
      ({ path }) => path === section || path.startsWith(`${section}.`) || path.startsWith(`${section}[`),
    );
    return `${begin}\n${HEAD}${rows(own).join('\n')}\n\n${end}`;
  });
}

/** Returns the sections for which the document has a table. */
export function referencedSections(document: string): readonly string[] {
  return [...document.matchAll(TABLE)].map((match) => match.groups?.['section'] ?? '');
}

/** A key shared by at least this many sections has one row for all of them. */
const SHARED = 3;

/**
 * Returns a row for each key. A secret has a row for its file but not for its variable, which the document explains
 * once. A section has no row, because its keys have. A key that several sections of the table share, with the same
 * meaning, has one row that lists the sections.
 */
function rows(keys: readonly DescribedKey[]): readonly string[] {
  const paths = new Set(keys.map(({ path }) => path));
  const isSecret = (path: string): boolean => path.endsWith('File') && paths.has(path.replace(/File$/u, 'Env'));
  const isVariable = (path: string): boolean => path.endsWith('Env') && paths.has(path.replace(/Env$/u, 'File'));
  const entries = keys
    .filter(({ path, schema }) => !isVariable(path) && typeText(schema) !== 'section')
    .map((key) => ({ path: key.path, name: nameOf(key.path), rest: cells(key, isSecret(key.path)) }));
  const alike = Map.groupBy(entries, ({ name, rest }) => [name, rest].join('|'));
  return entries.flatMap(({ path, name, rest }) => {
    const same = alike.get([name, rest].join('|')) ?? [];
    if (same.length < SHARED) return [`| \`${path}\` | ${rest} |`];
    const sections = same.map((entry) => `\`${entry.path.slice(0, -name.length - 1)}\``).join(', ');
    return same[0]?.path === path ? [`| \`${name}\` in ${sections} | ${rest} |`] : [];
  });
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** Returns type, default and description. */
function cells({ schema, required }: DescribedKey, secret: boolean): string {
  const description = typeof schema['description'] === 'string' ? schema['description'] : '';
  const type = secret ? 'secret' : typeText(schema);
  return [type, defaultText(schema, required), description].map(cell).join(' | ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function typeText(schema: JsonSchema): string {
  const { anyOf, enum: values, items, type, title } = schema;
  if (Array.isArray(anyOf)) {
    const types = anyOf.map((alternative: JsonSchema) => typeText(alternative));
    const single = types.find((one) => types.includes(`list: ${one}`));
    return single === undefined ? types.join(' or ') : `${single} or list of ${single}s`;
  }
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (type === 'array') return `list: ${typeText(asSchema(items))}`;
  if (type === 'object') return 'section';
  return type === 'null' ? '`null`' : String(title);
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** The default of a section consists of its keys' defaults. Keys without a default show a dash. */
function defaultText({ default: value, type }: JsonSchema, required: boolean): string {
  if (required) return 'required';
  if (value === undefined || type === 'object') return '–';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((item) => `\`${String(item)}\``).join(', ');
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
