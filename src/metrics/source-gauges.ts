import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../config/config.ts';
import { SOURCES } from '../sources/registry.ts';
import type { GaugeDefinition, SourceMetrics } from '../sources/source-metrics.ts';

/** The metrics that sources bring along. */
export interface SourceGauges {
  /** What the sources have seen, by their ids. */
  take(facts: object, config: Config): void;
  /** Under another configuration. */
  forget(): void;
}

interface Measured {
  readonly id: string;
  readonly metrics?: SourceMetrics<unknown, Config>;
}

const MEASURED: readonly Measured[] = SOURCES;

export function createSourceGauges(registry: Registry): SourceGauges {
  const made = new Map(
    MEASURED.flatMap(({ metrics }) => metrics?.gauges ?? []).map((gauge) => [gauge, define(gauge, registry)]),
  );
  return {
    take: (facts, config) => {
      const seen = new Map<string, unknown>(Object.entries(facts));
      for (const { id, metrics } of MEASURED) {
        if (metrics === undefined || !seen.has(id)) continue;
        for (const gauge of metrics.gauges) if (gauge.stays !== true) made.get(gauge)?.reset();
        for (const { gauge, labels, value } of metrics.readings(seen.get(id), config))
          if (value !== null) made.get(gauge)?.set({ ...labels }, value);
      }
    },
    forget: () => {
      for (const gauge of made.values()) gauge.reset();
    },
  };
}

function define({ name, help, labels }: GaugeDefinition, registry: Registry): Gauge {
  return new Gauge({ registers: [registry], name, help, labelNames: [...labels] });
}
