import type { Logger } from 'pino';
import type { ListenAddress } from '../config/schema/host-port.ts';
import type { WebConfig } from '../config/schema/web.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { createIdentify, hasCredentials } from './identify.ts';
import { listenProblem } from './listen-problem.ts';
import type { WebSources } from './sources.ts';

export interface WebServer {
  /**
   * Listens, once more after `release`; resolves with the port in use, which differs from the configured one when that
   * is 0.
   * @throws {Error} saying what to do: the port is taken, a certificate, a password hash or a token cannot be
   *   read
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

/** The status page, the API and the metrics of docs/web.md. */
export function createWebServer(config: WebConfig, sources: WebSources, deps: WebServerDeps): WebServer {
  const { clock, logger, env } = deps;
  const { hosts, localReload, tls, listen } = config;
  let server: HttpServer | null = null;

  async function create(): Promise<HttpServer> {
    const hasAccounts = hasCredentials(config);
    const opensMetrics = config.anonymous === 'metrics';
    const refreshAuthorities = async (): Promise<void> => server?.refreshCertificate();
    const identify =
      hasAccounts || opensMetrics ? await createIdentify(config, { clock, logger, env, refreshAuthorities }) : null;
    const access = { kind: 'network', identify, hasAccounts, opensMetrics, localReload, hosts } as const;
    return createHttpServer({ access, tls, sources, clock, logger });
  }

  return {
    start: async () => {
      server ??= await create();
      const bound = await server.listen({ host: listen.address, port: listen.port }).catch((error: unknown) => {
        throw error instanceof Error ? new Error(listenProblem(listen, error), { cause: error }) : error;
      });
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
