import type { ApplianceConfig } from '../config/schema/watched.ts';
import type { Millis } from '../core/clock.ts';
import type { ApplianceObservation, HaRoleObservation } from '../core/license/appliance.ts';
import type { KnownFact } from '../core/license/firmware.ts';
import type { FirewallObservation } from '../core/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { startApart } from '../system/start-apart.ts';

/** `rest` and `role` are null if they are not configured or have not been queried yet. */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
  readonly known?: readonly KnownFact[];
  /** The newest date of the facts about firmware, such as `2026-11-30`. Null or absent if there are none. */
  readonly factsAsOf?: string | null;
}

/** The latest observations from connectors, which run independently of rounds. */
export interface Picture {
  readonly appliances: readonly UnitObservation[];
  /** Null if the registration service was not queried. */
  readonly registration: RegistrationObservation | null;
  readonly firewall: readonly FirewallObservation[];
  readonly peers: readonly PeerObservation[];
}

export type ConnectorId = keyof Picture;

/** A system that a connector queries, such as an appliance. A slow unit does not delay other units. */
export interface Unit<Fact> {
  readonly name: string;
  /** Never rejects, because failures are part of the result. */
  ask(context: ConnectorContext): Promise<Fact>;
  /** Used before the first query. */
  readonly unseen: Fact | null;
  /** Used instead of an outdated result. */
  readonly unanswered: Fact | null;
}

/** Time between the starts of queries to different units. A TLS handshake takes about 8 ms of CPU time. */
export const UNIT_GAP: Millis = 16;

/** Returns the results in the order of `units`. Never rejects. */
export function askUnits<Fact>(units: readonly Unit<Fact>[], context: ConnectorContext): Promise<readonly Fact[]> {
  return startApart(units, { ...context, gap: UNIT_GAP }, (unit) => unit.ask(context));
}
