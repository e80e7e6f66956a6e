import type { Registry } from 'prom-client';
import { nextTurn } from '../system/next-turn.ts';

/** So many series are written in one go: less than a millisecond. */
const SERIES_A_TURN = 500;

/**
 * All metrics in Prometheus' text format 0.0.4, byte for byte as `registry.metrics()` has it, which would hold up for
 * 25 to 45 ms whatever else is due where there are 200 targets and 200 appliances.
 */
export async function exposition(registry: Registry): Promise<string> {
  const parts: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = await registry.getSingleMetric(name)?.get();
    if (metric === undefined) continue;
    const lines = [`# HELP ${name} ${escaped(metric.help)}`, `# TYPE ${name} ${String(metric.type)}`];
    for (const [index, sample] of metric.values.entries()) {
      if (index % SERIES_A_TURN === 0) await nextTurn();
      lines.push(lineOf(name, sample));
    }
    parts.push(lines.join('\n'));
    await nextTurn();
  }
  return `${parts.join('\n\n')}\n`;
}

interface Sample {
  /** Of a part of a histogram. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
}

function lineOf(name: string, { metricName = name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(String(text)).replaceAll('"', '\\"')}"`);
  return `${metricName}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${valueText(value)}`;
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}
