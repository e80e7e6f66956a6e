import { appliances as section, type ApplianceConfig } from './section.ts';
import type { Millis } from '../../core/clock.ts';
import { factsAbout, type FirmwareFact } from '../../core/license/firmware.ts';
import type { ConnectorContext } from '../../network/rest/json-exchange.ts';
import { startApart } from '../../schedule/start-apart.ts';
import type { SlowSource, SlowUnit, GaugeDefinition, Reading, SourceMetrics } from '../source.ts';
import { observeAppliance, observeHaRole } from './observe-appliance.ts';
import type { PendingMemory, UnitObservation } from './unit-observation.ts';
import { TOKEN_STATUSES } from '../../core/license/appliance.ts';
import { valueOf } from '../../core/license/resource.ts';

const TOKENS: GaugeDefinition = {
  name: 'ftm_tokens',
  help: 'FortiToken Mobile tokens on an appliance',
  labels: ['appliance', 'status'],
};

const LOCKED: GaugeDefinition = {
  name: 'ftm_tokens_locked',
  help: 'Locked FortiToken Mobile tokens on an appliance, in any status',
  labels: ['appliance'],
};

const LICENSED: GaugeDefinition = {
  name: 'ftm_tokens_licensed',
  help: 'FortiToken Mobile tokens that the licence of an appliance allows',
  labels: ['appliance'],
};

/** What an appliance does not tell now is gone: yesterday's count would hide that nobody knows. */
const APPLIANCE_METRICS: SourceMetrics<readonly UnitObservation[], object> = {
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

/** A unit costs some 8 ms of one core, most of it for handshakes. */
const GAP: Millis = 16;

interface ApplianceTools {
  readonly pendingTokens: PendingMemory;
  readonly firmwareFacts: readonly FirmwareFact[];
}

interface Sections {
  readonly appliances: readonly ApplianceConfig[];
}

/** The FortiAuthenticators: their REST API and SNMP agents, with GET alone, one after the other. */
export const appliances: SlowSource<'appliances', Sections, readonly UnitObservation[], ApplianceTools> = {
  id: 'appliances',
  runs: 'appliance',
  sections: { appliances: section.describe('The FortiAuthenticator units.') },
  metrics: APPLIANCE_METRICS,
  isConfigured: (settings) => settings.appliances.length > 0,
  unseen: (settings) => settings.appliances.map((config) => ({ config, rest: null, role: null })),
  observe: (settings, look) => startApart(unitsOf(settings), { ...look, gap: GAP }, (unit) => unit.ask(look)),
  units: unitsOf,
};

function unitsOf({ appliances: all }: Sections): readonly SlowUnit<ApplianceTools, UnitObservation>[] {
  const names = all.filter(({ api }) => api !== null).map(({ name }) => name);
  return all.map((config) => ({
    name: config.name,
    ask: async (look) => {
      const unit = withKnownFacts(await observeUnit(config, look), look.firmwareFacts);
      return config.api === null ? unit : look.pendingTokens.withAges(unit, names, look.clock.now());
    },
  }));
}

function withKnownFacts(unit: UnitObservation, facts: readonly FirmwareFact[]): UnitObservation {
  const { rest, role } = unit;
  const byApi = rest?.kind === 'ok' ? rest.system.firmware : null;
  return { ...unit, known: factsAbout(byApi ?? (role?.kind === 'ok' ? role.firmware : null), facts) };
}

async function observeUnit(config: ApplianceConfig, ctx: ConnectorContext): Promise<UnitObservation> {
  const { api, snmp } = config;
  const [rest, role] = await Promise.all([
    api === null ? null : observeAppliance({ ...config, api }, ctx),
    snmp === null ? null : observeHaRole({ ...config, snmp }, ctx),
  ]);
  return { config, rest, role };
}
