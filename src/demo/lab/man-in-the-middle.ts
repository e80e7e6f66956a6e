import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { connect, createSecureContext, createServer as createTlsServer } from 'node:tls';
import type { SecureContext, TLSSocket, TlsOptions } from 'node:tls';
import { callbackify } from 'node:util';
import { chainPem, createIdentity } from './identity.ts';
import type { Identity } from './identity.ts';

/** Decrypts the TLS connections of others, as FortiGate's deep inspection does. */
export interface ManInTheMiddle {
  /**
   * Presents a re-signed certificate and forwards the data to the real server. @param authority null: the default
   * authority
   */
  inspect(socket: Socket, upstream: { readonly host: string; readonly port: number }, authority: Identity | null): void;
  /** Presents a re-signed certificate and answers every request with a block page. */
  block(socket: Socket): void;
  close(): void;
}

const BLOCK_PAGE = `<!DOCTYPE html><html><head><title>Web Page Blocked</title></head><body><h1>FortiGuard Intrusion Prevention - Access Blocked</h1>
<p>Web Page Blocked: the page you have requested has been blocked, because the URL is banned.</p></body></html>`;

export async function createManInTheMiddle(authority: Identity): Promise<ManInTheMiddle> {
  const own = await forger(authority);
  const forgers = new Map([[authority, own]]);
  // None of them listens. They are given connections that were accepted elsewhere.
  const blocker = createHttpsServer(own, (_request, response) => {
    response.writeHead(403, { 'content-type': 'text/html', connection: 'close' }).end(BLOCK_PAGE);
  });
  blocker.on('tlsClientError', () => undefined);

  async function inspect(
    socket: Socket,
    { host, port }: { readonly host: string; readonly port: number },
    by: Identity,
  ): Promise<void> {
    const options = forgers.get(by) ?? (await forger(by));
    forgers.set(by, options);
    const server = createTlsServer(options, (near) => {
      // Inspecting devices verify the real server. Here it is the lab's own.
      join(near, connect({ host: '127.0.0.1', port, servername: host, rejectUnauthorized: false }));
    });
    server.on('tlsClientError', () => undefined);
    server.emit('connection', socket);
  }

  return {
    inspect: (socket, upstream, by) => {
      void inspect(socket, upstream, by ?? authority);
    },
    block: (socket) => {
      blocker.emit('connection', socket);
    },
    close: () => {
      blocker.closeAllConnections();
    },
  };
}

function join(near: TLSSocket, far: TLSSocket): void {
  near.on('error', () => far.destroy()).on('close', () => far.destroy());
  far.on('error', () => near.destroy()).on('close', () => near.destroy());
  near.pipe(far).pipe(near);
}

/** Creates a certificate for each requested name on demand, signed by one authority. */
async function forger(authority: Identity): Promise<TlsOptions> {
  const forged = new Map<string, Promise<SecureContext>>();
  const forge = async (name: string): Promise<SecureContext> =>
    createSecureContext(
      credentials(
        await createIdentity({ name: `O=Fortinet, CN=${name}`, issuer: authority, dnsNames: [name] }),
        authority,
      ),
    );
  return {
    SNICallback: callbackify((name: string) => {
      const context = forged.get(name) ?? forge(name);
      forged.set(name, context);
      return context;
    }),
    ...credentials(await createIdentity({ name: 'O=Fortinet, CN=inspected', issuer: authority }), authority),
  };
}

function credentials(leaf: Identity, issuer: Identity): { readonly cert: string; readonly key: string } {
  return { cert: chainPem(leaf, issuer), key: leaf.keyPem };
}
