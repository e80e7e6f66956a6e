import type { HttpBindings } from '@hono/node-server';

/** What routes find in their context: Node's own request and response. */
export type WebEnv = { readonly Bindings: HttpBindings };
