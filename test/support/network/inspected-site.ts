import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainPem, createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Hierarchy } from '../certificates/hierarchy.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { readCheck } from '../process/check-result.ts';
import type { CheckResult } from '../process/check-result.ts';
import { runFtmWatch } from '../process/ftm-watch.ts';
import type { Origin, OriginSettings } from './origin-host.ts';
import type { StartInterceptor } from './interceptors.ts';
import { startHost } from '../process/host.ts';
import type { Need } from '../process/privilege.ts';
import { createSandbox } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import { INTERCEPT_PORT, startSquid } from './squid.ts';
import type { Squid } from './squid.ts';

export const LICENSE_HOST = 'fortitokenmobile.fortinet.com';
export const LICENSE_ADDRESS = '173.243.138.84';
const VENDOR = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority';
/** Name of the trusted authority in the site's configurations, which is the genuine one's name. */
export const GENUINE_AUTHORITY: string = `${VENDOR}, CN=fortinet-ca2`;
/** A host of the vendor and an unrelated one, as in the default configuration. The addresses are the real ones. */
const CONTROL_ADDRESSES = { 'www.fortinet.com': '54.177.212.176', 'www.iana.org': '192.0.43.8' } as const;
export const RESOLVER = '9.9.9.9';
/** A mail server without logins. */
export const MAIL_SERVER = { name: 'mail.example.org', address: '203.0.113.25' } as const;

/** Requirements for describeWhere(). */
export const INSPECTED_SITE_NEEDS: readonly Need[] = [
  'root',
  'network-namespaces',
  { program: 'nft' },
  { program: 'squid' },
];

/** Three namespaces in a row. The site's packets reach the internet only through the gateway. */
const SITE = { address: '10.20.0.2', gateway: '10.20.0.1' } as const;
export const SITE_NETWORK = '10.20.0.0/24';
const UPLINK = { gateway: '198.51.100.2', internet: '198.51.100.1' } as const;
/** Address of the gateway at the site. */
export const GATEWAY: string = SITE.gateway;
/** An unused address in the site's network. */
export const NOBODY = '10.20.0.99';

/** Runs the servers on the far side. */
export const ORIGIN_MODULE = new URL('origin-host.ts', import.meta.url);

export interface Inspection {
  /** The authority with which the gateway signs. */
  readonly authority: Identity;
  /** Inspection policy, as lines of squid.conf. */
  readonly policy: readonly string[];
}

/**
 * A site whose only path to the internet is a gateway that can inspect: three network namespaces, with the licence
 * server and two control hosts on the far side, each under a separate authority.
 */
export interface InspectedSite extends AsyncDisposable {
  /** Command prefix for running a command at the site. */
  readonly prefix: readonly string[];
  /** The middle and the far namespace, for other faults on the path. */
  readonly gateway: Sandbox;
  readonly internet: Sandbox;
  /** Contains configurations, and the licence server's authority as `authority.pem`. */
  readonly folder: string;
  /** The licence server's certificates. */
  readonly genuine: Hierarchy;
  /** Runs Squid on the gateway until disposal. TCP port 443 goes through it, and it accepts CONNECT at its ports. */
  inspect(inspection: Inspection): Promise<Squid>;
  /**
   * Runs another interceptor on the gateway until disposal.
   *
   * @param matching nft expression for the connections that go through it, in addition to TCP port 443 @default all
   */
  intercept(start: StartInterceptor, matching?: string): Promise<AsyncDisposable>;
  /** Writes a configuration that trusts the licence server's authority, and returns its path. */
  configure(more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Runs `check --json` at the site. */
  check(more?: Readonly<Record<string, unknown>>): Promise<CheckResult>;
}

/**
 * Needs root, network namespaces and nft, and `squid-openssl` for inspection.
 * @param licenseAddresses addresses of the licence server
 */
export async function createInspectedSite(
  licenseAddresses: readonly string[] = [LICENSE_ADDRESS],
): Promise<InspectedSite> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-inspected-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const internet = stack.use(await createSandbox());
  const gateway = stack.use(await createSandbox());
  const site = stack.use(await createSandbox());
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${RESOLVER}\n`);
  site.sh(`mount --bind ${join(folder, 'resolv.conf')} /etc/resolv.conf`);
  const genuine = await vendorHierarchy();
  const { root, intermediate, leaf } = genuine;
  await writeFile(join(folder, 'authority.pem'), root.pem);
  const controls = await controlHosts();
  const shown = { name: LICENSE_HOST, key: leaf.keyPem, cert: chainPem(leaf, intermediate) };
  const origins = [
    ...licenseAddresses.map((address) => ({ ...shown, address })),
    ...controls.map(({ origin }) => origin),
  ];
  connect({ site, gateway, internet }, [RESOLVER, ...[...origins, MAIL_SERVER].map(({ address }) => address)]);
  const settings: OriginSettings = { resolver: RESOLVER, origins, mailServers: [MAIL_SERVER] };
  stack.use(await startHost(ORIGIN_MODULE, settings, internet.prefix));
  const trusted = chainPem(root, ...controls.map(({ authority }) => authority));
  let files = 0;

  async function configure(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    files += 1;
    const file = join(folder, `config-${String(files)}.yaml`);
    // JSON is valid YAML 1.2.
    await writeFile(file, JSON.stringify({ trust: { profile: 'fortinet', caFiles: ['authority.pem'] }, ...more }));
    return file;
  }

  const owned = stack.move();
  return {
    prefix: site.prefix,
    gateway,
    internet,
    folder,
    genuine,
    configure,
    inspect: (inspection) => inspect(gateway, inspection, trusted),
    intercept: (start, matching) => intercept(gateway, start, matching),
    check: async (more) =>
      readCheck(
        await runFtmWatch(['check', '--json', '-c', await configure(more)], { cwd: folder, prefix: site.prefix }),
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Namespaces {
  readonly site: Sandbox;
  readonly gateway: Sandbox;
  readonly internet: Sandbox;
}

function connect({ site, gateway, internet }: Namespaces, addresses: readonly string[]): void {
  gateway.sh(`
    ip link add inside type veth peer name uplink netns ${String(site.pid)}
    ip link add outside type veth peer name gateway netns ${String(internet.pid)}
    ip addr add ${SITE.gateway}/24 dev inside
    ip addr add ${UPLINK.gateway}/30 dev outside
    ip link set inside up
    ip link set outside up
    ip route add default via ${UPLINK.internet}
    echo 1 > /proc/sys/net/ipv4/ip_forward
    mount -t tmpfs tmpfs /dev/shm
  `);
  site.sh(`
    ip addr add ${SITE.address}/24 dev uplink
    ip link set uplink up
    ip route add default via ${SITE.gateway}
  `);
  internet.sh(`
    ip addr add ${UPLINK.internet}/30 dev gateway
    ip link set gateway up
    ip route add ${SITE_NETWORK} via ${UPLINK.gateway}
    ${addresses.map((address) => `ip addr add ${address}/32 dev lo`).join('\n')}
  `);
}

async function inspect(gateway: Sandbox, { authority, policy }: Inspection, trusted: string): Promise<Squid> {
  await using stack = new AsyncDisposableStack();
  const squid = stack.use(await startSquid(gateway, { authority, trusted, resolver: RESOLVER, policy }));
  stack.use(redirect(gateway));
  const owned = stack.move();
  return { accessLog: () => squid.accessLog(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function intercept(gateway: Sandbox, start: StartInterceptor, matching?: string): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  stack.use(await start(gateway));
  stack.use(redirect(gateway, matching));
  return stack.move();
}

/** Redirects the site's connections to TCP port 443 to the interceptor. */
function redirect(gateway: Sandbox, matching = ''): Disposable {
  gateway.sh(`nft -f - <<END
    table ip inspection {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        iifname inside ip daddr != ${SITE.gateway} ${matching} tcp dport 443 redirect to :${String(INTERCEPT_PORT)}
      }
    }
END`);
  return {
    [Symbol.dispose]: () => {
      gateway.sh('nft delete table ip inspection');
    },
  };
}

async function vendorHierarchy(): Promise<Hierarchy> {
  const root = await createIdentity({ name: GENUINE_AUTHORITY, authority: true });
  const intermediate = await createIdentity({
    name: `${VENDOR}, CN=fortinet-subca2001`,
    issuer: root,
    authority: true,
  });
  const leaf = await createIdentity({
    name: `C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=FortiToken, CN=${LICENSE_HOST}`,
    dnsNames: [LICENSE_HOST],
    issuer: intermediate,
  });
  return { root, intermediate, leaf };
}

/** Each has a separate authority, as unrelated servers do. */
function controlHosts(): Promise<readonly { readonly authority: Identity; readonly origin: Origin }[]> {
  return Promise.all(
    Object.entries(CONTROL_ADDRESSES).map(async ([name, address], index) => {
      const authority = await createIdentity({
        name: `C=US, O=Public Trust ${String(index)}, CN=Public Root`,
        authority: true,
      });
      const leaf = await createIdentity({ name: `CN=${name}`, dnsNames: [name], issuer: authority });
      return { authority, origin: { name, address, key: leaf.keyPem, cert: chainPem(leaf) } };
    }),
  );
}
