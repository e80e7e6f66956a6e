import type { UnitObservation, UnitsPicture } from '../../checks/unit-facts.ts';
import type { ApplianceConfig } from '../../config/schema/appliances.ts';
import type { Config } from '../../config/config.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import type { BudgetStore } from '../registration/budget-store.ts';
import { observeRegistration, type RegistrationQuery } from '../registration/observe-registration.ts';
import { observeAppliance } from './observe-appliance.ts';
import { observeFirewall } from '../firewall/observe-firewall.ts';
import { observeHaRole } from './observe-ha-role.ts';
import type { Millis } from '../../core/clock.ts';
import { licensesOf } from '../../core/license/licenses-of.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import { unitOf } from '../../core/license/unit.ts';
import { startApart } from '../../schedule/start-apart.ts';

export function emptyPicture({ appliances }: Config): UnitsPicture {
  return {
    units: appliances.map((config) => ({ config, rest: null, role: null })),
    registration: null,
    firewall: null,
  };
}

/** A unit costs some 8 ms of one core, most of it for handshakes. */
const GAP: Millis = 16;

/** Asks every appliance, one after the other, and the firewall, with GET alone. Never rejects. */
export async function observeUnits(
  config: Config,
  ctx: ConnectorContext,
): Promise<Pick<UnitsPicture, 'units' | 'firewall'>> {
  const [units, firewall] = await Promise.all([
    startApart(config.appliances, { ...ctx, gap: GAP }, (appliance) => observeUnit(appliance, ctx)),
    config.firewall === null ? null : observeFirewall(config.firewall, config.licenseServer, ctx),
  ]);
  return { units, firewall };
}

async function observeUnit(config: ApplianceConfig, ctx: ConnectorContext): Promise<UnitObservation> {
  const { api, snmp } = config;
  const [rest, role] = await Promise.all([
    api === null ? null : observeAppliance({ ...config, api }, ctx),
    snmp === null ? null : observeHaRole({ ...config, snmp }, ctx),
  ]);
  return { config, rest, role };
}

/** The licences that are configured or were seen on the appliances, and the serials to look for them under. */
export function registrationQuery(units: readonly UnitObservation[]): RegistrationQuery {
  const licenses = units.flatMap(({ config: { licenses: configured }, rest }) => licensesOf(configured, rest));
  const serials = units
    .map((unit) => unitOf(unit.config, unit.rest, unit.role))
    .flatMap(({ serial, peers }) => [...(serial === null ? [] : [serial]), ...peers]);
  return { licenses: [...new Set(licenses)], serials: [...new Set(serials)] };
}

/** Asks the registration service who holds the licences; null: it is not configured. */
export async function observeHolders(
  config: Config,
  query: RegistrationQuery,
  budget: BudgetStore,
  ctx: ConnectorContext,
): Promise<RegistrationObservation | null> {
  return config.registration === null ? null : observeRegistration(config.registration, query, budget, ctx);
}
