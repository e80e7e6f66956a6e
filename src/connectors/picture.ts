import type { ApplianceConfig } from '../config/schema/connectors.ts';
import type { Millis } from '../core/clock.ts';
import type { ApplianceObservation, HaRoleObservation } from '../core/license/appliance.ts';
import type { KnownFact } from '../core/license/firmware.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { startApart } from '../schedule/start-apart.ts';

/** The last observations of one appliance; null if not configured or not asked yet. */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
  /** Known facts about its firmware; absent if there are none. */
  readonly known?: readonly KnownFact[];
}

/** The last observations outside the round: FortiAuthenticator itself, its licences, the firewall in front of it. */
export interface Picture {
  readonly appliances: readonly UnitObservation[];
  /** From FortiCloud's asset management, which shows who holds the licences. null if it was not asked. */
  readonly registration: RegistrationObservation | null;
  /** The FortiGates on the path, each for its FortiAuthenticator address. Empty if not asked yet. */
  readonly firewall: readonly FirewallObservation[];
  /** Other ftm-watch instances, whose view of the path is evidence. Empty if not asked yet. */
  readonly peers: readonly PeerObservation[];
}

export type ConnectorId = keyof Picture;

/** One of several units that are asked the same questions. A slow unit does not delay the others. */
export interface Unit<Fact> {
  /** Unique name. */
  readonly name: string;
  /** Never rejects. */
  ask(context: ConnectorContext): Promise<Fact>;
  /** Observation before the unit was first asked; null if there is none. */
  readonly unseen: Fact | null;
  /** Replaces an answer that is too old for the decision; null if nothing does. */
  readonly unanswered: Fact | null;
}

/** Each request costs a TLS handshake on this machine, about 8 ms of one core. */
export const UNIT_GAP: Millis = 16;

/** Asks each unit once. Never rejects. The answers are in the order of the units. */
export function askUnits<Fact>(units: readonly Unit<Fact>[], context: ConnectorContext): Promise<readonly Fact[]> {
  return startApart(units, { ...context, gap: UNIT_GAP }, (unit) => unit.ask(context));
}
