import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createHierarchy } from '../certificates/hierarchy.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Hierarchy } from '../certificates/hierarchy.ts';
import { readCheck } from './check-result.ts';
import type { CheckResult } from './check-result.ts';
import { createDnsServer, zone } from '../network/dns-server.ts';
import type { DnsHandler, DnsServer } from '../network/dns-server.ts';
import { runHere } from './command-line.ts';
import type { Run } from './ftm-watch.ts';
import { createTlsPeer } from '../network/tls-peer.ts';
import type { Peer } from '../network/tls-peer.ts';

export const HOST = 'license.example.test';
export const MAIL_HOST = 'mail.example.test';
const CONTROL_HOST = 'control.example.test';

/** A part of a configuration file. */
export type Section = Readonly<Record<string, unknown>>;

/**
 * `ftm-watch check` on loopback, with a resolver, a control host and an authority that the configuration trusts. The
 * test provides the licence server.
 */
export interface CheckBench extends AsyncDisposable {
  /** The authority of the licence and mail servers. The leaf is valid for both names. */
  readonly hierarchy: Hierarchy;
  /** Contains `authority.pem`. Commands run in this folder. */
  readonly folder: string;
  /** Starts a licence server that answers with a 404, as the real one does for clients without a certificate. */
  licenseServer(serve?: (socket: TLSSocket) => void): Promise<Peer>;
  /** Writes a configuration with the licence server at this port and with some keys replaced, and returns its name. */
  configure(port: number, more?: Section): Promise<string>;
  /** Runs `check --json` with that configuration. */
  check(port: number, more?: Section): Promise<CheckResult>;
  /** Runs a command in this process. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Run>;
}

export async function createCheckBench(): Promise<CheckBench> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-check-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const hierarchy = await createHierarchy({ name: `CN=${HOST}`, dnsNames: [HOST, MAIL_HOST] });
  await writeFile(join(folder, 'authority.pem'), hierarchy.root.pem);
  const resolver = stack.use(await createDnsServer(loopbackZone()));
  const control = stack.use(await createControlHost());
  let files = 0;

  async function configure(port: number, more: Section = {}): Promise<string> {
    files += 1;
    const name = `config-${String(files)}.yaml`;
    // JSON is valid YAML 1.2.
    await writeFile(join(folder, name), JSON.stringify({ ...defaults(port, resolver, control), ...more }));
    return name;
  }
  const owned = stack.move();
  return {
    hierarchy,
    folder,
    configure,
    run: (args, env = {}) => runHere(args, { cwd: folder, env }),
    licenseServer: (serve = answering(() => httpResponse('404 Not Found'))) =>
      createTlsPeer({ chain: [hierarchy.leaf, hierarchy.intermediate], serve }),
    check: async (port, more) =>
      readCheck(await runHere(['check', '--json', '-c', await configure(port, more)], { cwd: folder })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Answers the first request with these bytes and closes. A function can return the current time on each call. */
export function answering(response: string | (() => string)): (socket: TLSSocket) => void {
  return (socket) => {
    socket.once('data', () => socket.end(typeof response === 'string' ? response : response()));
  };
}

/** Returns an HTTP response with the correct time. */
export function httpResponse(status: string): string {
  return `HTTP/1.1 ${status}\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}

/** Resolves every name of the bench. */
function loopbackZone(): DnsHandler {
  const record = (name: string) => ({ type: 'A', name, class: 'IN', ttl: 300, data: '127.0.0.1' }) as const;
  return zone({
    [HOST]: [record(HOST)],
    [MAIL_HOST]: [record(MAIL_HOST)],
    [CONTROL_HOST]: [record(CONTROL_HOST)],
  });
}

function defaults(port: number, resolver: DnsServer, control: Peer): Section {
  return {
    site: 'test',
    licenseServer: { host: HOST, port, expectedAddresses: ['127.0.0.0/8'] },
    trust: { profile: 'pinned', caFiles: ['authority.pem'] },
    controlHosts: [`${CONTROL_HOST}:${String(control.port)}`],
    resolvers: [`127.0.0.1:${String(resolver.port)}`],
  };
}

/** Uses a separate authority, as all hosts on the internet except Fortinet's. */
async function createControlHost(): Promise<Peer> {
  const root = await createIdentity({ name: 'C=US, O=Another Trust, CN=Another Root', authority: true });
  const leaf = await createIdentity({ name: `CN=${CONTROL_HOST}`, dnsNames: [CONTROL_HOST], issuer: root });
  return createTlsPeer({ chain: [leaf, root], serve: answering(() => httpResponse('200 OK')) });
}
