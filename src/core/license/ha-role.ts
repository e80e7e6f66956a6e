import type { Failure } from '../observation.ts';

/** facHaCurrentStatus of FORTINET-FORTIAUTHENTICATOR-MIB: the only machine-readable source of the role. */
export type HaRole =
  | 'undetermined'
  | 'cluster-primary'
  | 'cluster-secondary'
  | 'standalone-primary'
  | 'load-balancer'
  | 'disabled';

/** What one unit says about its place in a cluster, over SNMP. */
export type HaRoleObservation =
  | { readonly kind: 'ok'; readonly appliance: string; readonly role: HaRole; readonly serial: string | null }
  | (Failure & { readonly appliance: string });

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
