import { TOKEN_STATUSES } from '../../core/license/appliance.ts';
import { valueOf } from '../../core/license/resource.ts';
import type { GaugeDefinition, Reading, SourceMetrics } from '../source-metrics.ts';
import type { UnitObservation } from './unit-observation.ts';

const TOKENS: GaugeDefinition = {
  name: 'ftm_tokens',
  help: 'FortiToken Mobile tokens on an appliance',
  labels: ['appliance', 'status'],
};

const LOCKED: GaugeDefinition = {
  name: 'ftm_tokens_locked',
  help: 'FortiToken Mobile tokens on an appliance that nobody can log in with until they are unlocked, in any status',
  labels: ['appliance'],
};

const LICENSED: GaugeDefinition = {
  name: 'ftm_tokens_licensed',
  help: 'FortiToken Mobile tokens that the licence of an appliance allows',
  labels: ['appliance'],
};

/** What an appliance does not tell now is gone: yesterday's count would hide that nobody knows. */
export const APPLIANCE_METRICS: SourceMetrics<readonly UnitObservation[], object> = {
  gauges: [TOKENS, LOCKED, LICENSED],
  readings: (units) => units.flatMap(tokenReadings),
};

function tokenReadings({ config: { name: appliance }, rest }: UnitObservation): readonly Reading[] {
  if (rest?.kind !== 'ok') return [];
  const tokens = valueOf(rest.tokens);
  return [
    ...TOKEN_STATUSES.map((status) => ({
      gauge: TOKENS,
      labels: { appliance, status },
      value: tokens?.byStatus[status] ?? null,
    })),
    { gauge: LOCKED, labels: { appliance }, value: tokens?.locked ?? null },
    { gauge: LICENSED, labels: { appliance }, value: valueOf(rest.licensed)?.total ?? null },
  ];
}
