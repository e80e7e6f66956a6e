import { loadFirmwareFacts } from '../connectors/firmware-facts.ts';
import type { FirmwareFact } from '../core/license/firmware.ts';
import { createServer, type Server } from 'node:net';
import type { Config } from '../config/config.ts';
import { authorityFiles, headerSources, secretSources } from '../config/print.ts';
import type { ListenAddress } from '../config/schema/section.ts';
import type { Clock } from '../core/clock.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { errorCode } from '../network/failure.ts';
import { readHeaders } from '../network/http/secret-headers.ts';
import { readAuthorities } from '../network/tls/secure-context.ts';
import { ServedCertificate } from '../network/tls/served-certificate.ts';
import { bindTcp } from '../logs/listen-tcp.ts';
import { bindUdp } from '../logs/listen-udp.ts';
import { loadTlsKnowledge } from '../round/tls-knowledge.ts';
import { connectProblem } from '../store/database.ts';
import { problemsOf, messageOf, allOrProblems } from '../text/message-of.ts';
import type { HoldsPort, Transport } from '../system/process-facts.ts';
import { readLearnedTrust } from '../trust/load-trust.ts';
import { certificateClaim } from '../checks/agent/judge.ts';
import { readSecret, type SecretSource } from '../system/secret.ts';
import { loadKnownSignatures } from './known-signatures.ts';
import { listening, openPort } from '../web/listen.ts';
import { loadPage } from '../web/page-files.ts';

export interface MonitorFiles {
  readonly signatures: SignatureSet;
  readonly firmwareFacts: readonly FirmwareFact[];
  readonly certificate: ServedCertificate | null;
}

/**
 * Reads all files but those of the instruments and the page. Also checks files that are read again for each use,
 * because the daemon could otherwise start with an empty key file and fail hours later.
 * @throws {Error} with one line for each file that cannot be used
 */
export async function loadMonitorFiles(config: Config, env: NodeJS.ProcessEnv): Promise<MonitorFiles> {
  const { tls } = config.logs.syslog;
  const read = (source: SecretSource): Promise<string> => readSecret(source, env);
  const [signatures, firmwareFacts, certificate] = await allOrProblems([
    loadKnownSignatures(config.logs.signatureFiles),
    config.appliances.length === 0 ? [] : loadFirmwareFacts(config.firmwareFactFiles),
    tls === null ? null : ServedCertificate.read(tls, 'the syslog listener'),
    allOrProblems(authorityFiles(config).map(readAuthorities)),
    allOrProblems(secretSources(config, (section) => section !== 'web').map(read)),
    allOrProblems(headerSources(config).map((sources) => readHeaders(sources, read))),
  ]);
  return { signatures, firmwareFacts, certificate };
}

export interface RunningDaemon {
  /** False for a daemon with another store, such as the one that this configuration will replace. */
  readonly hasSameStore: boolean;
  /** Null if the daemon's ports cannot be determined. */
  readonly holdsPort: HoldsPort | null;
}

export interface StartCheckDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly daemon: RunningDaemon | null;
  /** Runs `work` with the daemon's file permissions. */
  readonly asDaemon: <T>(work: () => Promise<T>) => Promise<T>;
  /** Runs `work` with the daemon's permission to bind ports. */
  readonly asListener: <T>(work: () => Promise<T>) => Promise<T>;
}

interface StartCheck {
  /** The daemon's own messages, one sentence each. */
  readonly problems: readonly string[];
  /** Invalid parts of the configuration that the daemon would skip, and certificates that expire soon. */
  readonly warnings: readonly string[];
}

/** Reads all files and opens all ports that the daemon uses at startup. Does not create or change any file. */
export async function checkStart(config: Config, deps: StartCheckDeps): Promise<StartCheck> {
  const { clock, env, daemon, asDaemon, asListener } = deps;
  const silent = { warn: () => undefined };
  const problems: string[] = [];
  const note = (error: unknown): null => {
    problems.push(...problemsOf(error));
    return null;
  };
  // All that the instruments read. Loading their code takes longer.
  await loadTlsKnowledge(config, clock).catch(note);
  const files = await loadMonitorFiles(config, env).catch(note);
  const page = await loadPage(config.web, { clock, env, logger: silent }).catch(note);
  await asListener(async () => {
    for (const port of portsOf(config)) await tryPort(port, daemon).catch(note);
  });
  await asDaemon(async () => {
    await readLearnedTrust(config.trust.baselineFile).catch(note);
    // A store that the running daemon is using is not checked.
    const unusable = daemon?.hasSameStore !== true ? connectProblem(config.store.path) : null;
    if (unusable !== null) problems.push(unusable);
  });
  const certificates = [
    { owner: 'status page', certificate: page?.certificate },
    { owner: 'syslog listener', certificate: files?.certificate },
  ] as const;
  const warnings = certificates.flatMap(({ owner, certificate }) => {
    const end = certificate?.end() ?? null;
    return end === null ? [] : (certificateClaim({ owner, end }, clock.now(), config.timezone) ?? []);
  });
  return { problems: [...new Set(problems)], warnings };
}

interface Port {
  readonly transport: Transport;
  readonly listen: ListenAddress;
  readonly open: () => Promise<void>;
}

function portsOf({ logs: { syslog }, web }: Config): readonly Port[] {
  const { udp, tcp, tls } = syslog;
  return [
    ...(udp === null
      ? []
      : [{ transport: 'udp', listen: udp, open: async () => void (await bindUdp(udp)).close() } as const]),
    ...(tcp === null ? [] : [tcpPort(tcp, (server) => bindTcp(server, tcp, 'TCP'))]),
    ...(tls === null ? [] : [tcpPort(tls.listen, (server) => bindTcp(server, tls.listen, 'TLS'))]),
    tcpPort(web.listen, (server) => openPort(web.listen, (where) => listening(server, where))),
  ];
}

/**
 * The ports of a daemon that runs with this configuration. The service cannot look up its own, because its unit hides
 * /proc/net (`ProcSubset=` in systemd.exec(5)).
 */
export function portsHeldWith(config: Config): HoldsPort {
  const ports = portsOf(config);
  return (transport, port) => ports.some((held) => held.transport === transport && held.listen.port === port);
}

function tcpPort(listen: ListenAddress, bind: (server: Server) => Promise<unknown>): Port {
  return {
    transport: 'tcp',
    listen,
    open: async () => {
      const server = createServer();
      await bind(server);
      server.close();
    },
  };
}

/** @throws {Error} unless the port can be opened or is already held by the daemon */
async function tryPort({ transport, listen: { port }, open }: Port, daemon: RunningDaemon | null): Promise<void> {
  try {
    await open();
  } catch (error) {
    const isTaken = error instanceof Error && errorCode(error.cause) === 'EADDRINUSE';
    if (isTaken && daemon !== null && (daemon.holdsPort?.(transport, port) ?? true)) return;
    throw new Error(messageOf(error), { cause: error });
  }
}
