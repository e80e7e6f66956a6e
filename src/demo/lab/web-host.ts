import { createServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { credentialsOf } from './identity.ts';
import type { Identity } from './identity.ts';
import { listening } from './listening.ts';

export type WebHostFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'status'; readonly status: number }
  /** Requests are read but never answered. */
  | { readonly kind: 'silent' }
  /** A different certificate, such as an expired one. */
  | { readonly kind: 'certificate'; readonly identity: Identity };

/** A server on the internet, such as a licence server or a control host. */
export interface WebHost extends AsyncDisposable {
  readonly port: number;
  setFault(fault: WebHostFault): void;
}

/**
 * @param status HTTP status of the healthy server; the licence server has no content for clients other than a
 * FortiAuthenticator
 */
export async function createWebHost(identity: Identity, status: number): Promise<WebHost> {
  let fault: WebHostFault = { kind: 'none' };
  const server = createServer(
    {
      SNICallback: (_name, done) => {
        done(null, createSecureContext(credentialsOf(fault.kind === 'certificate' ? fault.identity : identity)));
      },
      ...credentialsOf(identity),
    },
    (_request, response) => {
      if (fault.kind === 'silent') return;
      response.writeHead(fault.kind === 'status' ? fault.status : status, { connection: 'close' }).end();
    },
  );
  const { port, close } = await listening(server);
  return {
    port,
    setFault: (next) => {
      fault = next;
    },
    [Symbol.asyncDispose]: close,
  };
}
