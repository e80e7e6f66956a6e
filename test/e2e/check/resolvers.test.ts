import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import {
  type Conclusion,
  conclusionOf,
  evidenceOf,
  notReady,
  preconditionOf,
  READY,
  readyWithWarning,
  remedyOf,
} from '../../support/process/check-result.ts';
import { filter } from '../../support/network/gateway-filters.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  LICENSE_HOST,
  type InspectedSite,
} from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startSiteDaemon, type SiteDaemon } from '../../support/process/site-daemon.ts';
import { startUnbound, type UnboundSettings } from '../../support/network/unbound.ts';

const RESOLVER = '9.9.9.10';
/** The site's own resolver, which answers correctly for every name. */
const RIGHT = '9.9.9.9';
const NAMES = {
  [LICENSE_HOST]: [LICENSE_ADDRESS],
  'www.iana.org': ['192.0.43.8'],
  'www.fortinet.com': ['54.177.212.176'],
};
/** A device at the site, which forwards connections to a server on the internet. */
const RELAY = '10.77.0.9';
/** A host that presents one certificate for every name. */
const PARKING = '185.53.178.50';
/** More addresses than fit into 1232 bytes. */
const MANY = Array.from({ length: 120 }, (_, index) => LICENSE_ADDRESS.replace(/\d+$/u, String(84 + index)));
const ROUNDS = { timeout: 40_000, interval: 250 };
const ABOVE = ['reachability', 'tls-genuine', 'license-server'] as const;

const UNREACHABLE = notReady('resolver-unreachable', ...ABOVE);
const HIJACKED = notReady('answer-hijacked', ...ABOVE);
// In a query, only EDNS adds additional records. ARCOUNT is at byte 10 of the message.
const DROPS_EDNS = 'udp dport 53 @th,144,16 != 0 drop';
const PARKS = { names: {}, more: ['local-zone: "." redirect', `local-data: ". 300 IN A ${PARKING}"`] };
const CROWD = { names: { ...NAMES, [LICENSE_HOST]: MANY } };
const RELAYED = { names: { ...NAMES, [LICENSE_HOST]: [RELAY] } };

function dns64(prefix: string): Partial<UnboundSettings> {
  return { names: {}, forward: RIGHT, more: ['module-config: "dns64 iterator"', `dns64-prefix: ${prefix}`] };
}

/** Connections to an address reach another host. */
function forwarded(at: InspectedSite['gateway'], address: string, target: string): Disposable {
  at.sh(
    `nft -f - <<END\ntable ip forwarded {\n chain prerouting {\n type nat hook prerouting priority dstnat;\n` +
      ` ip daddr ${address} tcp dport 443 dnat to ${target}\n }\n}\nEND`,
  );
  return { [Symbol.dispose]: () => at.sh('nft delete table ip forwarded') };
}

interface Situation {
  readonly what: string;
  readonly unbound?: Partial<UnboundSettings>;
  /** Rules of the gateway's firewall. */
  readonly rules?: string;
  /** Where connections to the parking host, or to the relay, arrive. */
  readonly parking?: string;
  readonly relay?: string;
  readonly resolvers?: readonly string[];
  readonly licenseServer?: object;
  readonly is: Partial<Conclusion>;
  /** Parts of the evidence. */
  readonly shows?: readonly string[];
  /** What no remedy may contain. */
  readonly never?: RegExp;
}

const SITUATIONS: readonly Situation[] = [
  { what: 'behind a firewall that drops EDNS is asked without it', rules: DROPS_EDNS, is: READY },
  { what: 'behind a firewall that drops everything', rules: 'udp dport 53 drop', is: UNREACHABLE },
  {
    what: 'that gives every name one address is the cause, and not what answers there',
    unbound: PARKS,
    parking: '192.0.43.8',
    is: HIJACKED,
    shows: [`www.iana.org also has the address ${PARKING}`],
    never: /allow the new address|once you trust it/u,
  },
  {
    what: 'that does so after one that is right',
    unbound: PARKS,
    parking: '192.0.43.8',
    resolvers: [RIGHT, RESOLVER],
    is: notReady('answer-hijacked'),
  },
  {
    what: 'that gives this name alone a new address, at which the server is',
    unbound: { names: { ...NAMES, [LICENSE_HOST]: [PARKING] } },
    parking: LICENSE_ADDRESS,
    is: { causes: ['warning answer-unexpected'] },
    shows: ['www.iana.org'],
  },
  {
    what: 'that refuses this machine: its access list, not a missing answer',
    unbound: { more: ['ede: yes', 'access-control: 10.20.0.0/24 refuse'] },
    is: UNREACHABLE,
    shows: ['"Prohibited"'],
  },
  {
    what: 'that refuses this name alone',
    unbound: { more: [`local-zone: "${LICENSE_HOST}." always_refuse`] },
    is: UNREACHABLE,
    shows: ['answers for www.'],
  },
  { what: "with a DNS64 under the network's own prefix", unbound: dns64('2620:101:9064::/96'), is: READY },
  { what: 'with a DNS64 under a private prefix', unbound: dns64('fd00:64::/96'), is: READY },
  {
    what: 'with a DNS64 under a prefix that is expected',
    unbound: dns64('2620:101:9064::/96'),
    licenseServer: { expectedAddresses: [LICENSE_ADDRESS, '2620:101:9064::/96'] },
    is: READY,
  },
  {
    what: 'that gives the address of a relay to the licence server',
    unbound: RELAYED,
    relay: LICENSE_ADDRESS,
    is: readyWithWarning('answer-unexpected'),
    shows: [RELAY],
  },
  {
    what: 'that gives the address of a relay to another server',
    unbound: RELAYED,
    relay: '192.0.43.8',
    is: HIJACKED,
    shows: [RELAY],
  },
  ...['reject with tcp reset', 'drop'].map((verdict) => ({
    what: `whose answer does not fit into a datagram, behind a firewall with TCP port 53 ${verdict}`,
    unbound: CROWD,
    rules: `tcp dport 53 ${verdict}`,
    is: UNREACHABLE,
    shows: ['truncated its answer'],
  })),
];

describeWhere([...INSPECTED_SITE_NEEDS, { program: 'unbound' }], 'a real resolver', () => {
  let site: InspectedSite;

  beforeAll(async () => {
    site = await createInspectedSite();
    site.internet.sh(`ip addr add ${PARKING}/32 dev lo`);
  });
  afterAll(() => site[Symbol.asyncDispose]());

  function unbound(settings: Partial<UnboundSettings>): Promise<AsyncDisposable> {
    return startUnbound(site.internet, { address: RESOLVER, names: NAMES, ...settings });
  }

  test.each(SITUATIONS)('$what', async (row) => {
    await using during = new AsyncDisposableStack();
    during.use(await unbound(row.unbound ?? {}));
    if (row.rules !== undefined) during.use(filter(site, row.rules));
    if (row.parking !== undefined) during.use(forwarded(site.internet, PARKING, row.parking));
    if (row.relay !== undefined) during.use(forwarded(site.gateway, RELAY, row.relay));
    const { resolvers = [RESOLVER], licenseServer = {}, is, shows = [], never = /(?!)/u } = row;
    const result = await site.check({ resolvers, licenseServer });
    expect(conclusionOf(result)).toMatchObject(is);
    for (const part of shows) expect(evidenceOf(result)).toContain(part);
    expect(remedyOf(result)).not.toMatch(never);
  });

  test('is asked over TCP for the rest of an answer that does not fit into a datagram', async () => {
    await using _unbound = await unbound(CROWD);
    // Most of these addresses do not exist.
    const result = await site.check({ resolvers: [RESOLVER] });
    expect(preconditionOf(result, 'name-resolution')).toMatchObject({ state: 'ok', findings: [] });
  });

  test('over TLS with a certificate that nobody knows: port 53 plays no part', async () => {
    const { pem, keyPem } = await createIdentity({ name: 'CN=dns', ipAddresses: [RESOLVER] });
    const files = { pem: join(site.folder, 'dns.pem'), key: join(site.folder, 'dns.key') };
    await writeFile(files.pem, pem);
    await writeFile(files.key, keyPem);
    const more = [`interface: ${RESOLVER}@853`, `tls-service-pem: ${files.pem}`, `tls-service-key: ${files.key}`];
    await using _ = await unbound({ more });
    const result = await site.check({ resolvers: [`tls://${RESOLVER}`] });
    expect(conclusionOf(result)).toEqual(UNREACHABLE);
    expect(remedyOf(result)).not.toContain('port 53');
  });

  test('gives the address of a relay that has worked and is down: DNS is not blamed', async () => {
    await using _unbound = await unbound({ names: { ...NAMES, [LICENSE_HOST]: [RELAY] } });
    await using daemon = await startDaemonBehindRelay();
    await expect
      .poll(async () => (await daemon.status())?.causes.map(({ id }) => id), ROUNDS)
      .toEqual(['egress-blocked', 'answer-unexpected']);
  }, 90_000);

  /** Returns a daemon for which the relay has just gone. */
  async function startDaemonBehindRelay(): Promise<SiteDaemon> {
    using _relay = forwarded(site.gateway, RELAY, LICENSE_ADDRESS);
    const daemon = await startSiteDaemon(site, { resolvers: [RESOLVER], schedule: { probes: '* * * * * *' } });
    await expect.poll(() => daemon.status(), ROUNDS).toMatchObject({ ready: 'ready' });
    return daemon;
  }

  describe("of this machine's own", () => {
    const PRIVATE = '10.66.0.9';

    /** Runs a command at the site. */
    function sh(command: string): void {
      const [enter = '', ...into] = site.prefix;
      const { status, stderr } = spawnSync(enter, [...into, 'sh', '-ec', command], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }

    beforeAll(async () => {
      await writeFile(join(site.folder, 'hosts'), '127.0.0.1 localhost\n');
      sh(`mount --bind ${join(site.folder, 'hosts')} /etc/hosts`);
    });
    afterAll(() => {
      sh('umount /etc/hosts');
    });
    afterEach(async () => {
      await writeFile(join(site.folder, 'hosts'), '127.0.0.1 localhost\n');
      await writeFile(join(site.folder, 'resolv.conf'), `nameserver ${RIGHT}\n`);
    });

    test.each<readonly [string, string, string]>([
      ['its hosts file has the name', `${PRIVATE} ${LICENSE_HOST}\n`, `nameserver ${RESOLVER}\n`],
      [
        'its search list comes first, and a wildcard answers there',
        '',
        `nameserver ${RESOLVER}\nsearch corp.example\noptions ndots:5\n`,
      ],
    ])('%s: that is told, and no filter is blamed', async (_, hosts, resolvConf) => {
      const wildcard = ['local-zone: "corp.example." redirect', `local-data: "corp.example. 300 IN A ${PRIVATE}"`];
      await using _unbound = await unbound({ more: wildcard });
      await writeFile(join(site.folder, 'hosts'), hosts);
      await writeFile(join(site.folder, 'resolv.conf'), resolvConf);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(notReady('answer-hijacked', ...ABOVE));
      expect(result.causes).toMatchObject([{ confidence: 'suspected' }]);
      expect(evidenceOf(result)).toContain(`with a trailing dot, the name resolves to ${LICENSE_ADDRESS}`);
      expect(remedyOf(result)).not.toMatch(/sinkhole|DNS filter/u);
    });

    test('DNS itself gives a private address: a filter is looked for', async () => {
      await using _unbound = await unbound({ names: { ...NAMES, [LICENSE_HOST]: [PRIVATE] } });
      await writeFile(join(site.folder, 'resolv.conf'), `nameserver ${RESOLVER}\n`);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(notReady('answer-hijacked', ...ABOVE));
      expect(result.causes).toMatchObject([{ confidence: 'confirmed' }]);
      expect(remedyOf(result)).toMatch(/sinkhole|DNS filter/u);
    });
  });
});
