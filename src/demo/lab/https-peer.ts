import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { credentialsOf } from './identity.ts';
import { listening, type Place } from './listening.ts';
import { trickle, type Trickle } from './trickle.ts';
import type { Identity } from './identity.ts';

/** Faults of an HTTPS peer. They can be changed at any time. */
export type HttpFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** HTTP 200 with a web page, as sent by a captive portal. */
  | { readonly kind: 'html' }
  | { readonly kind: 'page'; readonly status: number; readonly text: string }
  /** The connection closes in the middle of the body. */
  | { readonly kind: 'truncated' }
  /** One byte at a time, endlessly. */
  | ({ readonly kind: 'trickle' } & Trickle)
  /** The request is read but never answered. */
  | { readonly kind: 'silent' }
  /** The correct answer, but not before that. */
  | { readonly kind: 'late'; readonly until: Promise<void> }
  | { readonly kind: 'reset' }
  /** An endless body. */
  | { readonly kind: 'endless' }
  /** HTTP 200 with this body instead of the correct one. */
  | { readonly kind: 'body'; readonly body: string };

export interface RecordedRequest {
  readonly method: string;
  /** Path with the query. */
  readonly path: string;
  readonly authorization: string | null;
  readonly contentType: string;
  readonly body: string;
}

export interface PeerReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string is sent unchanged. */
  readonly body: unknown;
}

export interface HttpsPeerOptions extends Place {
  /** Certificate and key. Issuers that are not roots are sent as well. */
  readonly identity: Identity;
  answer(request: RecordedRequest): PeerReply;
}

export interface HttpsPeer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** All requests, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Applies to all requests, or to those whose path begins with `prefix`. The longest prefix wins. */
  setFault(fault: HttpFault, prefix?: string): void;
  close(): Promise<void>;
}

/** Starts a real HTTPS server on loopback that answers with JSON, and with faults on demand. */
export async function createHttpsPeer(options: HttpsPeerOptions): Promise<HttpsPeer> {
  const requests: RecordedRequest[] = [];
  const faults = new Map<string, HttpFault>();
  const server = createServer(credentialsOf(options.identity), (request, response) => {
    void handle(request, response);
  });
  const { port, sockets, close } = await listening(server, options);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = await recordOf(request).catch(() => null);
    if (recorded === null) return;
    requests.push(recorded);
    const fault = faultFor(faults, recorded.path);
    if (fault.kind === 'reset') {
      reset(sockets, request.socket);
      return;
    }
    if (fault.kind === 'late') await fault.until;
    else if (fault.kind !== 'none') {
      misbehave(fault, response);
      return;
    }
    const { status, headers, body } = options.answer(recorded);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  return {
    url: `https://${options.address ?? '127.0.0.1'}:${String(port)}`,
    port,
    requests,
    setFault: (fault, prefix = '') => {
      faults.set(prefix, fault);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function recordOf(request: IncomingMessage): Promise<RecordedRequest> {
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    authorization: request.headers.authorization ?? null,
    contentType: request.headers['content-type'] ?? '',
    body: await text(request),
  };
}

function faultFor(faults: ReadonlyMap<string, HttpFault>, path: string): HttpFault {
  const prefixes = [...faults.keys()]
    .filter((prefix) => path.startsWith(prefix))
    .toSorted((a, b) => b.length - a.length);
  const [longest] = prefixes;
  return (longest === undefined ? undefined : faults.get(longest)) ?? { kind: 'none' };
}

function misbehave(fault: Exclude<HttpFault, { kind: 'none' | 'reset' | 'late' }>, response: ServerResponse): void {
  switch (fault.kind) {
    case 'status':
    case 'html':
    case 'page':
    case 'body':
      send(response, wrongReply(fault));
      return;
    case 'truncated':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"meta": {"limit"', () => response.destroy());
      return;
    case 'silent':
      return;
    case 'trickle':
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      trickle(response, Buffer.from(' '), fault);
      return;
    case 'endless':
      flood(response);
      return;
  }
}

/** Only the TCP socket below the TLS one can be reset. */
function reset(sockets: ReadonlySet<Socket>, secured: Socket): void {
  for (const socket of sockets) {
    if (socket.remotePort === secured.remotePort) socket.resetAndDestroy();
  }
}

interface WholeReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function wrongReply(fault: Extract<HttpFault, { kind: 'status' | 'html' | 'page' | 'body' }>): WholeReply {
  switch (fault.kind) {
    case 'status':
      return { status: fault.status, headers: { 'content-type': 'text/plain', ...fault.headers }, body: 'fault' };
    case 'html':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>Sign in</title>' };
    case 'page':
      return {
        status: fault.status,
        headers: { 'content-type': 'text/html; charset=utf-8' },
        body: `<!doctype html><title>Error</title><p>${fault.text}</p>`,
      };
    case 'body':
      return { status: 200, headers: { 'content-type': 'application/json' }, body: fault.body };
  }
}

function send(response: ServerResponse, reply: WholeReply): void {
  response.writeHead(reply.status, reply.headers).end(reply.body);
}

function flood(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const write = (): void => {
    response.write(' '.repeat(64 * 1024), () => {
      if (!response.destroyed) setImmediate(write);
    });
  };
  write();
}
