import type { Failure } from '../observation.ts';

/**
 * Result of reading one resource from a reachable API. `absent`: the firmware does not have the resource (404).
 * `denied`: the account is not allowed to read the resource.
 */
export type Resource<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'denied'; readonly message: string }
  | Failure;

/** Returns the resource's value, or null if the resource could not be read. */
export function valueOf<T>(resource: Resource<T>): T | null {
  return resource.kind === 'read' ? resource.value : null;
}
