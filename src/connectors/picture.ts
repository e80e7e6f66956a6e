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

/** A system that a connector queries, such as an appliance. */
export interface ConnectedSystem<Fact> {
  readonly name: string;
  /** Never rejects, because failures are part of the result. */
  ask(context: ConnectorContext): Promise<Fact>;
  /** Used before the first query. */
  readonly unseen: Fact | null;
  /** Used instead of an outdated result. */
  readonly unanswered: Fact | null;
}

/** Time between the starts of queries to different systems. A TLS handshake takes about 8 ms of CPU time. */
export const START_GAP: Millis = 16;

/** Returns the results in the order of `systems`. Never rejects. */
export function askSystems<Fact>(
  systems: readonly ConnectedSystem<Fact>[],
  context: ConnectorContext,
): Promise<readonly Fact[]> {
  return startApart(systems, { ...context, gap: START_GAP }, (system) => system.ask(context));
}
