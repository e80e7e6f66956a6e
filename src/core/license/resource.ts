import type { Failure } from '../observation.ts';

/** `absent`: the firmware does not have the resource (404). `denied`: the account is not allowed to read it. */
export type Resource<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'denied'; readonly message: string }
  | Failure;

export function valueOf<T>(resource: Resource<T>): T | null {
  return resource.kind === 'read' ? resource.value : null;
}
