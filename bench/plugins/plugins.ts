import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { CONTROL_HOSTS, LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { answerTo } from '../probes/dns-answer.ts';
import type { ProbeKind } from '../probes/kinds.ts';
import type { Site } from '../probes/site.ts';

const FOLDER = '/usr/lib/nagios/plugins';

/**
 * nslookup, which check_dns calls, only queries port 53, so this is an address of loopback on which nothing else
 * listens.
 */
const RESOLVER = '127.0.0.153';

/** One run of a plugin, started as Nagios does. */
export interface Plugin {
  readonly title: string;
  /** Our probe that checks the same or more; null if it corresponds only to a part of the whole round. */
  readonly kind: ProbeKind | null;
  readonly program: string;
  readonly args: readonly string[];
}

const HEAD: readonly string[] = ['-S', '--sni', '-j', 'HEAD'];
const RECIPIENT: readonly string[] = ['-C', 'RCPT TO:<probe@example.org>', '-R', '250'];
/** Disables the checks that need the internet. */
const OFFLINE: readonly string[] = ['--ignore-ocsp', '--ignore-sct', '--ignore-maximum-validity'];

/** Returns the plugins that check the licence server, the two control hosts and a mail server. */
export function pluginsFor({ ports, fortinetCa }: Site): readonly Plugin[] {
  const license = ['-H', LICENSE_HOST, '-I', '127.0.0.1', '-p', String(ports.ecdsa), '-S', '--sni', '-e', 'HTTP/1.1'];
  const mail = ['-H', '127.0.0.1', '-p', String(ports.mail), '-S', '-f', 'fac@example.org'].concat(RECIPIENT);
  const certificate = ['-H', '127.0.0.1', '-p', String(ports.ecdsa), '--sni', LICENSE_HOST, '-m', LICENSE_HOST].concat(
    ['--rootcert-file', fortinetCa],
    OFFLINE,
  );
  return [
    plugin('check_dns', 'dns', 'check_dns', ['-H', LICENSE_HOST, '-s', RESOLVER]),
    plugin('check_http -S', 'https-ecdsa', 'check_http', license),
    plugin('check_smtp -S, up to the recipient', 'mail', 'check_smtp', mail),
    plugin('check_ssl_cert, without OCSP and SCT', 'tls-ecdsa', 'check_ssl_cert', certificate),
    ...CONTROL_HOSTS.map((host, index) => {
      const at = ['-H', host, '-I', '127.0.0.1', '-p', String(ports.controls[index] ?? 0)];
      return plugin(`check_http -S of control host ${String(index + 1)}`, null, 'check_http', at.concat(HEAD));
    }),
  ];
}

function plugin(title: string, kind: Plugin['kind'], name: string, args: readonly string[]): Plugin {
  return { title, kind, program: `${FOLDER}/${name}`, args };
}

/** Reports whether Debian's `monitoring-plugins` and `monitoring-plugins-contrib` are installed. */
export function hasPlugins(): boolean {
  return ['check_dns', 'check_http', 'check_smtp', 'check_ssl_cert'].every((name) => existsSync(`${FOLDER}/${name}`));
}

/** @throws {Error} if the plugin reports a fault although there is none */
export async function runPlugin({ title, program, args }: Plugin): Promise<void> {
  try {
    await promisify(execFile)(program, args, { env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : '';
    throw new Error(`${title} found a fault where there is none: ${said}`, { cause: error });
  }
}

/** Starts the resolver for check_dns. @throws {Error} if port 53 of loopback cannot be bound */
export async function servePlugins(): Promise<AsyncDisposable> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query, new Map()), port, address));
  socket.bind(53, RESOLVER);
  await once(socket, 'listening');
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        socket.close(() => resolve());
      }),
  };
}
