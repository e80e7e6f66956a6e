import { type ListenOptions, type Server as NetServer, type Socket, connect } from 'node:net';
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
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { ServedCertificate } from '../network/tls/served-certificate.ts';
import { allOrProblems } from '../system/all-problems.ts';
import { createIdentify, hasCredentials, type Identify, type IdentifyDeps } from './identify.ts';
import type { Web } from './changes.ts';
import type { Serving } from './sources.ts';
import { createConnectionEvictor } from '../network/connection-evictor.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { EventStream } from './event-stream.ts';
import { createRoutes } from './routes.ts';
import { BARE_HEADERS, readStaticFiles } from './static-files.ts';
import { authority } from '../core/addresses.ts';

/** The status page, where the configuration wants it. */
export interface WebServer extends Omit<HttpServer, 'listen'> {
  /**
   * Listens, once more after `release`; resolves with the port in use, which differs from the configured one when that
   * is 0.
   * @throws {Error} saying what to do: the port is taken, a certificate, a password hash or a token cannot be read
   */
  start(): Promise<ListenAddress>;
}

/** @throws {Error} with each certificate, password hash and token that cannot be used, on a line of its own */
export async function loadPage(
  config: WebConfig,
  deps: IdentifyDeps,
): Promise<{ readonly identify: Identify | null; readonly certificate: ServedCertificate | null }> {
  const [identify, certificate] = await allOrProblems([
    hasCredentials(config) || config.anonymous === 'metrics' ? createIdentify(config, deps) : null,
    config.tls === null ? null : ServedCertificate.read(config.tls, 'the status page'),
  ]);
  return { identify, certificate };
}

/** @throws {Error} saying what to do: the port is taken */
export async function openPort<T>(
  { address, port }: ListenAddress,
  open: (where: ListenOptions) => Promise<T>,
): Promise<T> {
  try {
    return await open({ host: address, port });
  } catch (error) {
    throw new Error(listenProblem({ address, port }, error), { cause: error });
  }
}

/** The status page, the API and the metrics of docs/web.md. */
export function createWebServer(
  config: WebConfig,
  { sources, clock, logger, env }: Serving & Pick<IdentifyDeps, 'env'>,
): WebServer {
  const { hosts, localReload, listen } = config;
  let server: HttpServer | null = null;

  async function create(): Promise<HttpServer> {
    const refreshAuthorities = async (): Promise<void> => server?.refreshCertificate();
    const { identify, certificate } = await loadPage(config, { clock, logger, env, refreshAuthorities });
    const hasAccounts = hasCredentials(config);
    const opensMetrics = config.anonymous === 'metrics';
    const access = { kind: 'network', identify, hasAccounts, opensMetrics, localReload, hosts } as const;
    return createHttpServer({ access, sources, clock, logger }, certificate);
  }

  return {
    start: async () => {
      server ??= await create();
      const opened = server;
      const bound = await openPort(listen, (where) => opened.listen(where));
      return typeof bound === 'object' && bound !== null ? bound : listen;
    },
    release: () => server?.release(),
    refreshCertificate: async () => server?.refreshCertificate(),
    certificateEnd: () => server?.certificateEnd() ?? null,
    stop: async () => {
      await server?.stop();
      server = null;
    },
  };
}

/** All routes, wherever it listens. */
interface HttpServer {
  /** Once more after `release`. @throws {Error} as Node has it, when it cannot listen there */
  listen(where: ListenOptions): Promise<ReturnType<Server['address']>>;
  /** Frees the port. Running requests and event streams go on. */
  release(): void;
  /** Takes a certificate that was renewed at once. */
  refreshCertificate(): Promise<void>;
  /** When its certificate ends; null: it has none. */
  certificateEnd(): EpochMs | null;
  /**
   * Ends event streams and idle connections, lets running requests finish for a moment. Harmless when it never began.
   */
  stop(): Promise<void>;
}

/** Far more than people and scrapers need; a flood beyond cannot use up file descriptors. */
const MAX_CONNECTIONS = 256;
/** How long running requests may take to finish on `stop`. */
const DRAIN: Millis = 2_000;
/** A client that neither reads nor writes for so long is gone. */
const IDLE: Millis = 60_000;

/** Small and short: a client that trickles its request byte by byte (Slowloris) is cut off after seconds. */
const LIMITS: ServerOptions = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

/** @param certificate null: it serves http */
async function createHttpServer(web: Web, certificate: ServedCertificate | null): Promise<HttpServer> {
  const { sources, clock, logger } = web;
  const events = new EventStream(clock);
  const files = await readStaticFiles();
  const routes = createRoutes({ ...web, events, files, tls: certificate !== null });
  const listener = getRequestListener(routes.fetch, { overrideGlobalObjects: false, errorHandler: refuseMalformed });
  const waiting = createWaitingAnswers(WAITING_LIMITS);
  const server = createNodeServer(certificate, (request, response) => {
    if (!waiting.begin(request, response)) return;
    // Once it stops, a connection that has got its answer is not kept for the next request.
    response.once('close', () => {
      if (!server.listening) server.closeIdleConnections();
    });
    listener(request, response).then(
      () => waiting.written(response),
      (error: unknown) => {
        logger.error({ err: error }, 'A request could not be answered');
        response.destroy();
      },
    );
  });
  limitConnections(server);
  const closeVerified = trackVerified(server);
  let unsubscribe: (() => void) | null = null;
  let unfollow = (): void => undefined;
  return {
    listen: async (where) => {
      await listening(server, where);
      if (unsubscribe !== null) return server.address();
      server.on('error', (error) => logger.error({ err: error }, 'The web server has a problem'));
      if ('setSecureContext' in server && certificate !== null)
        unfollow = certificate.follow(server, { clock, logger, onOtherClients: closeVerified });
      unsubscribe = sources.onDiagnosis((diagnosis) => events.send('diagnosis', () => diagnosisToJson(diagnosis)));
      return server.address();
    },
    release: () => {
      server.close();
    },
    refreshCertificate: async () => certificate?.refresh(),
    certificateEnd: () => certificate?.end() ?? null,
    stop: async () => {
      unsubscribe?.();
      unfollow();
      events.close();
      await close(server, clock);
    },
  };
}

function limitConnections(server: Server): void {
  const crowd = createConnectionEvictor({
    places: MAX_CONNECTIONS,
    isAcquaintance: () => false,
    onTurnedOut: () => {},
  });
  server.on('connection', (socket: Socket) => crowd.enter(socket));
  server.setTimeout(IDLE);
}

/** Gives what closes the connections of clients whose certificate was verified, with all that is answered on them. */
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
      // Who shows no certificate may have a password.
      requestCert: material.ca !== undefined,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: 5_000,
    },
    listener,
  );
}

/** @throws {Error} as Node has it */
export function listening(server: NetServer, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
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

/** A request that is none: a Host header that is no host, a target that is no path. */
function refuseMalformed(): Response {
  return new Response('The request is malformed\n', {
    status: 400,
    headers: { ...BARE_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' },
  });
}

/**
 * Requests that are not answered yet, and answers that their clients have not read: what strangers make the server
 * hold.
 */
interface WaitingAnswers {
  /**
   * @returns false when the connection is closed, because it asks for too much at once: there is nothing to answer then
   */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /**
   * The answer was given, or begun. Closes the connections that have waited longest when more than is allowed waits to
   * be read.
   */
  written(response: ServerResponse): void;
}

export interface WaitingLimits {
  /**
   * Unanswered requests of one connection. Node answers every request of a piece that it has read, thousands of them,
   * before it looks whether anybody reads the answers. No browser and no scraper sends a second one before it has the
   * answer to the first.
   */
  readonly requests: number;
  /** Of all answers together; a single one may be larger. */
  readonly unreadBytes: number;
  /** A client that takes nothing of a whole answer for so long is gone. */
  readonly unread: Millis;
}

/** Some 56 scrapes of 200 targets and 200 appliances, at 1.2 MB each. */
export const WAITING_LIMITS: WaitingLimits = { requests: 4, unreadBytes: 64 * 1024 * 1024, unread: 10_000 };

export function createWaitingAnswers({ requests, unreadBytes, unread }: WaitingLimits): WaitingAnswers {
  /** By connection: of pipelined answers all but the first have no socket yet. Who has waited longest stands first. */
  const waiting = new Map<Socket, Set<ServerResponse>>();

  function answersOf(socket: Socket): Set<ServerResponse> {
    const known = waiting.get(socket);
    if (known === undefined) {
      // Not the end of the answer: those behind another one are not told that the connection has ended.
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
      // What a piece still holds behind the request that was too much.
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

/** Why the status page cannot listen, and what to do. */
export function listenProblem({ address, port }: ListenAddress, error: unknown): string {
  const why = error instanceof Error ? reason(error) : String(error);
  return `Cannot serve the status page on "${authority({ host: address, port })}": ${why}`;
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  return REASONS.get(code ?? '') ?? `${message}; set web.listen to an address and a free port of this machine`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there (another ftm-watch?); stop it, or set web.listen to a free port'],
  ['EACCES', 'this user may not; set web.listen to a port above 1023'],
  [
    'EADDRNOTAVAIL',
    'this machine does not have that address; set web.listen to one of its own, or to 0.0.0.0 for all of them',
  ],
]);

/** It speaks with the commands of this machine, at a Unix socket. */
export type ControlServer = Pick<HttpServer, 'stop'>;

/** Another daemon answers at the socket. */
export class SocketTaken extends Error {
  constructor(path: string) {
    super(
      `Cannot listen at "${path}": another ftm-watch does; stop that one, or give this one a RUNTIME_DIRECTORY ` +
        `of its own`,
    );
    this.name = 'SocketTaken';
  }
}

/** For the owner and the group: who may open the socket may do everything. */
const MODE = 0o660;
/** Of `sun_path` in unix(7), without the zero byte. Node cuts off what is longer, and says nothing. */
const MAX_PATH = 107;

/**
 * Serves all routes at a Unix socket, in the place of one that a killed daemon has left.
 * @throws {SocketTaken}
 * @throws {Error} when it cannot listen there
 */
export async function startControlServer(path: string, serving: Serving): Promise<ControlServer> {
  if (Buffer.byteLength(path) > MAX_PATH)
    throw new Error(`Cannot listen at "${path}": expected a path of at most ${String(MAX_PATH)} bytes`);
  await clearAway(path);
  const server = await createHttpServer({ ...serving, access: { kind: 'socket' } }, null);
  await server.listen({ path });
  chmodSync(path, MODE);
  return server;
}

/** Removes what a daemon has left there that does not answer any more. */
async function clearAway(path: string): Promise<void> {
  const left = lstatSync(path, { throwIfNoEntry: false });
  if (left === undefined) return;
  // A link leads to the socket in a runtime directory.
  if (!left.isSocket() && !left.isSymbolicLink()) throw new Error(`Cannot listen at "${path}": a file is there`);
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
