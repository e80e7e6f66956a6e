import { Registry } from 'prom-client';
import * as z from 'zod';
import { defineMetrics } from '../../src/metrics/definitions.ts';

/** As prom-client keeps a metric; its types leave the labels out. */
const metric = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(['gauge', 'counter', 'histogram', 'summary']),
  labelNames: z.array(z.string()),
});

const INTRODUCTION = `# All metrics

Made from the definitions by \`npm run generate\`. \`GET /metrics\` exports them; rules and dashboards that use them are
described in [prometheus.md](prometheus.md). \`/probe\` answers with the metrics of the blackbox exporter instead
([web.md](web.md#probes-on-demand)).

Every label is of a closed set, and every series that can be is at zero from the start: an alert on the first error
works. There is no label \`site\`: Prometheus adds it, from its targets ([scale.md](scale.md)). Times are in seconds. A
histogram has the series \`_bucket\`, \`_sum\` and \`_count\`.

| metric | type | labels | what it says |
|---|---|---|---|
`;

/** The page of all metrics. */
export function renderMetricsReference(): string {
  const registry = new Registry();
  defineMetrics(registry);
  const rows = registry
    .getMetricsAsArray()
    .map((one) => metric.parse(one))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, help, type, labelNames }) => {
      const labels = labelNames.length === 0 ? '–' : labelNames.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${labels} | ${help.replaceAll('|', '\\|')} |\n`;
    });
  return `${INTRODUCTION}${rows.join('')}`;
}
