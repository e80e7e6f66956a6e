import { stringify } from 'yaml';
import type { JsonSchema } from '../../../src/config/config.ts';

const HEAD = '| value | default | what it is for |\n|---|---|---|\n';
const TABLE = /(?<=<!-- values -->\n)[^]*?(?=<!-- \/values -->)/u;

/** Values with another reference: the configuration file's, or Kubernetes' own. */
const WHOLE = new Set(['config', 'startupProbe', 'livenessProbe', 'readinessProbe']);

/**
 * Returns the chart's README with the table of all values, between `<!-- values -->` and `<!-- /values -->`.
 * @param defaults contents of `values.yaml`
 */
export function renderValuesReference(document: string, schema: JsonSchema, defaults: unknown): string {
  if (!TABLE.test(document)) throw new Error('Cannot find the table of values: expected <!-- values -->');
  const rows = rowsOf(schema, defaults, '').filter(({ path }) => path !== 'global');
  const lines = rows.map(
    ({ path, text, value }) => `| \`${path}\` | ${defaultText(path, value)} | ${text.replaceAll('|', '\\|')} |\n`,
  );
  return document.replace(TABLE, () => `\n${HEAD}${lines.join('')}\n`);
}

interface Row {
  readonly path: string;
  readonly text: string;
  readonly value: unknown;
}

function rowsOf(schema: JsonSchema, defaults: unknown, path: string): readonly Row[] {
  const { properties, description } = schema;
  if (!isMap(properties) || !isMap(defaults) || WHOLE.has(path))
    return [{ path, text: typeof description === 'string' ? description : '', value: defaults }];
  return Object.entries(properties).flatMap(([name, child]) =>
    isMap(child) ? rowsOf(child, defaults[name], path === '' ? name : `${path}.${name}`) : [],
  );
}

function defaultText(path: string, value: unknown): string {
  if (value === undefined || value === '') return '–';
  if (path === 'config') return '[`values.yaml`](values.yaml)';
  const [line = ''] = stringify(value, { collectionStyle: 'flow', flowCollectionPadding: true, lineWidth: 0 }).split(
    '\n',
  );
  return `\`${line}\``;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
