import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import { ServedCertificate } from '../../../src/network/tls/served-certificate.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { LogEvent } from '../../../src/core/polling/log-event.ts';
import { LogIntake } from '../../../src/logs/intake.ts';
import type { Positions } from '../../../src/logs/tail.ts';
import { type LogRecorder, logRecorder } from '../process/log-recorder.ts';
import { shippedCatalogue } from './signature-catalogue.ts';

type LogIntakeConfig = ConstructorParameters<typeof LogIntake>[0];
type LineKind = keyof ReturnType<LogIntake['counters']>['lines']['tcp'];
type LogIntakeDeps = ConstructorParameters<typeof LogIntake>[1];

/** Lines from a FortiAuthenticator: an error and an ordinary line. */
export const TROUBLE: string =
  '<12>Aug 14 22:40:03 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" ' +
  'user="" nas="" userip="" action="" status="" FTM polling error: problem with SSL comm layer: server connection ' +
  'failed: SSL session failed';
export const ORDINARY =
  '<14>Aug 14 22:32:52 db[16987]:  category="Event" subcategory="Authentication" typeid=20995 ' +
  'level="information" user="admin" nas="" action="Logout" status="" Administrator \'admin\' logged out';

const ANY = { address: '127.0.0.1', port: 0 };

export interface IntakeBench {
  readonly intake: LogIntake;
  readonly events: readonly LogEvent[];
  readonly log: LogRecorder;
  /** Returns the sum of the counts of trouble events. */
  troubles(): number;
  portOf(source: 'udp' | 'tcp' | 'tls'): number;
  /** Connects a sender over TCP, which is closed at the end of the test. */
  dial(localAddress?: string): Promise<Socket>;
  /** Sends each of these in a datagram. */
  send(...datagrams: readonly string[]): void;
  /** Waits until `check` no longer throws. */
  until(check: () => void): Promise<void>;
}

type BenchConfig = Partial<Omit<LogIntakeConfig, 'logs'>> & { readonly logs?: Partial<LogIntakeConfig['logs']> };

/**
 * Starts an intake on free ports of 127.0.0.1, which is stopped at the end of the test. It uses UDP and TCP by
 * default.
 */
export async function startIntake(
  config: BenchConfig = {},
  deps: Partial<LogIntakeDeps> = {},
  positions?: Positions,
): Promise<IntakeBench> {
  const events: LogEvent[] = [];
  const log = logRecorder();
  const tls = config.logs?.syslog?.tls ?? null;
  const intake = new LogIntake(
    {
      appliances: [],
      firewall: [],
      licenseServer: {
        host: 'fortitokenmobile.fortinet.com',
        serverName: null,
        expectedAddresses: ['173.243.138.0/24'],
      },
      ...config,
      logs: {
        syslog: { udp: ANY, tcp: ANY, tls: null },
        files: [],
        relays: [],
        foreign: 'count',
        window: 900_000,
        ...config.logs,
      },
    },
    {
      clock: systemClock,
      logger: log,
      signatures: await shippedCatalogue(),
      certificate: tls === null ? null : await ServedCertificate.read(tls, 'the syslog listener'),
      onEvent: (event) => events.push(event),
      ...deps,
    },
  );
  await intake.start(positions);
  onTestFinished(() => intake.stop());
  const portOf: IntakeBench['portOf'] = (source) => intake.addresses()[source]?.port ?? 0;
  return {
    intake,
    events,
    log,
    troubles: () => events.reduce((sum, event) => sum + (event.kind === 'ftm' ? event.count : 0), 0),
    portOf,
    dial: (localAddress) => connectSender(portOf('tcp'), localAddress),
    send: (...datagrams) => {
      const socket = createSocket('udp4');
      onTestFinished(() => void socket.close());
      for (const datagram of datagrams) socket.send(datagram, portOf('udp'), '127.0.0.1');
    },
    until: (check) => vi.waitFor(check, { timeout: 50_000, interval: 5 }),
  };
}

/** Returns counters of lines of which only these were counted. */
export function onlyLines(counted: Partial<Record<LineKind, number>>): Record<LineKind, number> {
  return { ftm: 0, unrecognised: 0, other: 0, foreign: 0, unparsed: 0, dropped: 0, ...counted };
}

/** Resolves when it is closed. Unlike `once`, it does not reject when the peer resets the connection. */
export function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

/** Connects a sender over TCP, which is closed at the end of the test. */
export async function connectSender(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}
