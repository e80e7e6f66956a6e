import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createHierarchy, createIdentity } from './authority.ts';
import type { Hierarchy } from './authority.ts';
import { readCheck } from './check-result.ts';
import type { CheckResult } from './check-result.ts';
import { createDnsServer, zone } from './dns-server.ts';
import type { DnsHandler, DnsServer } from './dns-server.ts';
import { runFtmWatch } from './ftm-watch.ts';
import type { Run } from './ftm-watch.ts';
import { createTlsPeer } from './tls-peer.ts';
import type { Peer } from './tls-peer.ts';

export const HOST = 'license.example.test';
export const MAIL_HOST = 'mail.example.test';
const CONTROL_HOST = 'control.example.test';

/** A part of a configuration file. */
export type Section = Readonly<Record<string, unknown>>;

/**
 * `ftm-watch check` as a process of its own, on loopback: with a resolver, a control host and an authority that the
 * configuration trusts. The licence server is the test's.
 */
export interface CheckBench extends AsyncDisposable {
  /** The authority of licence and mail servers; the leaf is for both names. */
  readonly hierarchy: Hierarchy;
  /** Holds `authority.pem`; the program runs in it. */
  readonly folder: string;
  /** A licence server that answers as the real one does without a client: with a 404. */
  licenseServer(serve?: (socket: TLSSocket) => void): Promise<Peer>;
  /** Writes a configuration whose licence server listens at this port, with some keys replaced, and tells its name. */
  configure(port: number, more?: Section): Promise<string>;
  /** `check --json` with that configuration. */
  check(port: number, more?: Section): Promise<CheckResult>;
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
    // YAML 1.2 takes JSON as it is.
    await writeFile(join(folder, name), JSON.stringify({ ...defaults(port, resolver, control), ...more }));
    return name;
  }
  function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    return runFtmWatch(args, { cwd: folder, env });
  }

  const owned = stack.move();
  return {
    hierarchy,
    folder,
    configure,
    run,
    licenseServer: (serve = answering(() => httpResponse('404 Not Found'))) =>
      createTlsPeer({ chain: [hierarchy.leaf, hierarchy.intermediate], serve }),
    check: async (port, more) => readCheck(await run(['check', '--json', '-c', await configure(port, more)])),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Answers the first request with these bytes and closes; a function gives the right time each time. */
export function answering(response: string | (() => string)): (socket: TLSSocket) => void {
  return (socket) => {
    socket.once('data', () => socket.end(typeof response === 'string' ? response : response()));
  };
}

/** An HTTP response with the right time. */
export function httpResponse(status: string): string {
  return `HTTP/1.1 ${status}\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}

/** Every name that the bench uses, at `address`. */
export function loopbackZone(address = '127.0.0.1'): DnsHandler {
  const record = (name: string) => ({ type: 'A', name, class: 'IN', ttl: 300, data: address }) as const;
  return zone({
    [HOST]: [record(HOST)],
    [MAIL_HOST]: [{ ...record(MAIL_HOST), data: '127.0.0.1' }],
    [CONTROL_HOST]: [{ ...record(CONTROL_HOST), data: '127.0.0.1' }],
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

/** Under an authority of its own, as everything on the internet that is not Fortinet's. */
async function createControlHost(): Promise<Peer> {
  const root = await createIdentity({ name: 'C=US, O=Another Trust, CN=Another Root', authority: true });
  const leaf = await createIdentity({ name: `CN=${CONTROL_HOST}`, dnsNames: [CONTROL_HOST], issuer: root });
  return createTlsPeer({ chain: [leaf, root], serve: answering(() => httpResponse('200 OK')) });
}
