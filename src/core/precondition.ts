export type PreconditionId =
  | 'internet'
  | 'name-resolution'
  | 'reachability'
  | 'tls-genuine'
  | 'license-server'
  | 'mail'
  | 'appliance'
  | 'license-assignment'
  | 'token-pool'
  | 'polling'
  | 'firewall-policy'
  | 'clock';

export interface Precondition {
  readonly id: PreconditionId;
  readonly title: string;
  readonly dependsOn: readonly PreconditionId[];
}

/**
 * The preconditions of FortiToken Mobile activation, in the order of the path. `dependsOn`: while one of these is
 * broken or blocked, this one cannot be judged by itself and is `blocked`.
 */
export const PRECONDITIONS: readonly Precondition[] = [
  { id: 'internet', title: 'Internet', dependsOn: [] },
  { id: 'name-resolution', title: 'Name resolution', dependsOn: [] },
  { id: 'reachability', title: 'Reachability', dependsOn: ['name-resolution', 'internet'] },
  { id: 'tls-genuine', title: 'Genuine TLS', dependsOn: ['reachability'] },
  { id: 'license-server', title: 'Licence server', dependsOn: ['tls-genuine'] },
  { id: 'mail', title: 'Mail', dependsOn: [] },
  { id: 'appliance', title: 'FortiAuthenticator', dependsOn: [] },
  { id: 'license-assignment', title: 'Licence assignment', dependsOn: [] },
  { id: 'token-pool', title: 'Token pool', dependsOn: ['appliance'] },
  { id: 'polling', title: 'Polling', dependsOn: [] },
  { id: 'firewall-policy', title: 'Firewall policy', dependsOn: [] },
  { id: 'clock', title: 'Clock', dependsOn: [] },
];

/** Its name for a person. */
export function titleOf(id: PreconditionId): string {
  return PRECONDITIONS.find((precondition) => precondition.id === id)?.title ?? id;
}

/**
 * `blocked`: something it depends on is broken. `unknown`: could not be judged, our own trouble included.
 */
export type PreconditionState = 'ok' | 'warning' | 'broken' | 'blocked' | 'unknown' | 'not-configured';

export const PRECONDITION_STATES: readonly PreconditionState[] = [
  'ok',
  'warning',
  'broken',
  'blocked',
  'unknown',
  'not-configured',
];
