import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { chainPem } from '../support/certificates/authority.ts';
import type { Identity } from '../support/certificates/authority.ts';
import { servedChain } from './authorities.ts';

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
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      SNICallback: (_name, done) => {
        done(null, createSecureContext(credentials(fault.kind === 'certificate' ? fault.identity : identity)));
      },
      ...credentials(identity),
    },
    (_request, response) => {
      if (fault.kind === 'silent') return;
      response.writeHead(fault.kind === 'status' ? fault.status : status, { connection: 'close' }).end();
    },
  );
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    setFault: (next) => {
      fault = next;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function credentials(identity: Identity): { readonly cert: string; readonly key: string } {
  return { cert: chainPem(...servedChain(identity)), key: identity.keyPem };
}
