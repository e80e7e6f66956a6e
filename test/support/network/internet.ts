import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHierarchy } from '../certificates/hierarchy.ts';
import { chainPem, createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { readCheck } from '../process/check-result.ts';
import type { CheckResult } from '../process/check-result.ts';
import { runFtmWatch } from '../process/ftm-watch.ts';
import type { Run } from '../process/ftm-watch.ts';
import type { InternetSettings } from './internet-host.ts';
import { createSandbox } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';

const LICENSE_HOST = 'fortitokenmobile.fortinet.com';
/** The real addresses, as in the default configuration. No packet leaves the namespaces. */
export const LICENSE_ADDRESSES = ['173.243.138.84', '173.243.138.85'] as const;
export const RESOLVER = '9.9.9.9';
export const MAIL_HOST = 'mail.example.org';
const MAIL_ADDRESS = '203.0.113.25';

const CONTROL_HOSTS = { 'www.fortinet.com': '54.177.212.176', 'www.iana.org': '192.0.43.8' } as const;

/** Addresses of both ends of the site's only link. */
const SITE_ADDRESS = '198.51.100.2';
const GATEWAY = '198.51.100.1';

const HOST_PROGRAM = fileURLToPath(new URL('internet-host.ts', import.meta.url));

/**
 * Two network namespaces: a site in which the program runs, and the internet on the other side of one link, with all
 * hosts of the default configuration under their real names, addresses and ports.
 */
export interface Internet extends AsyncDisposable {
  /** Runs the program at the site. */
  run(args: readonly string[]): Promise<Run>;
  /** Runs `check --json` with this configuration, which trusts the simulated licence server's authority. */
  check(config?: Readonly<Record<string, unknown>>): Promise<CheckResult>;
  /**
   * Adds nft rules to a firewall on the path until disposal, such as `ip daddr 173.243.138.84 tcp dport 443 drop`.
   * Each rule is on a separate line.
   */
  firewall(rules: string): Disposable;
  /** Sets the servers that the system's resolver at the site uses. */
  nameServers(...addresses: readonly string[]): Promise<void>;
}

/**
 * Needs root, network namespaces and nft.
 *
 * @param rules permanent rules of the firewall
 */
export async function createInternet(rules?: string): Promise<Internet> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-site-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const [internet, site] = [stack.use(await createSandbox()), stack.use(await createSandbox())];
  connect(internet, site);
  const nameServers = (...addresses: readonly string[]): Promise<void> =>
    writeFile(join(folder, 'resolv.conf'), addresses.map((address) => `nameserver ${address}\n`).join(''));
  await nameServers(RESOLVER);
  site.sh(`mount --bind ${join(folder, 'resolv.conf')} /etc/resolv.conf`);
  const { root, intermediate, leaf } = await createHierarchy({ name: `CN=${LICENSE_HOST}`, dnsNames: [LICENSE_HOST] });
  await writeFile(join(folder, 'authority.pem'), root.pem);
  stack.use(await serve(internet, { [LICENSE_HOST]: pemOf(leaf, intermediate), ...(await controlIdentities()) }));
  let files = 0;

  function run(args: readonly string[]): Promise<Run> {
    return runFtmWatch(args, { cwd: folder, prefix: site.prefix });
  }

  function firewall(chain: string): Disposable {
    internet.sh(
      `nft -f - <<END\ntable inet firewall {\n chain in {\n type filter hook input priority 0;\n ${chain}\n }\n}\nEND`,
    );
    return {
      [Symbol.dispose]: () => {
        internet.sh('nft delete table inet firewall');
      },
    };
  }

  if (rules !== undefined) firewall(rules);
  const owned = stack.move();
  return {
    run,
    nameServers,
    check: async (config = {}) => {
      files += 1;
      const file = join(folder, `config-${String(files)}.yaml`);
      await writeFile(file, JSON.stringify({ trust: { profile: 'fortinet', caFiles: ['authority.pem'] }, ...config }));
      return readCheck(await run(['check', '--json', '-c', file]));
    },
    firewall,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function connect(internet: Sandbox, site: Sandbox): void {
  const addresses = [RESOLVER, MAIL_ADDRESS, ...LICENSE_ADDRESSES, ...Object.values(CONTROL_HOSTS)];
  internet.sh(`
    ip link add site type veth peer name uplink netns ${String(site.pid)}
    ip addr add ${GATEWAY}/30 dev site
    ip link set site up
    ${addresses.map((address) => `ip addr add ${address}/32 dev lo`).join('\n')}
  `);
  site.sh(`
    ip addr add ${SITE_ADDRESS}/30 dev uplink
    ip link set uplink up
    ip route add default via ${GATEWAY}
  `);
}

async function serve({ prefix }: Sandbox, identities: InternetSettings['identities']): Promise<AsyncDisposable> {
  const [program = '', ...rest] = prefix;
  const host = fork(HOST_PROGRAM, { execPath: program, execArgv: [...rest, process.execPath], stdio: 'inherit' });
  const settings: InternetSettings = {
    resolver: RESOLVER,
    names: {
      [LICENSE_HOST]: LICENSE_ADDRESSES,
      [MAIL_HOST]: [MAIL_ADDRESS],
      ...mapValues(CONTROL_HOSTS, (address) => [address]),
    },
    identities,
  };
  host.send(settings);
  const [answer] = await Promise.race([once(host, 'message'), once(host, 'exit')]);
  if (answer !== 'ready') throw new Error(`Cannot serve the internet: the process ended with ${String(answer)}`);
  return {
    [Symbol.asyncDispose]: async () => {
      // Not "close", which Node does not emit after a disconnection from this side.
      const gone = once(host, 'exit');
      host.disconnect();
      await gone;
    },
  };
}

/** Uses separate authorities, as all hosts on the internet except Fortinet's. */
async function controlIdentities(): Promise<InternetSettings['identities']> {
  const issuer = await createIdentity({ name: 'C=US, O=Another Trust, CN=Another Root', authority: true });
  const names = Object.keys(CONTROL_HOSTS);
  const leaves = await Promise.all(
    names.map((name) => createIdentity({ name: `CN=${name}`, dnsNames: [name], issuer })),
  );
  return Object.fromEntries(leaves.map((leaf, index) => [names[index] ?? '', pemOf(leaf, issuer)]));
}

function pemOf(leaf: Identity, issuer: Identity): { readonly key: string; readonly cert: string } {
  return { key: leaf.keyPem, cert: chainPem(leaf, issuer) };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
