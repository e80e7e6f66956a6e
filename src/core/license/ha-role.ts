import type { Failure } from '../observation.ts';

/** facHaCurrentStatus of FORTINET-FORTIAUTHENTICATOR-MIB: the only machine-readable source of the role. */
export type HaRole =
  | 'undetermined'
  | 'cluster-primary'
  | 'cluster-secondary'
  | 'standalone-primary'
  | 'load-balancer'
  | 'disabled';

/** What one unit says of itself over SNMP: its place in a cluster, and what the REST API says as well. */
export type HaRoleObservation = HaRoleFacts | (Failure & { readonly appliance: string });

export interface HaRoleFacts {
  readonly kind: 'ok';
  readonly appliance: string;
  readonly role: HaRole;
  readonly serial: string | null;
  /** As in `v5.5.0-build0366`. */
  readonly firmware: string | null;
  /**
   * FortiTokens of any kind, on the unit and left. The public text of the MIB does not say whether mobile tokens count
   * apart, nor what is left of what: for people to read, and nothing is judged by it.
   */
  readonly tokens: { readonly count: number; readonly remaining: number } | null;
}

const ROLE_BY_STATUS: ReadonlyMap<number, HaRole> = new Map<number, HaRole>([
  [1, 'undetermined'],
  [2, 'cluster-primary'],
  [3, 'cluster-secondary'],
  [4, 'standalone-primary'],
  [5, 'load-balancer'],
  [255, 'disabled'],
]);

/** The role behind a value of facHaCurrentStatus; null when the MIB does not name the value. */
export function haRoleOf(status: number): HaRole | null {
  return ROLE_BY_STATUS.get(status) ?? null;
}
