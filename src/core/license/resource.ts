import type { Failure } from '../observation.ts';

/**
 * One resource of an interface that answers as a whole. `absent`: this firmware does not have it (404). `denied`: the
 * account may not read it.
 */
export type Resource<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'denied'; readonly message: string }
  | Failure;

/** The value, or null where it could not be read. */
export function valueOf<T>(resource: Resource<T>): T | null {
  return resource.kind === 'read' ? resource.value : null;
}
