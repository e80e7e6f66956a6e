import type { LogHealth } from '../core/agent.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { JsonFile } from '../system/json-file.ts';
import { type Positions, readPositions, FileReader } from './tail.ts';
import { createPollingLog } from './polling-log.ts';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ListenAddress } from '../config/schema/section.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { singleAddresses } from '../core/addresses.ts';
import type { CertificateRejection, WatchedTraffic, LogEvent, LogSource } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import {
  createAttribution,
  type Attribution,
  type Origin,
  createUnknownSenderLog,
  type UnknownSenderLog,
  createUnrecognisedLog,
  type UnrecognisedLog,
} from './senders.ts';
import {
  CONNECTION_LIMITS,
  listenTcp,
  type ConnectionLimits,
  type HandshakeOutcome,
  createTurnBudget,
  type TurnBudget,
} from './listen-tcp.ts';
import type { LineSink } from './framing.ts';
import type { ServedCertificate } from '../network/tls/served-certificate.ts';
import { listenUdp, type UdpListener } from './listen-udp.ts';
import {
  type IntakeLogger,
  createRecentCount,
  newConnectionTally,
  newLineTally,
  type ConnectionTally,
  type LineTally,
  type LogCounters,
} from './tally.ts';
import { EventOutbox, LogReader } from './reader.ts';
import type { WatchedConfig } from '../config/schema/watched.ts';

interface LogUnit extends Pick<WatchedConfig['appliances'][number], 'name' | 'logSources'> {
  readonly api?: { readonly url: string } | null;
}

interface LogIntakeConfig {
  readonly logs: Pick<WatchedConfig['logs'], 'syslog' | 'files' | 'relays' | 'foreign' | 'window'>;
  readonly appliances: readonly LogUnit[];
  /** Firewalls can also send their logs to this listener. */
  readonly firewall: readonly Pick<WatchedConfig['firewall'][number], 'url' | 'source' | 'appliances'>[];
  readonly licenseServer: Pick<WatchedConfig['licenseServer'], 'host' | 'serverName' | 'expectedAddresses'>;
}

interface LogIntakeDeps {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly signatures: SignatureSet;
  /** Null if there is no TLS listener. */
  readonly certificate: ServedCertificate | null;
  readonly onEvent: (event: LogEvent) => void;
  readonly limits?: ConnectionLimits;
}

type IntakeAddresses = Readonly<Record<Exclude<LogSource, 'file'>, ListenAddress | null>>;

export class LogIntake {
  readonly #config: LogIntakeConfig;
  readonly #deps: LogIntakeDeps;
  readonly #tallies: Readonly<Record<LogSource, LineTally>> = {
    udp: newLineTally(),
    tcp: newLineTally(),
    tls: newLineTally(),
    file: newLineTally(),
  };
  readonly #connections: ConnectionTally = newConnectionTally();
  readonly #attribution: Attribution;
  /** Firewall log lines about other servers are ignored. */
  readonly #watched: WatchedTraffic;
  readonly #outbox: EventOutbox;
  readonly #turns: TurnBudget = createTurnBudget();
  readonly #unknownSenders: UnknownSenderLog;
  readonly #lost: ReturnType<typeof createRecentCount>;
  /** By address. A successful handshake removes the entry. */
  readonly #refused = new Map<string, { readonly failure: string; readonly at: Millis }>();
  readonly #rejections = new Map<string, Pick<CertificateRejection, 'count' | 'lastAt'>>();
  readonly #unrecognised: UnrecognisedLog;
  readonly #stops: (() => Promise<void>)[] = [];
  #addresses: IntakeAddresses = { udp: null, tcp: null, tls: null };
  #udp: UdpListener | null = null;
  #files: FileReader | null = null;
  /** The state that the previous process saved. */
  #resumed: Positions = {};

  constructor(config: LogIntakeConfig, deps: LogIntakeDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#attribution = createAttribution(config.appliances, {
      firewalls: config.firewall.map(({ url }) => hostOf(url)),
      relays: config.logs.relays,
      certificates: config.logs.syslog.tls?.certificates ?? [],
    });
    const { host, serverName, expectedAddresses: addresses } = config.licenseServer;
    this.#watched = { hosts: [...new Set([host, serverName ?? host])], addresses, sources: unitAddresses(config) };
    this.#lost = createRecentCount(deps.clock, config.logs.window);
    this.#unknownSenders = createUnknownSenderLog(deps);
    this.#unrecognised = createUnrecognisedLog(deps);
    this.#outbox = new EventOutbox((event) => this.#deliver(event));
  }

  /**
   * @param positions as saved by the previous process; a file without a saved position is followed from its end
   * @throws {Error} when a port cannot be bound; in this case, all inputs have been closed
   */
  async start(positions: Positions = {}): Promise<void> {
    this.#resumed = positions;
    const { syslog, files } = this.#config.logs;
    try {
      if (syslog.udp !== null) await this.#openUdp(syslog.udp);
      if (syslog.tcp !== null) await this.#openTcp('tcp', syslog.tcp, null);
      if (syslog.tls !== null) await this.#openTcp('tls', syslog.tls.listen, syslog.tls);
      if (files.length > 0) await this.#openFiles(files);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Closes the inputs and delivers all received events. Has no effect if the intake was not started. Must not be called
   * while `start()` is running, because inputs that it opens later would stay open.
   */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) {
      try {
        await stop();
      } catch (error) {
        this.#deps.logger.error({ event: 'log-input-not-closed', err: error }, 'Cannot close a log input');
      }
    }
    this.#outbox.flush();
  }

  counters(): LogCounters {
    const { udp, tcp, tls, file } = this.#tallies;
    return {
      lines: { udp: { ...udp }, tcp: { ...tcp }, tls: { ...tls }, file: { ...file } },
      lastReceivedAt: this.#outbox.lastReceivedAt(),
      connections: { ...this.#connections },
      udp: this.#udp?.counters() ?? null,
    };
  }

  addresses(): IntakeAddresses {
    return this.#addresses;
  }

  /**
   * Delivers pending events first, so that all events before a position have been delivered, but no events after it.
   */
  positions(): Positions {
    this.#outbox.flush();
    return this.#files?.positions() ?? this.#resumed;
  }

  /** Appliances that ended TLS handshakes because of the listener's certificate, since the start. */
  certificateRejections(): readonly CertificateRejection[] {
    const names = this.#deps.certificate?.alternativeNames() ?? [];
    return [...this.#rejections].map(([appliance, rejection]) => ({ appliance, ...rejection, names }));
  }

  health(): LogHealth {
    const { window } = this.#config.logs;
    const now = this.#deps.clock.elapsed();
    const failure = this.#udp?.failure() ?? null;
    return {
      window,
      lostListeners: failure === null ? [] : [{ name: 'UDP', failure }],
      lostLines: this.#lost.total(),
      refusedSenders: [...this.#refused].flatMap(([address, { failure: reason, at }]) =>
        now - at > window ? [] : [{ address, failure: reason }],
      ),
    };
  }

  unknownSenders(): readonly string[] {
    return this.#unknownSenders.senders();
  }

  async #openUdp(listen: ListenAddress): Promise<void> {
    const { clock, logger } = this.#deps;
    const listener = await listenUdp({
      listen,
      clock,
      logger,
      tally: this.#tallies.udp,
      onLost: (lines) => this.#lost.add(lines),
      reader: (from) => this.#reader('udp', this.#attribution.sender(from), from, () => {}),
    });
    this.#udp = listener;
    this.#addresses = { ...this.#addresses, udp: listener.address };
    this.#stops.push(() => listener.stop());
  }

  async #openTcp(
    source: 'tcp' | 'tls',
    listen: ListenAddress,
    tls: WatchedConfig['logs']['syslog']['tls'],
  ): Promise<void> {
    const { clock, logger, limits, certificate } = this.#deps;
    const listener = await listenTcp({
      listen,
      tls,
      certificate: tls === null ? null : certificate,
      limits: limits ?? CONNECTION_LIMITS,
      clock,
      logger,
      tally: this.#tallies[source],
      connections: this.#connections,
      turns: this.#turns,
      isKnown: (from) => this.#attribution.expects(from),
      // If client certificates are accepted, connections from unknown addresses are not rejected before the handshake,
      // because the client can still authenticate.
      refuses: (from) => (tls?.certificates.length ?? 0) === 0 && this.#refuses(from),
      onHandshake: (outcome) => this.#noteHandshake(outcome),
      onLost: (lines) => this.#lost.add(lines),
      originOf: (socket) => this.#originOf(socket),
      reader: (origin, from, refuse) => this.#reader(source, origin, from, refuse),
    });
    this.#addresses = { ...this.#addresses, [source]: listener.address };
    this.#stops.push(() => listener.stop());
  }

  #noteHandshake({ address, failure, rejectsCertificate }: HandshakeOutcome): void {
    if (rejectsCertificate) this.#noteRejection(this.#attribution.sender(address));
    const source = this.#attribution.logSource(address);
    if (source === null) return;
    if (failure === null) this.#refused.delete(source);
    else this.#refused.set(source, { failure, at: this.#deps.clock.elapsed() });
  }

  #noteRejection(origin: Origin): void {
    if (origin.kind !== 'appliance' || origin.appliance === null) return;
    const before = this.#rejections.get(origin.appliance)?.count ?? 0;
    this.#rejections.set(origin.appliance, { count: before + 1, lastAt: this.#deps.clock.now() });
  }

  #refuses(from: string): boolean {
    return this.#config.logs.foreign === 'refuse' && this.#attribution.sender(from).kind === 'foreign';
  }

  #originOf(socket: Socket): Origin {
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    const proven = certificate === undefined ? null : this.#attribution.proven(certificate);
    return proven ?? this.#attribution.sender(socket.remoteAddress ?? '');
  }

  async #openFiles(paths: readonly string[]): Promise<void> {
    const { clock, logger } = this.#deps;
    const files = new FileReader({
      paths,
      positions: this.#resumed,
      clock,
      logger,
      sink: () => this.#reader('file', this.#attribution.file(), 'a followed file', () => {}),
    });
    this.#files = files;
    this.#stops.push(() => files.stop());
    await files.start();
  }

  #reader(source: LogSource, origin: Origin, from: string, refuse: () => void): LineSink {
    const { clock, signatures } = this.#deps;
    const { foreign } = this.#config.logs;
    const context = {
      clock,
      signatures,
      attribution: this.#attribution,
      watched: this.#watched,
      outbox: this.#outbox,
    };
    const reader = new LogReader(context, {
      source,
      origin,
      foreign,
      tally: this.#tallies[source],
      onForeign: (line) => {
        this.#unknownSenders.note(from, line);
        if (foreign === 'refuse') refuse();
      },
      onUnrecognised: (line) => this.#unrecognised(from, line),
    });
    return (line, cut) => reader.read(line, cut);
  }

  #deliver(event: LogEvent): void {
    try {
      this.#deps.onEvent(event);
    } catch (error) {
      this.#deps.logger.error(
        { event: 'log-event-not-processed', err: error, kind: event.kind },
        'Cannot process a log event',
      );
    }
  }
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/gu, '');
}

/** Addresses from which the units connect. Empty if the address of any unit is unknown. */
function unitAddresses({ appliances, firewall }: Pick<LogIntakeConfig, 'appliances' | 'firewall'>): readonly string[] {
  const ofAll = firewall.filter((entry) => entry.appliances.length === 0).map(({ source }) => source);
  const ofEach = appliances.map(({ name, logSources, api }) => [
    ...ofAll,
    ...firewall.filter((entry) => entry.appliances.includes(name)).map(({ source }) => source),
    ...singleAddresses([...logSources, ...(api?.url === undefined ? [] : [hostOf(api.url)])]),
  ]);
  return ofEach.every(({ length }) => length > 0) ? [...new Set([...ofAll, ...ofEach.flat()])] : [];
}

interface LogFactsHeard {
  readonly report: PollingReport;
  readonly unknownSenders: readonly string[];
  readonly certificateRejections: readonly CertificateRejection[];
}

interface LogDeps extends Omit<LogIntakeDeps, 'limits'> {
  /** Contains the results from the log and the positions in followed files. */
  readonly pollingFile: JsonFile;
  /** Where version 0.1.0 stored the positions in followed files. */
  readonly formerPositions: string;
}

export interface LogListening extends Pick<LogIntake, 'counters' | 'addresses' | 'health'> {
  /** @throws {Error} when a port cannot be bound */
  start(): Promise<void>;
  stop(): Promise<void>;
  facts(): LogFactsHeard;
}

export function createLogListening(
  config: Pick<WatchedConfig, keyof LogIntakeConfig>,
  { pollingFile, formerPositions, onEvent, ...deps }: LogDeps,
): LogListening {
  const positions = (): Positions => intake.positions();
  const polling = createPollingLog(config, { ...deps, file: pollingFile, positions });
  const intake = new LogIntake(config, {
    ...deps,
    onEvent: (event) => {
      polling.record(event);
      onEvent(event);
    },
  });
  return {
    start: async () => {
      const stored = await pollingFile.load();
      polling.resume(stored);
      await intake.start((await readPositions(stored, formerPositions, deps.logger)) ?? {});
      polling.keep();
    },
    // Lines are accepted until the intake is closed, because senders do not send rejected lines again.
    stop: async () => {
      await intake.stop();
      await polling.stop();
    },
    facts: () => ({
      report: polling.report(),
      unknownSenders: intake.unknownSenders(),
      certificateRejections: intake.certificateRejections(),
    }),
    health: () => intake.health(),
    counters: () => intake.counters(),
    addresses: () => intake.addresses(),
  };
}
