import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createMonitoredWorld,
  DIRECT_CONFIG,
  OTHERS,
  PROXY_CONFIG,
  RESOLVER,
  type MonitoredWorld,
  type Site,
} from './monitored-world.ts';
import type { DriverReport, DriverSettings, Verdict } from './network-state-driver.ts';
import { startHost } from '../../support/process/host.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const DRIVER = new URL('network-state-driver.ts', import.meta.url);
const LIMIT = 180_000;

/** A state of the network, or of the machine in it, in which a monitor may find itself. */
interface NetworkState {
  readonly name: string;
  /** Shell commands to run at the site. */
  readonly break: (site: Site) => string;
  readonly repair: (site: Site) => string;
  /** Additional configuration keys. The other keys are those that the simulated world has written. */
  readonly config?: (site: Site, base: WorldConfig) => object;
  /** A command that the program is started with. */
  readonly prefix?: readonly string[];
  /** The number of extra files and sockets that the running daemon may open. */
  readonly descriptors?: number;
  /** Fields that are left out are not compared, because they depend on timing. */
  readonly daemon: Partial<Verdict>;
  readonly check: Partial<Verdict>;
  /** The verdict if the licence server is behind a proxy that is specified by its host name. */
  readonly proxied: Partial<Verdict>;
}

interface WorldConfig {
  readonly licenseServer: object;
  readonly resolvers: readonly string[];
  readonly clock: { readonly ntp: readonly string[] };
}

const READY: Verdict = { ready: 'ready', causes: [], unclear: [] };
const PATH = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];
const ALL = [...PATH, 'mail', 'clock'];
/** Everything that is unknown if the proxy cannot be reached. Names are not looked up then. */
const BEYOND_PROXY = PATH.filter((id) => id !== 'name-resolution');

/**
 * Returns a verdict without causes, because a check that is impossible from this machine is not reported as a fault.
 */
function unknown(...unclear: readonly string[]): Verdict {
  return { ready: 'unknown', causes: [], unclear };
}

/**
 * Nothing was reached. The cause is only suspected, because only the licence server's address is known without a
 * resolver.
 */
const OFFLINE: Verdict = { ready: 'not-ready', causes: ['critical internet-unreachable suspected'], unclear: ALL };

const ALL_READY = { daemon: READY, check: READY, proxied: READY };
/** If this machine cannot send to the proxy, the state of the internet is unknown. */
const ALL_OFFLINE = { daemon: OFFLINE, check: OFFLINE, proxied: unknown(...BEYOND_PROXY, 'mail', 'clock') };
/**
 * The other resolvers respond. `check` cannot look up the registration service. The daemon still has an earlier
 * response.
 */
const WITHOUT_SYSTEM_RESOLVER = { daemon: READY, check: unknown(), proxied: unknown(...BEYOND_PROXY) };

const DEFAULT_4: NetworkState['repair'] = ({ gateways }) => `ip route replace default via ${gateways[4]}`;
const DEFAULT_6: NetworkState['repair'] = ({ gateways }) => `ip -6 route replace default via ${gateways[6]}`;
const DEFAULTS: NetworkState['repair'] = (site) => `${DEFAULT_4(site)}; ${DEFAULT_6(site)}`;
const NO_DEFAULTS = 'ip route del default; ip -6 route del default';

/** A default route for each family that leads nowhere. */
function deadRoute(kind: 'blackhole' | 'unreachable' | 'prohibit'): Pick<NetworkState, 'break' | 'repair'> {
  const both = (verb: string): string => `ip route ${verb} ${kind} default; ip -6 route ${verb} ${kind} default`;
  return {
    break: () => `${NO_DEFAULTS}; ${both('add')}`,
    repair: (site) => `${both('del')}; ${DEFAULTS(site)}`,
  };
}

/**
 * A packet filter on this machine that lets nothing out. Over UDP, the kernel reports EPERM. Over TCP, the server seems
 * to refuse or not to respond.
 */
function filter(verdict: 'reject' | 'drop'): Omit<NetworkState, 'name'> {
  return {
    ...ALL_OFFLINE,
    proxied: {
      ...unknown(...BEYOND_PROXY, 'mail', 'clock'),
      ready: 'not-ready',
      causes: ['critical appliance-unreachable suspected'],
    },
    break: () => `nft -f - <<END
table inet own {
  chain output {
    type filter hook output priority 0
    oif lo accept
    ${verdict}
  }
}
END`,
    repair: () => 'nft delete table inet own',
  };
}

function nameServer(address: string): string {
  return `echo 'nameserver ${address}' > /etc/resolv.conf`;
}

const STATES: readonly NetworkState[] = [
  // The first state, because it takes longest.
  { name: 'a packet filter that drops', ...filter('drop') },
  { name: 'nothing is wrong', break: () => '', repair: () => '', ...ALL_READY },
  { name: 'no default route', break: () => NO_DEFAULTS, repair: DEFAULTS, ...ALL_OFFLINE },
  { name: 'a blackhole route', ...deadRoute('blackhole'), ...ALL_OFFLINE },
  { name: 'an unreachable route', ...deadRoute('unreachable'), ...ALL_OFFLINE },
  { name: 'a prohibit route', ...deadRoute('prohibit'), ...ALL_OFFLINE },
  // Listeners of network/udp-exchange.ts: callback of send
  { name: 'a packet filter that rejects', ...filter('reject') },
  { name: 'no route for IPv6', break: () => 'ip -6 route del default', repair: DEFAULT_6, ...ALL_READY },
  {
    name: 'IPv6 switched off',
    break: () => 'sysctl -qw net.ipv6.conf.all.disable_ipv6=1',
    repair: (site) =>
      `sysctl -qw net.ipv6.conf.all.disable_ipv6=0
       ip -6 addr add ${site.addresses[6]}/64 dev uplink nodad; ${DEFAULT_6(site)}`,
    ...ALL_READY,
  },
  {
    name: 'no route for IPv6, where nothing else is configured',
    config: (_, { licenseServer, resolvers, clock: { ntp } }) => ({
      licenseServer: { ...licenseServer, family: 6 },
      resolvers: resolvers.filter((resolver) => resolver.includes(RESOLVER[6])),
      clock: { ntp: ntp.filter((server) => server.includes(OTHERS[6])) },
    }),
    break: () => 'ip -6 route del default',
    repair: DEFAULT_6,
    daemon: unknown(...ALL),
    check: unknown(...ALL),
    // The time comes from the proxy.
    proxied: unknown('mail'),
  },
  {
    name: 'no IPv4',
    break: () => `ip -4 addr flush dev uplink; ${nameServer(RESOLVER[6])}`,
    repair: (site) => `ip addr add ${site.addresses[4]}/30 dev uplink; ${DEFAULT_4(site)}; ${nameServer(RESOLVER[4])}`,
    // FortiAuthenticator and the firewall have only an IPv4 address.
    daemon: unknown(),
    check: unknown(),
    proxied: unknown(),
  },
  {
    name: 'the source address comes and goes, and is gone',
    config: ({ addresses }) => ({ sourceAddress: addresses[4] }),
    break: (site) => `
      for _ in 1 2 3 4 5 6 7 8 9 10; do
        ip addr del ${site.addresses[4]}/30 dev uplink; sleep 0.2
        ip addr add ${site.addresses[4]}/30 dev uplink; ${DEFAULT_4(site)}; sleep 0.2
      done
      ip addr del ${site.addresses[4]}/30 dev uplink`,
    repair: (site) => `ip addr add ${site.addresses[4]}/30 dev uplink; ${DEFAULT_4(site)}`,
    // The other family uses a source address chosen by the kernel.
    daemon: unknown('reachability'),
    check: unknown('reachability'),
    proxied: unknown(...BEYOND_PROXY),
  },
  {
    name: 'an interface that comes and goes',
    break: (site) => `
      (for _ in $(seq 120); do
        ip link set uplink down; sleep 0.3
        ip link set uplink up; ${DEFAULTS(site)}; sleep 0.7
      done) > /dev/null 2>&1 &
      echo $! > ${site.folder}/flapping`,
    repair: (site) => `kill $(cat ${site.folder}/flapping) || true; ip link set uplink up; ${DEFAULTS(site)}`,
    daemon: {},
    check: {},
    proxied: {},
  },
  {
    name: '96 file descriptors',
    break: () => '',
    repair: () => '',
    prefix: ['prlimit', '--nofile=96:96', '--'],
    ...ALL_READY,
  },
  ...[0, 6].map((descriptors) => ({
    // Listeners of logs/listen-tcp.ts: on error
    name: `${String(descriptors)} file descriptors to spare`,
    break: () => '',
    repair: () => '',
    descriptors,
    ...ALL_READY,
    daemon: { causes: [] },
  })),
  {
    name: 'resolv.conf is empty',
    break: () => ': > /etc/resolv.conf',
    repair: () => nameServer(RESOLVER[4]),
    ...WITHOUT_SYSTEM_RESOLVER,
  },
  {
    name: 'resolv.conf is missing',
    break: () => 'rm /etc/resolv.conf',
    repair: () => nameServer(RESOLVER[4]),
    ...WITHOUT_SYSTEM_RESOLVER,
  },
];

describeWhere(
  ['root', 'network-namespaces', { program: 'nft' }, { program: 'prlimit' }],
  'a monitor whose network fails',
  () => {
    let world: MonitoredWorld;
    let tried = 0;

    beforeAll(async () => {
      world = await createMonitoredWorld();
    });
    afterAll(async () => {
      await world[Symbol.asyncDispose]();
      console.info(`Tried ${String(tried)} of ${String(STATES.length)} states of the network`);
    });

    test.concurrent.for(STATES)('$name', { timeout: LIMIT }, async (state, { onTestFailed }) => {
      await using site = await world.addSite();
      const report = await drive(state, site);
      tried += 1;
      onTestFailed(() => console.error(report.evidence.join('\n')));
      const [check = null, proxied = null] = report.checks;
      expect([check, proxied]).not.toContain(null);
      expect(report).toEqual({
        ...report,
        daemon: { ...report.daemon, ...state.daemon },
        checks: [
          { ...check, ...state.check },
          { ...proxied, ...state.proxied },
        ],
        // Ready or unknown, because the registration service was not queried yet, or not again.
        restarted: { ...report.restarted, causes: state.daemon.causes ?? report.restarted.causes },
        healthy: [200, 200],
        ends: [
          { code: 0, stderr: '' },
          { code: 0, stderr: '' },
        ],
        problems: [],
      });
    });

    async function drive(state: NetworkState, site: Site): Promise<DriverReport> {
      const checks = await Promise.all(
        [DIRECT_CONFIG, PROXY_CONFIG].map((file) =>
          configure(site, file, { store: { path: `${file}.sqlite` } }, state),
        ),
      );
      const settings: DriverSettings = {
        folder: site.folder,
        daemon: await configure(site, DIRECT_CONFIG, {}, state),
        checks,
        env: { NODE_EXTRA_CA_CERTS: world.publicCaFile },
        prefix: state.prefix ?? [],
        break: state.break(site),
        repair: state.repair(site),
        descriptors: state.descriptors ?? null,
        probes: world.probes,
      };
      await using driver = await startHost<DriverSettings, DriverReport, never>(DRIVER, settings, site.prefix);
      return driver.ready;
    }

    async function configure(site: Site, file: string, more: object, state: NetworkState): Promise<string> {
      const base = JSON.parse(await readFile(join(world.folder, file), 'utf8')) as WorldConfig;
      const path = join(site.folder, `${Object.keys(more).join('-')}${file}`);
      await writeFile(path, JSON.stringify({ ...base, ...more, ...state.config?.(site, base) }));
      return path;
    }
  },
);
