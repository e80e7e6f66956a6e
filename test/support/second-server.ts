import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createIdentity } from './authority.ts';
import type { Identity } from './authority.ts';

/** A JSON API over TLS that answers each request by itself: nothing here is shared with the simulators of the lab. */
export interface SecondServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  /** Self-signed, for `127.0.0.1`. */
  readonly identity: Identity;
  /** In the order in which they came. */
  readonly requests: readonly SeenRequest[];
}

export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string;
  readonly contentType: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function createSecondServer(answer: (request: SeenRequest) => Answer): Promise<SecondServer> {
  const identity = await createIdentity({ name: 'CN=127.0.0.1', ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] });
  const requests: SeenRequest[] = [];
  const server = createServer({ cert: identity.pem, key: identity.keyPem }, (request, response) => {
    void read(request).then((seen) => {
      requests.push(seen);
      send(response, answer(seen));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    identity,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<SeenRequest> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part as Buffer));
  return {
    method: request.method ?? '',
    url: new URL(request.url ?? '/', 'https://second.example.test'),
    authorization: request.headers.authorization ?? '',
    contentType: request.headers['content-type'] ?? '',
    body: Buffer.concat(parts).toString('utf8'),
  };
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(text);
}
