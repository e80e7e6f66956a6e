import type { MetricObjectWithValues, MetricValueWithName } from 'prom-client';

import { nextTurn } from '../system/next-turn.ts';

/** A gauge, counter or histogram of prom-client. */
export interface Readable {
  get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>>;
}

const NEEDS_ESCAPE = /[\\\n"]/u;

/** Some milliseconds of work. */
const LINES_A_TURN = 2_000;

/**
 * The metrics as text, in Prometheus' format 0.0.4. The registry of prom-client writes a hundred thousand series in one
 * go, which holds up for a quarter of a second whatever else is due; here it is in turns with that.
 */
export async function renderMetrics(metrics: readonly Readable[]): Promise<string> {
  const parts: string[] = [];
  for (const metric of metrics) {
    const { name, help, type, values } = await metric.get();
    const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${String(type)}`];
    for (let from = 0; from < values.length; from += LINES_A_TURN) {
      if (from > 0) await nextTurn();
      for (const value of values.slice(from, from + LINES_A_TURN)) lines.push(lineOf(name, value));
    }
    parts.push(`${lines.join('\n')}\n`);
    if (values.length > LINES_A_TURN / 10) await nextTurn();
  }
  return parts.join('\n');
}

function lineOf(name: string, { metricName, labels, value }: MetricValueWithName<string>): string {
  let pairs = '';
  for (const [label, text] of Object.entries(labels))
    pairs += `${pairs === '' ? '{' : ','}${label}="${escapeLabel(String(text))}"`;
  return `${metricName ?? name}${pairs === '' ? '' : `${pairs}}`} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return NEEDS_ESCAPE.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}
