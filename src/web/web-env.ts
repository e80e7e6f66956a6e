import type { HttpBindings } from '@hono/node-server';
import type { Caller } from './caller.ts';

/** What routes find in their context: Node's own request and response, and who asks. */
export type WebEnv = { readonly Bindings: HttpBindings; readonly Variables: { caller: Caller } };
