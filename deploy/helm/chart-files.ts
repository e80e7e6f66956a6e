import { readdirSync, readFileSync } from 'node:fs';
import { valuesSchema } from './values-schema.ts';

const RULES = new URL('../prometheus/rules/', import.meta.url);

/**
 * The files of the chart that follow from others, by their paths in it: the schema of its values, and the rules, since
 * a chart cannot read what lies outside its own folder.
 */
export function renderChartFiles(): ReadonlyMap<string, string> {
  const rules = readdirSync(RULES).map(
    (name) => [`files/rules/${name}`, readFileSync(new URL(name, RULES), 'utf8')] as const,
  );
  return new Map([['values.schema.json', `${JSON.stringify(valuesSchema(), null, 2)}\n`], ...rules]);
}
