import type { ApplianceConfig } from '../config/schema/connectors.ts';
import type { Millis } from '../core/clock.ts';
import type { ApplianceObservation, HaRoleObservation } from '../core/license/appliance.ts';
import type { KnownFact } from '../core/license/firmware.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { startApart } from '../schedule/start-apart.ts';

/** The last observations of one appliance. Null if the appliance is not configured or was not queried yet. */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
  /** Known facts about the unit's firmware. Absent if there are none. */
  readonly known?: readonly KnownFact[];
}

/** The last observations outside the round: the FortiAuthenticator units, their licences, and the firewalls. */
export interface Picture {
  readonly appliances: readonly UnitObservation[];
  /**
   * Result from FortiCloud's asset management, which contains the holders of licences. Null if the registration service
   * was not queried.
   */
  readonly registration: RegistrationObservation | null;
  /** The FortiGates on the path, each with its FortiAuthenticator address. Empty before the first query. */
  readonly firewall: readonly FirewallObservation[];
  /** Other ftm-watch instances, whose results for the path are evidence. Empty before the first query. */
  readonly peers: readonly PeerObservation[];
}

export type ConnectorId = keyof Picture;

/** One of several units that receive the same queries. A slow unit does not delay other units. */
export interface Unit<Fact> {
  /** Unique name. */
  readonly name: string;
  /** Queries the unit. Never rejects. */
  ask(context: ConnectorContext): Promise<Fact>;
  /** Observation before the first query. Null if there is none. */
  readonly unseen: Fact | null;
  /** Replaces a result that is too old. Null if there is no replacement. */
  readonly unanswered: Fact | null;
}

/** Interval between queries to units. Each query requires a TLS handshake, which takes about 8 ms of one core. */
export const UNIT_GAP: Millis = 16;

/** Queries each unit once. Never rejects. The results are in the order of the units. */
export function askUnits<Fact>(units: readonly Unit<Fact>[], context: ConnectorContext): Promise<readonly Fact[]> {
  return startApart(units, { ...context, gap: UNIT_GAP }, (unit) => unit.ask(context));
}
