import { appliances as section, type ApplianceConfig } from './section.ts';
import type { Millis } from '../../core/clock.ts';
import { factsAbout, type FirmwareFact } from '../../core/license/firmware.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { startApart } from '../../schedule/start-apart.ts';
import type { SlowSource, SlowUnit } from '../source.ts';
import { APPLIANCE_METRICS } from './metrics.ts';
import { observeAppliance } from './observe-appliance.ts';
import { observeHaRole } from './observe-ha-role.ts';
import type { PendingMemory } from './pending-tokens.ts';
import type { UnitObservation } from './unit-observation.ts';

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
