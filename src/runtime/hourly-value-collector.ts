import type { UnitObservation } from '../sources/appliances/unit-observation.ts';
import type { SlowFactsBySource } from '../sources/registry.ts';
import { supplyOf } from '../checks/token-pool/judge.ts';
import { valueOf } from '../core/license/resource.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import { UNNAMED } from '../core/polling/state.ts';
import type { HourlyValue } from '../store/hourly-values.ts';

/** Collects from one round to the next what the charts show besides the probes. */
export interface HourlyValueCollector {
  count(event: LogEvent): void;
  /** The errors since the last call, and the tokens that are left now. */
  take(picture: Pick<SlowFactsBySource, 'appliances'>): readonly HourlyValue[];
}

export function createHourlyValueCollector(): HourlyValueCollector {
  const errors = new Map<string, number>();
  return {
    count: (event) => {
      if (event.kind !== 'ftm') return;
      const subject = event.appliance ?? UNNAMED;
      errors.set(subject, (errors.get(subject) ?? 0) + event.count);
    },
    take: ({ appliances: units }) => {
      const counted = [...errors].map(([subject, value]): HourlyValue => ({ name: 'ftm-errors', subject, value }));
      errors.clear();
      return [...counted, ...units.flatMap(tokensLeft)];
    },
  };
}

function tokensLeft({ config, rest }: UnitObservation): readonly HourlyValue[] {
  if (rest?.kind !== 'ok') return [];
  const supply = supplyOf(valueOf(rest.licensed), valueOf(rest.tokens));
  return supply === null ? [] : [{ name: 'tokens-left', subject: config.name, value: supply.left }];
}
