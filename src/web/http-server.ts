import { type ListenOptions, type Socket, connect } from 'node:net';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { getRequestListener } from '@hono/node-server';
import type { ListenAddress } from '../config/schema/section.ts';
import type { WebConfig } from '../config/schema/web.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { limitHandshakes } from '../network/tls/handshake-limit.ts';
import type { ServedCertificate } from '../network/tls/served-certificate.ts';
import { IDLE_BEAT } from '../system/clock.ts';
import { hasCredentials } from './identify.ts';
import type { Web } from './access.ts';
import { createChangeLimit } from './change-limit.ts';
import type { Serving } from './sources.ts';
import { createConnectionEvictor } from '../network/connection-evictor.ts';
import { listening, openPort } from './listen.ts';
import type { PageFiles } from './page-files.ts';
import { createRoutes } from './routes.ts';
import { BARE_HEADERS, readStaticFiles } from './static-files.ts';

export interface PageServer extends HttpServer {
  /** The actual address, because the configured port can be 0. */
  readonly address: ListenAddress;
}

/**
 * Serves the status page, the API and the metrics (docs/web.md).
 * @throws {Error} with instructions if the port is in use
 */
export async function servePage(
  config: WebConfig,
  { identify, certificate }: PageFiles,
  serving: Serving,
): Promise<PageServer> {
  const { hosts, localReload, listen } = config;
  const access = {
    kind: 'network',
    identify,
    hasAccounts: hasCredentials(config),
    opensMetrics: config.anonymous === 'metrics',
    localReload,
    hosts,
    tls: certificate !== null,
  } as const;
  const web = { access, changeLimit: createChangeLimit(serving.clock), ...serving };
  const server = await createHttpServer(web, certificate);
  const bound = await openPort(listen, (where) => server.listen(where));
  return { ...server, address: typeof bound === 'object' && bound !== null ? bound : listen };
}

export interface HttpServer {
  /** Stops listening, and closes idle connections. Requests in progress continue. */
  release(): void;
  /** As `release`, and gives requests in progress a short time to finish. */
  stop(): Promise<void>;
}

interface UnopenedServer extends HttpServer {
  listen(where: ListenOptions): Promise<ReturnType<Server['address']>>;
}

/** Limits the file descriptors that a flood of connections can use. */
const MAX_CONNECTIONS = 256;
const DRAIN: Millis = 2_000;
/** A client that neither reads nor writes anything for this long is disconnected. */
const IDLE: Millis = 60_000;

/** A client that sends its request byte by byte (Slowloris) is disconnected within half a minute. */
const LIMITS: ServerOptions = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: IDLE_BEAT,
};

async function createHttpServer(web: Web, certificate: ServedCertificate | null): Promise<UnopenedServer> {
  const { clock, logger } = web;
  const crowd = createConnectionEvictor({
    places: MAX_CONNECTIONS,
    isKnownAddress: () => false,
    onEvicted: () => {},
  });
  const files = await readStaticFiles();
  const routes = createRoutes({ ...web, files, tls: certificate !== null });
  const listener = getRequestListener(routes.fetch, { overrideGlobalObjects: false, errorHandler: refuseMalformed });
  const waiting = createWaitingAnswers(WAITING_LIMITS);
  const responses = new Set<ServerResponse>();
  const server = createNodeServer(certificate, (request, response) => {
    // A request that arrived in the last moment must not be answered from data that is no longer updated.
    if (!server.listening) {
      request.socket.destroy();
      return;
    }
    if (!waiting.begin(request, response)) return;
    responses.add(response);
    response.once('close', () => {
      responses.delete(response);
      if (!server.listening) server.closeIdleConnections();
    });
    listener(request, response).then(
      () => waiting.written(response),
      (error: unknown) => {
        logger.error({ event: 'response-failed', err: error }, 'Cannot complete a response');
        response.destroy();
      },
    );
  });
  server.on('connection', (socket: Socket) => crowd.enter(socket));
  server.setTimeout(IDLE);
  if ('setSecureContext' in server && certificate?.material().ca !== undefined) limitHandshakes(server, clock);
  const closeVerified = trackVerified(server);
  let unfollow = (): void => undefined;
  const release = (): void => {
    // Once only, because another server may follow the same certificate by now.
    if (!server.listening) return;
    unfollow();
    server.close();
    // Otherwise, clients would send their next request over a connection that is about to be closed.
    for (const response of responses) response.shouldKeepAlive = false;
  };
  return {
    listen: async (where) => {
      await listening(server, where);
      server.on('error', (error) =>
        logger.error({ event: 'web-server-failed', err: error }, 'An error occurred in the web server'),
      );
      if ('setSecureContext' in server && certificate !== null)
        unfollow = certificate.follow(server, { clock, logger, onOtherClients: closeVerified });
      return server.address();
    },
    release,
    stop: async () => {
      release();
      await close(server, clock);
    },
  };
}

/** Returns a function that closes all connections with a verified client certificate, and cancels their responses. */
function trackVerified(server: Server): () => void {
  const verified = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!socket.authorized) return;
    verified.add(socket);
    socket.once('close', () => verified.delete(socket));
  });
  return () => {
    for (const socket of verified) socket.destroy();
  };
}

type NodeServer = Server | HttpsServer;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function createNodeServer(certificate: ServedCertificate | null, listener: Listener): NodeServer {
  if (certificate === null) return createPlainServer(LIMITS, listener);
  const material = certificate.material();
  return createHttpsServer(
    {
      ...LIMITS,
      ...material,
      requestCert: material.ca !== undefined,
      // Clients without a certificate can log in with a password. `identify.ts` checks `socket.authorized`.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: 5_000,
    },
    listener,
  );
}

function close(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(DRAIN, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

function refuseMalformed(): Response {
  return new Response('The request is malformed\n', {
    status: 400,
    headers: { ...BARE_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' },
  });
}

/** Limits the memory that unauthenticated clients can occupy with unanswered requests and unread responses. */
interface WaitingAnswers {
  /** @returns false if the connection was closed because of too many requests; such a request must not be answered */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /**
   * Must be called when a response has started or is complete. If there is too much unread data, the connections that
   * have not read anything for the longest time are closed.
   */
  written(response: ServerResponse): void;
}

interface WaitingLimits {
  /**
   * Per connection. Node starts to process all requests in a received chunk, possibly thousands, before it checks
   * whether the client is reading the responses. Browsers and scrapers wait for the first response.
   */
  readonly requests: number;
  readonly unreadBytes: number;
  /** A client that has not read any part of a complete response for this long is disconnected. */
  readonly unread: Millis;
}

/** The byte limit allows about 56 concurrent scrapes of a daemon with 200 targets and 200 appliances (1.2 MB each). */
const WAITING_LIMITS: WaitingLimits = { requests: 4, unreadBytes: 64 * 1024 * 1024, unread: 10_000 };

export function createWaitingAnswers({ requests, unreadBytes, unread }: WaitingLimits): WaitingAnswers {
  /** Oldest first. The key is the connection, because only the first of several pipelined responses has a socket. */
  const waiting = new Map<Socket, Set<ServerResponse>>();

  function answersOf(socket: Socket): Set<ServerResponse> {
    const known = waiting.get(socket);
    if (known === undefined) {
      // A response that is queued behind another response has no socket and emits no `close` event.
      socket.once('close', () => waiting.delete(socket));
    }
    const answers = known ?? new Set();
    if (answers.size === 0) {
      waiting.delete(socket);
      waiting.set(socket, answers);
    }
    return answers;
  }

  function close(socket: Socket): void {
    waiting.delete(socket);
    socket.destroy();
  }

  function makeRoom(): void {
    let bytes = 0;
    for (const answers of waiting.values()) bytes += bytesOf(answers);
    for (const [socket, answers] of waiting) {
      const own = bytesOf(answers);
      if (bytes <= unreadBytes || bytes === own) return;
      if (own > 0) close(socket);
      bytes -= own;
    }
  }

  return {
    begin({ socket }, response) {
      // The chunk can contain more requests after the one that exceeded the limit.
      if (socket.destroyed) return false;
      const answers = answersOf(socket);
      if (answers.size >= requests) {
        close(socket);
        return false;
      }
      answers.add(response);
      response.once('close', () => answers.delete(response));
      return true;
    },
    written(response) {
      if (response.writableLength === 0) return;
      if (response.writableEnded) response.setTimeout(unread);
      makeRoom();
    },
  };
}

function bytesOf(answers: ReadonlySet<ServerResponse>): number {
  let bytes = 0;
  for (const { writableLength } of answers) bytes += writableLength;
  return bytes;
}

export class SocketTaken extends Error {
  constructor(path: string) {
    super(
      `Cannot listen at "${path}": another ftm-watch is using this socket; stop it, or set a separate ` +
        'RUNTIME_DIRECTORY for this ftm-watch',
    );
    this.name = 'SocketTaken';
  }
}

/** Accessible only to the owner and the group, because every client has full access. */
const MODE = 0o660;
/** The size of `sun_path` in unix(7) without the null byte. Node silently truncates longer paths. */
const MAX_PATH = 107;

/**
 * Serves all routes on a Unix socket. A socket that a killed daemon left behind is replaced.
 * @throws {SocketTaken}
 */
export async function startControlServer(path: string, serving: Serving): Promise<HttpServer> {
  if (Buffer.byteLength(path) > MAX_PATH)
    throw new Error(`Cannot listen at "${path}": the path must be at most ${String(MAX_PATH)} bytes long`);
  await clearAway(path);
  const server = await createHttpServer(
    { ...serving, access: { kind: 'socket' }, changeLimit: createChangeLimit(serving.clock) },
    null,
  );
  await server.listen({ path });
  chmodSync(path, MODE);
  return server;
}

async function clearAway(path: string): Promise<void> {
  const left = lstatSync(path, { throwIfNoEntry: false });
  if (left === undefined) return;
  // A link at this path points to a socket in the daemon's runtime directory.
  if (!left.isSocket() && !left.isSymbolicLink())
    throw new Error(`Cannot listen at "${path}": a file with this name exists`);
  if (await isAnswered(path)) throw new SocketTaken(path);
  rmSync(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
