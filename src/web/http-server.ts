import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { ListenOptions, Server as NetServer, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import type { ServedCertificate } from '../network/tls/served-certificate.ts';
import { createConnectionEvictor } from '../network/connection-evictor.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import type { AccessPolicy } from './change-refusal.ts';
import { EventStream } from './event-stream.ts';
import { createRoutes } from './routes.ts';
import { BARE_HEADERS } from './security-headers.ts';
import type { WebSources } from './sources.ts';
import { readStaticFiles } from './static-files.ts';
import { createWaitingAnswers, WAITING_LIMITS } from './waiting-answers.ts';

/** All routes, wherever it listens. */
export interface HttpServer {
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

export interface HttpServerOptions {
  readonly access: AccessPolicy;
  /** null: it serves http. */
  readonly certificate: ServedCertificate | null;
  readonly sources: WebSources;
  readonly clock: Clock;
  readonly logger: Logger;
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

export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { access, certificate, sources, clock, logger } = options;
  const events = new EventStream(clock);
  const files = await readStaticFiles();
  const routes = createRoutes({ access, sources, events, files, tls: certificate !== null, clock, logger });
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
