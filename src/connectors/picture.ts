import type { ApplianceConfig } from '../config/schema/connectors.ts';
import type { Millis } from '../core/clock.ts';
import type { ApplianceObservation, HaRoleObservation } from '../core/license/appliance.ts';
import type { KnownFact } from '../core/license/firmware.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { startApart } from '../system/start-apart.ts';

/**
 * The last observation of one appliance. `rest` and `role` are null if the REST API or SNMP agent is not configured or
 * was not queried yet.
 */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
  /** Known facts about the appliance's firmware version. Absent if there are none. */
  readonly known?: readonly KnownFact[];
}

/** The last observations from connectors. Connectors run independently of rounds. */
export interface Picture {
  readonly appliances: readonly UnitObservation[];
  /** Licence holders according to FortiCloud's asset management. Null if the registration service was not queried. */
  readonly registration: RegistrationObservation | null;
  /** Observations of the FortiGates on the path. Empty before the first query. */
  readonly firewall: readonly FirewallObservation[];
  /** Observations from other ftm-watch instances, used as evidence. Empty before the first query. */
  readonly peers: readonly PeerObservation[];
}

export type ConnectorId = keyof Picture;

/** A system that a connector queries, such as one appliance. A slow unit does not delay other units. */
export interface Unit<Fact> {
  /** Name of the unit, unique within its connector. */
  readonly name: string;
  /** Queries the unit. Failures are part of the result, so the promise never rejects. */
  ask(context: ConnectorContext): Promise<Fact>;
  /** Observation that is used before the first query. Null if there is none. */
  readonly unseen: Fact | null;
  /** Observation that is used instead of an outdated result. Null if there is none. */
  readonly unanswered: Fact | null;
}

/**
 * Time between the starts of queries to different units, because a query's TLS handshake takes about 8 ms of CPU time.
 */
export const UNIT_GAP: Millis = 16;

/** Queries each unit once and returns the results in the order of `units`. Never rejects. */
export function askUnits<Fact>(units: readonly Unit<Fact>[], context: ConnectorContext): Promise<readonly Fact[]> {
  return startApart(units, { ...context, gap: UNIT_GAP }, (unit) => unit.ask(context));
}
