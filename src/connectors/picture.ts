import type { ApplianceConfig } from '../config/schema/connectors.ts';
import type { Millis } from '../core/clock.ts';
import type { ApplianceObservation, HaRoleObservation } from '../core/license/appliance.ts';
import type { KnownFact } from '../core/license/firmware.ts';
import type { FirewallObservation } from '../core/license/firewall.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import type { PeerObservation } from '../core/round.ts';
import type { ConnectorContext } from '../network/rest/json-exchange.ts';
import { startApart } from '../schedule/start-apart.ts';

/** One appliance as it was last seen; null: not configured, or not asked yet. */
export interface UnitObservation {
  readonly config: ApplianceConfig;
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
  /** What is known of its firmware; absent: nothing. */
  readonly known?: readonly KnownFact[];
}

/** What is known beyond the round: FortiAuthenticator itself, its licences, the firewall in front of it. */
export interface Picture {
  readonly appliances: readonly UnitObservation[];
  /** FortiCloud's asset management: who holds the licences. Null: it was not asked. */
  readonly registration: RegistrationObservation | null;
  /** The FortiGates on the way, each for its address of FortiAuthenticator. Empty: not asked yet. */
  readonly firewall: readonly FirewallObservation[];
  /** Other agents, whose view of the path is evidence. Empty: not asked yet. */
  readonly peers: readonly PeerObservation[];
}

export type ConnectorId = keyof Picture;

/** One of several that are asked the same: one that answers late holds up no other. */
export interface Unit<Fact> {
  /** Tells it from the others. */
  readonly name: string;
  /** Never rejects. */
  ask(context: ConnectorContext): Promise<Fact>;
  /** What is known before it was asked; null: nothing. */
  readonly unseen: Fact | null;
  /** Stands for its answer while that is older than what it would decide; null: nothing does. */
  readonly unanswered: Fact | null;
}

/** Each costs a TLS handshake of this machine: some 8 ms of one core. */
export const UNIT_GAP: Millis = 16;

/** Asks each of them once. Never rejects. The answers are in the order of the units. */
export function askUnits<Fact>(units: readonly Unit<Fact>[], context: ConnectorContext): Promise<readonly Fact[]> {
  return startApart(units, { ...context, gap: UNIT_GAP }, (unit) => unit.ask(context));
}
