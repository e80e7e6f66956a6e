import type { ListenOptions } from 'node:net';
import type { Logger } from 'pino';
import type { ListenAddress } from '../config/schema/host-port.ts';
import type { WebConfig } from '../config/schema/web.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { ServedCertificate } from '../network/tls/served-certificate.ts';
import { allOrProblems } from '../system/all-problems.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { createIdentify, hasCredentials, type Identify, type IdentifyDeps } from './identify.ts';
import { listenProblem } from './listen-problem.ts';
import type { WebSources } from './sources.ts';

export interface WebServer {
  /**
   * Listens, once more after `release`; resolves with the port in use, which differs from the configured one when that
   * is 0.
   * @throws {Error} saying what to do: the port is taken, a certificate, a password hash or a token cannot be read
   */
  start(): Promise<ListenAddress>;
  /** Frees the port. Running requests and event streams go on. */
  release(): void;
  /** Takes a certificate that was renewed at once. */
  refreshCertificate(): Promise<void>;
  /** When its certificate ends; null: it has none. */
  certificateEnd(): EpochMs | null;
  /** Harmless when it never started. */
  stop(): Promise<void>;
}

export interface WebServerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where secrets named by variable are read from. */
  readonly env: NodeJS.ProcessEnv;
}

/** What the page reads before it listens. */
interface PageFiles {
  /** null: nobody is asked who they are. */
  readonly identify: Identify | null;
  readonly certificate: ServedCertificate | null;
}

/** @throws {Error} with each certificate, password hash and token that cannot be used, on a line of its own */
export async function loadPage(config: WebConfig, deps: IdentifyDeps): Promise<PageFiles> {
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
export function createWebServer(config: WebConfig, sources: WebSources, deps: WebServerDeps): WebServer {
  const { clock, logger, env } = deps;
  const { hosts, localReload, listen } = config;
  let server: HttpServer | null = null;

  async function create(): Promise<HttpServer> {
    const refreshAuthorities = async (): Promise<void> => server?.refreshCertificate();
    const { identify, certificate } = await loadPage(config, { clock, logger, env, refreshAuthorities });
    const hasAccounts = hasCredentials(config);
    const opensMetrics = config.anonymous === 'metrics';
    const access = { kind: 'network', identify, hasAccounts, opensMetrics, localReload, hosts } as const;
    return createHttpServer({ access, certificate, sources, clock, logger });
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
