import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import {
  conclusionOf,
  evidenceOf,
  notReady,
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
const ROUNDS = { timeout: 40_000, interval: 250 };
const ABOVE = ['reachability', 'tls-genuine', 'license-server'] as const;

describeWhere([...INSPECTED_SITE_NEEDS, { program: 'unbound' }], 'a real resolver', () => {
  let site: InspectedSite;

  beforeAll(async () => {
    site = await createInspectedSite();
  });
  afterAll(() => site[Symbol.asyncDispose]());

  function unbound(settings: Partial<UnboundSettings>): Promise<AsyncDisposable> {
    return startUnbound(site.internet, { address: RESOLVER, names: NAMES, ...settings });
  }

  describe('behind a firewall that drops what has EDNS', () => {
    // In a query, only EDNS adds additional records. ARCOUNT is at byte 10 of the message.
    const DROPS_EDNS = 'udp dport 53 @th,144,16 != 0 drop';

    test('is asked without it: ready', async () => {
      await using _unbound = await unbound({});
      using _filter = filter(site, DROPS_EDNS);
      expect(conclusionOf(await site.check({ resolvers: [RESOLVER] }))).toEqual(READY);
    });

    test('is unreachable where that drops everything', async () => {
      await using _unbound = await unbound({});
      using _filter = filter(site, 'udp dport 53 drop');
      expect(conclusionOf(await site.check({ resolvers: [RESOLVER] }))).toEqual(
        notReady('resolver-unreachable', ...ABOVE),
      );
    });
  });

  describe('that gives every name one address', () => {
    const PARKS = ['local-zone: "." redirect', `local-data: ". 300 IN A ${PARKING}"`];
    const parking = (): Promise<AsyncDisposable> => unbound({ names: {}, more: PARKS });

    test.each([
      ['alone', [RESOLVER]],
      ['after one that is right', [RIGHT, RESOLVER]],
    ])('is the cause, and not what answers there: %s', async (_, resolvers) => {
      await using _unbound = await parking();
      site.internet.sh(`ip addr add ${PARKING}/32 dev lo 2>/dev/null || true`);
      site.internet.sh(
        `nft -f - <<END\ntable ip parking {\n chain prerouting {\n type nat hook prerouting priority dstnat;\n` +
          ` ip daddr ${PARKING} tcp dport 443 dnat to 192.0.43.8\n }\n}\nEND`,
      );
      try {
        const result = await site.check({ resolvers });
        expect(conclusionOf(result)).toEqual(notReady('answer-hijacked', ...(resolvers.length === 1 ? ABOVE : [])));
        expect(evidenceOf(result)).toContain(`www.iana.org also has the address ${PARKING}`);
        expect(remedyOf(result)).not.toMatch(/allow the new address|once you trust it/u);
      } finally {
        site.internet.sh('nft delete table ip parking');
      }
    });

    test('but not the one that gives this name alone a new address, at which the server is', async () => {
      await using _unbound = await unbound({ names: { ...NAMES, [LICENSE_HOST]: [PARKING] } });
      site.internet.sh(`ip addr add ${PARKING}/32 dev lo 2>/dev/null || true`);
      site.internet.sh(
        `nft -f - <<END\ntable ip moved {\n chain prerouting {\n type nat hook prerouting priority dstnat;\n` +
          ` ip daddr ${PARKING} tcp dport 443 dnat to ${LICENSE_ADDRESS}\n }\n}\nEND`,
      );
      try {
        const result = await site.check({ resolvers: [RESOLVER] });
        expect(result.causes).toMatchObject([{ id: 'answer-unexpected', severity: 'warning' }]);
        expect(evidenceOf(result)).toContain('the resolver answers for www.iana.org');
      } finally {
        site.internet.sh('nft delete table ip moved');
      }
    });
  });

  test('that refuses this machine: its access list, not a missing answer', async () => {
    await using _ = await unbound({ more: ['ede: yes', 'access-control: 10.20.0.0/24 refuse'] });
    const result = await site.check({ resolvers: [RESOLVER] });
    expect(conclusionOf(result)).toEqual(notReady('resolver-unreachable', ...ABOVE));
    expect(result.causes[0]?.summary).toContain('refuses to answer');
    expect(remedyOf(result)).toContain('access-control');
    expect(evidenceOf(result)).toContain('the resolver gives the reason "Prohibited"');
  });

  test('that refuses this name alone', async () => {
    await using _ = await unbound({ more: [`local-zone: "${LICENSE_HOST}." always_refuse`] });
    const result = await site.check({ resolvers: [RESOLVER] });
    expect(conclusionOf(result)).toEqual(notReady('resolver-unreachable', ...ABOVE));
    expect(result.causes[0]?.summary).toContain('answers for other names');
    expect(evidenceOf(result)).toContain('the resolver answers for www.');
  });

  test('over TLS with a certificate that nobody knows: port 53 plays no part', async () => {
    const { pem, keyPem } = await createIdentity({ name: 'CN=dns', ipAddresses: [RESOLVER] });
    await writeFile(join(site.folder, 'dns.pem'), pem);
    await writeFile(join(site.folder, 'dns.key'), keyPem);
    const more = [
      `interface: ${RESOLVER}@853`,
      `tls-service-pem: ${join(site.folder, 'dns.pem')}`,
      `tls-service-key: ${join(site.folder, 'dns.key')}`,
    ];
    await using _ = await unbound({ more });
    const result = await site.check({ resolvers: [`tls://${RESOLVER}`] });
    expect(conclusionOf(result)).toEqual(notReady('resolver-unreachable', ...ABOVE));
    expect(result.causes[0]?.summary).toContain('a certificate that cannot be verified');
    expect(remedyOf(result)).not.toContain('port 53');
  });

  test.each([
    ["under the network's own prefix", '2620:101:9064::/96', {}],
    ['under a private prefix', 'fd00:64::/96', {}],
    [
      'under a prefix that is expected',
      '2620:101:9064::/96',
      { expectedAddresses: [LICENSE_ADDRESS, '2620:101:9064::/96'] },
    ],
  ])('with a DNS64 %s: ready', async (_, prefix, more) => {
    await using _unbound = await unbound({
      names: {},
      forward: RIGHT,
      more: ['module-config: "dns64 iterator"', `dns64-prefix: ${prefix}`],
    });
    expect(conclusionOf(await site.check({ resolvers: [RESOLVER], licenseServer: more }))).toEqual(READY);
  });

  test.each([
    ['the licence server: ready, with a warning', LICENSE_ADDRESS, readyWithWarning('answer-unexpected')],
    ['another server: not ready', '192.0.43.8', notReady('answer-hijacked', ...ABOVE)],
  ])('gives the private address of a relay that forwards to %s', async (_, target, expected) => {
    await using _unbound = await unbound({ names: { ...NAMES, [LICENSE_HOST]: [RELAY] } });
    using _relay = relayTo(target);
    const result = await site.check({ resolvers: [RESOLVER] });
    expect(conclusionOf(result)).toEqual(expected);
    expect(evidenceOf(result)).toContain(RELAY);
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
    using _relay = relayTo(LICENSE_ADDRESS);
    const daemon = await startSiteDaemon(site, { resolvers: [RESOLVER], schedule: { probes: '* * * * * *' } });
    await expect.poll(() => daemon.status(), ROUNDS).toMatchObject({ ready: 'ready' });
    return daemon;
  }

  function relayTo(target: string): Disposable {
    site.gateway.sh(
      `nft -f - <<END\ntable ip relay {\n chain prerouting {\n type nat hook prerouting priority dstnat;\n` +
        ` ip daddr ${RELAY} tcp dport 443 dnat to ${target}\n }\n}\nEND`,
    );
    return {
      [Symbol.dispose]: () => {
        site.gateway.sh('nft delete table ip relay');
      },
    };
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
      expect(result.causes[0]?.summary).toMatch(/^The hosts file or search list of this machine resolves/u);
      expect(evidenceOf(result)).toContain(`with a trailing dot, the name resolves to ${LICENSE_ADDRESS}`);
      expect(remedyOf(result)).not.toMatch(/sinkhole|DNS filter/u);
    });

    test('DNS itself gives a private address: a filter is looked for', async () => {
      await using _unbound = await unbound({ names: { ...NAMES, [LICENSE_HOST]: [PRIVATE] } });
      await writeFile(join(site.folder, 'resolv.conf'), `nameserver ${RESOLVER}\n`);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(notReady('answer-hijacked', ...ABOVE));
      expect(result.causes).toMatchObject([{ confidence: 'confirmed' }]);
      expect(remedyOf(result)).toContain('find the DNS filter, sinkhole or local zone');
    });
  });
});
