import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import type { ListenAddress } from '../config/schema/host-port.ts';
import type { TlsFiles, WebConfig } from '../config/schema/web.ts';
import { createConnectionEvictor } from '../network/connection-evictor.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { diagnosisToJson } from '../engine/diagnosis-json.ts';
import { EventStream } from './event-stream.ts';
import { listenProblem } from './listen-problem.ts';
import { createLogin } from './login.ts';
import { createRoutes } from './routes.ts';
import { BARE_HEADERS } from './security-headers.ts';
import type { WebSources } from './sources.ts';
import { readStaticFiles } from './static-files.ts';
import { createWaitingAnswers, WAITING_LIMITS } from './waiting-answers.ts';
import { readText } from '../system/read-text.ts';
import { messageOf } from '../text/message-of.ts';

export interface WebServer {
  /**
   * Listens; resolves with the port in use, which differs from the configured one when that is 0.
   * @throws {Error} saying what to do: the port is taken, a certificate or a password hash cannot be read
   */
  start(): Promise<ListenAddress>;
  /**
   * Ends event streams and idle connections, lets running requests finish for a moment. Harmless when it never started.
   */
  stop(): Promise<void>;
}

export interface WebServerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where password hashes named by variable are read from. */
  readonly env: NodeJS.ProcessEnv;
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

/** The status page, the API and the metrics of docs/web.md. */
export function createWebServer(config: WebConfig, sources: WebSources, deps: WebServerDeps): WebServer {
  const events = new EventStream(deps.clock);
  let server: Server | null = null;
  let unsubscribe: (() => void) | null = null;

  async function start(): Promise<ListenAddress> {
    const login = config.users.length === 0 ? null : await createLogin(config.users, deps.clock, deps.env);
    const files = await readStaticFiles();
    const { hosts } = config;
    const routes = createRoutes({ ...deps, sources, events, login, files, hosts, tls: config.tls !== null });
    const listener = getRequestListener(routes.fetch, { overrideGlobalObjects: false, errorHandler: refuseMalformed });
    const waiting = createWaitingAnswers(WAITING_LIMITS);
    const created = await createNodeServer(config.tls, (request, response) => {
      if (!waiting.begin(request, response)) return;
      // Once it stops, a connection that has got its answer is not kept for the next request.
      response.once('close', () => {
        if (!created.listening) created.closeIdleConnections();
      });
      void listener(request, response).then(() => waiting.written(response));
    });
    limitConnections(created);
    server = created;
    const bound = await listen(created, config.listen);
    created.on('error', (error) => deps.logger.error({ err: error }, 'The web server has a problem'));
    unsubscribe = sources.onDiagnosis((diagnosis) =>
      events.send({ name: 'diagnosis', data: diagnosisToJson(diagnosis) }),
    );
    return bound;
  }

  async function stop(): Promise<void> {
    unsubscribe?.();
    unsubscribe = null;
    events.close();
    if (server !== null) await close(server, deps.clock);
    server = null;
  }

  return { start, stop };
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

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function createNodeServer(tls: TlsFiles | null, listener: Listener): Promise<Server> {
  if (tls === null) return createHttpServer(LIMITS, listener);
  const cert = await readText(tls.certFile, 'the certificate of the status page from');
  const key = await readText(tls.keyFile, 'the key of the status page from');
  try {
    return createHttpsServer({ ...LIMITS, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: 5_000 }, listener);
  } catch (error) {
    throw new Error(
      `Cannot serve the status page with certificate "${tls.certFile}" and key "${tls.keyFile}": ` +
        `${messageOf(error)}; expected PEM files that belong together`,
      { cause: error },
    );
  }
}

function listen(server: Server, { address, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void =>
      reject(new Error(listenProblem({ address, port }, error), { cause: error }));
    server.once('error', onError);
    server.listen({ host: address, port }, () => {
      server.off('error', onError);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound : { address, port });
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
