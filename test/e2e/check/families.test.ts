import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem, createIdentity } from '../../../src/demo/lab/identity.ts';
import {
  conclusionOf,
  preconditionOf,
  readCheck,
  READY,
  type CheckResult,
} from '../../support/process/check-result.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { ORIGIN_MODULE } from '../../support/network/inspected-site.ts';
import { startHost } from '../../support/process/host.ts';
import type { OriginSettings } from '../../support/network/origin-host.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';

const HOST = 'license.example.test';
const V4 = '173.243.138.84';
const V6 = '2620:101:9000::84';
/** The address that a NAT64 with a 64-bit prefix maps to the IPv4 address without a route (RFC 6052 §2.2). */
const BEHIND_NAT64 = '2620:101:9064:64:ad:f38a:6300:0';
const CONTROL = { name: 'www.control.test', address: '192.0.43.8' } as const;
/** Another address of the name. This machine has a route to it only if a test adds one. */
const ELSEWHERE = { 4: '173.243.138.99', 6: '2620:101:9001::99' } as const;

describeWhere(
  ['root', 'network-namespaces', { program: 'nft' }],
  'check of a name with addresses of both families',
  () => {
    const stack = new AsyncDisposableStack();
    let folder: string;
    let site: Sandbox;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'ftm-watch-families-'));
      stack.defer(() => rm(folder, { recursive: true }));
      site = stack.use(await createSandbox());
      await writeFile(join(folder, 'hosts'), '');
      site.sh(`
      for address in ${V4}/32 ${CONTROL.address}/32 9.9.9.9/32 ${V6}/128 ${BEHIND_NAT64}/128; do ip addr add $address dev lo; done
      mount --bind ${join(folder, 'hosts')} /etc/hosts
    `);
      const { root, intermediate, leaf } = await createHierarchy({ name: `CN=${HOST}`, dnsNames: [HOST] });
      await writeFile(join(folder, 'authority.pem'), root.pem);
      const server = { key: leaf.keyPem, cert: chainPem(leaf, intermediate) };
      const control = await createIdentity({ name: `CN=${CONTROL.name}`, dnsNames: [CONTROL.name] });
      const origins = [
        { name: HOST, address: V4, ...server },
        { name: 'by-ipv6.test', address: V6, ...server },
        { name: 'by-nat64.test', address: BEHIND_NAT64, ...server },
        { ...CONTROL, key: control.keyPem, cert: chainPem(control) },
      ];
      stack.use(await startHost(ORIGIN_MODULE, { resolver: '9.9.9.9', origins } satisfies OriginSettings, site.prefix));
    });

    afterAll(() => stack.disposeAsync());

    async function check(...addresses: readonly string[]): Promise<CheckResult> {
      const names = [...addresses.map((address) => `${address} ${HOST}`), `${CONTROL.address} ${CONTROL.name}`];
      await writeFile(join(folder, 'hosts'), `${names.join('\n')}\n`);
      const config = {
        licenseServer: { host: HOST },
        trust: { profile: 'pinned', caFiles: ['authority.pem'] },
        controlHosts: [`${CONTROL.name}:443`],
      };
      await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
      return readCheck(
        await runFtmWatch(['check', '--json', '-c', join(folder, 'config.yaml')], { cwd: folder, prefix: site.prefix }),
      );
    }

    function refusing(family: 'ip' | 'ip6', rule: string): Disposable {
      site.sh(`nft -f - <<END
table ${family} families {
  chain output {
    type filter hook output priority 0;
    ${rule}
  }
}
END`);
      return { [Symbol.dispose]: () => site.sh(`nft delete table ${family} families`) };
    }

    test('both work', async () => {
      expect(conclusionOf(await check(V4, V6))).toMatchObject({ ready: 'ready', causes: [] });
    });

    test.each([
      ['reset', 'reject with tcp reset'],
      ['rejected as if there were no route', 'reject with icmp type host-unreachable'],
    ])('IPv4 %s, IPv6 fine: not ready', async (_, verdict) => {
      using _rule = refusing('ip', `ip daddr ${V4} tcp dport 443 ${verdict}`);
      expect(conclusionOf(await check(V4, V6))).toMatchObject({
        ready: 'not-ready',
        causes: ['critical egress-blocked'],
      });
    });

    test('IPv6 alone shut: a warning', async () => {
      using _rule = refusing('ip6', `ip6 daddr ${V6} tcp dport 443 reject with tcp reset`);
      expect(conclusionOf(await check(V4, V6))).toMatchObject({
        ready: 'ready',
        causes: ['warning egress-partly-blocked'],
      });
    });

    test.each([
      ['an address', ELSEWHERE[6]],
      ['an address that a DNS64 derived', '64:ff9b::adf3:8a63'],
    ])('no route for IPv6: a note about %s', async (_, address) => {
      const result = await check(V4, address);
      expect(conclusionOf(result)).toMatchObject({ ready: 'ready', causes: [] });
      expect(preconditionOf(result, 'reachability').findings).toMatchObject([{ rule: 'family-has-route' }]);
    });

    test('no route for IPv4, and no other family: our own blindness', async () => {
      const result = await check(ELSEWHERE[4]);
      expect(conclusionOf(result)).toMatchObject({ ready: 'unknown', causes: [] });
      expect(preconditionOf(result, 'reachability')).toMatchObject({ state: 'unknown' });
    });

    test.each([
      ["of the network's own", '2620:101:9064::'],
      ['well known', '64:ff9b::'],
    ])('a DNS64 gives a second address under a prefix that is %s, and nothing is there: ready', async (_, prefix) => {
      const translated = `${prefix}adf3:8a54`;
      site.sh(`ip addr add ${translated}/128 dev lo`);
      expect(conclusionOf(await check(V4, translated))).toEqual(READY);
      // Any other address that refuses connections is one that a client could choose.
      const other = `${prefix}adf3:8a55`;
      site.sh(`ip addr add ${other}/128 dev lo`);
      expect(conclusionOf(await check(V4, other))).toMatchObject({
        causes: ['warning egress-partly-blocked'],
      });
    });

    test('behind a NAT64, with IPv6 alone: ready', async () => {
      expect(conclusionOf(await check(ELSEWHERE[4], BEHIND_NAT64))).toEqual(READY);
    });

    test('no route for IPv4, and IPv6 works: IPv6 decides', async () => {
      expect(conclusionOf(await check(ELSEWHERE[4], V6))).toMatchObject({ ready: 'ready', causes: [] });
    });
  },
);
