import type { Failure } from '../observation.ts';

/**
 * One resource of an API that is otherwise reachable. `absent`: this firmware does not have it (404). `denied`: the
 * account is not allowed to read it.
 */
export type Resource<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'denied'; readonly message: string }
  | Failure;

/** Returns the value, or null if it could not be read. */
export function valueOf<T>(resource: Resource<T>): T | null {
  return resource.kind === 'read' ? resource.value : null;
}
