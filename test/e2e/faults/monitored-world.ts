import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost } from '../../support/process/host.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';

/** Addresses of one host. */
export interface Addresses {
  readonly 4: string;
  readonly 6: string;
}

export const LICENSE: Addresses = { 4: '173.243.138.84', 6: '2620:101:9000::84' };
export const CONTROLS: readonly Addresses[] = [
  { 4: '54.177.212.176', 6: '2620:101:9005::10' },
  { 4: '192.0.43.8', 6: '2001:500:88:200::8' },
];
export const RESOLVER: Addresses = { 4: '9.9.9.9', 6: '2620:fe::9' };
/** Addresses of all other hosts. */
export const OTHERS: Addresses = { 4: '203.0.113.25', 6: '2001:db8:ffff::25' };

const ALL: readonly Addresses[] = [LICENSE, ...CONTROLS, RESOLVER, OTHERS];

/** Name of a configuration in the world's folder with every source and every channel. */
export const DIRECT_CONFIG = 'direct.json';
/** The same configuration, but the licence server is behind a proxy that is specified by host name. */
export const PROXY_CONFIG = 'proxy.json';

export interface WorldReady {
  /** Contains the configurations and all files that they refer to. */
  readonly folder: string;
  /** Authority of all servers that are verified with public roots. */
  readonly publicCaFile: string;
  /** Queries for `/probe`, one for each module. */
  readonly probes: readonly string[];
}

/** A network namespace with a link to the world. */
export interface Site extends Sandbox {
  /** A copy of the world's folder. */
  readonly folder: string;
  /** The site's own addresses, on the interface `uplink`. */
  readonly addresses: Addresses;
  /** Addresses of the other end of the link. */
  readonly gateways: Addresses;
}

export interface MonitoredWorld extends AsyncDisposable, WorldReady {
  addSite(): Promise<Site>;
}

const HOST_MODULE = new URL('monitored-world-host.ts', import.meta.url);

/** The files of /etc that programs need. */
const ETC = '/etc/hosts /etc/nsswitch.conf /etc/passwd /etc/group /etc/localtime /etc/ld.so.cache';

/**
 * Creates a network namespace with every server that a configuration can refer to, in both address families. Needs
 * root.
 */
export async function createMonitoredWorld(): Promise<MonitoredWorld> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createSandbox());
  world.sh(
    ALL.flatMap(({ 4: v4, 6: v6 }) => [`ip addr add ${v4}/32 dev lo`, `ip -6 addr add ${v6}/128 dev lo`]).join('\n'),
  );
  const { ready } = stack.use(await startHost<null, WorldReady, never>(HOST_MODULE, null, world.prefix));
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-sites-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  let sites = 0;
  const owned = stack.move();
  return {
    ...ready,
    addSite: async () => {
      sites += 1;
      return createSite(world, join(folder, String(sites)), ready.folder, sites);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function createSite(world: Sandbox, folder: string, from: string, number: number): Promise<Site> {
  const site = await createSandbox();
  const end = (last: number): Addresses => ({
    4: `198.18.${String(number)}.${String(last)}`,
    6: `2001:db8:${String(number)}::${String(last)}`,
  });
  const [gateways, addresses] = [end(1), end(2)];
  world.sh(`
    ip link add site${String(number)} type veth peer name uplink netns ${String(site.pid)}
    ip addr add ${gateways[4]}/30 dev site${String(number)}
    ip -6 addr add ${gateways[6]}/64 dev site${String(number)} nodad
    ip link set site${String(number)} up
  `);
  await cp(from, folder, { recursive: true });
  site.sh(`
    sysctl -qw net.ipv6.conf.uplink.keep_addr_on_down=1
    ip addr add ${addresses[4]}/30 dev uplink
    ip -6 addr add ${addresses[6]}/64 dev uplink nodad
    ip link set uplink up
    ip route add default via ${gateways[4]}
    ip -6 route add default via ${gateways[6]}
    mkdir ${folder}/etc
    cp -L ${ETC} ${folder}/etc
    echo 'nameserver ${RESOLVER[4]}' > ${folder}/etc/resolv.conf
    mount --bind ${folder}/etc /etc
  `);
  return { ...site, folder, addresses, gateways };
}
