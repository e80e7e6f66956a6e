import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  conclusionOf,
  evidenceOf,
  notReady,
  preconditionOf,
  READY,
  readyWithWarning,
} from '../../support/process/check-result.ts';
import { filterAtServers } from '../../support/network/gateway-filters.ts';
import {
  createInspectedSite,
  LICENSE_ADDRESS,
  MAIL_SERVER,
  RESOLVER,
  type InspectedSite,
} from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const SECOND = '173.243.138.85';
const LICENSE_SERVER = `ip daddr { ${LICENSE_ADDRESS}, ${SECOND} } tcp dport 443`;
/** The preconditions that depend on the internet. */
const PATH = ['name-resolution', 'reachability', 'tls-genuine', 'license-server'] as const;
const ABOVE_REACHABILITY = ['tls-genuine', 'license-server'] as const;
const ABOVE_NAMES = ['reachability', ...ABOVE_REACHABILITY] as const;

const MAIL = { host: MAIL_SERVER.name, security: 'none', from: 'fac@example.org', to: 'probe@example.org' };

async function createSite(rules?: string): Promise<InspectedSite> {
  const site = await createInspectedSite([LICENSE_ADDRESS, SECOND]);
  if (rules !== undefined) filterAtServers(site, rules);
  return site;
}

describeWhere(['root', 'network-namespaces', { program: 'nft' }], 'a site behind a firewall', () => {
  describe('that answers', () => {
    let site: InspectedSite;

    beforeAll(async () => {
      site = await createSite();
    });
    afterAll(() => site[Symbol.asyncDispose]());

    test('clean path', async () => {
      const result = await site.check({ mail: [MAIL] });
      expect(conclusionOf(result)).toEqual(READY);
      expect(preconditionOf(result, 'mail').state).toBe('ok');
      expect(preconditionOf(result, 'clock').state).toBe('ok');
    });

    test('port 443 reset', async () => {
      using _ = filterAtServers(site, `${LICENSE_SERVER} reject with tcp reset`);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(notReady('egress-blocked', ...ABOVE_REACHABILITY));
      expect(evidenceOf(result)).toContain('connection refused');
      // The reset comes from as far away as everything else, so it may come from the server itself.
      expect(result.causes[0]?.confidence).toBe('suspected');
    });

    test('port 443 rejected by ICMP', async () => {
      using _ = filterAtServers(site, `${LICENSE_SERVER} reject with icmp type admin-prohibited`);
      expect(conclusionOf(await site.check())).toEqual(notReady('egress-blocked', ...ABOVE_REACHABILITY));
    });

    test("a source address that this machine does not have is its own trouble, not the internet's", async () => {
      const result = await site.check({ sourceAddress: '198.51.100.77' });
      const path = ['internet', 'reachability', 'tls-genuine', 'license-server'];
      const states = Object.fromEntries(path.map((id) => [id, 'unknown']));
      expect(conclusionOf(result)).toEqual({ ...READY, exitCode: 3, ready: 'unknown', states });
      expect(preconditionOf(result, 'internet').summary).toContain('198.51.100.77');
    });
  });

  // These tests wait for deadlines, so they run concurrently, each in a separate network.
  describe.concurrent('that drops', () => {
    test('port 443 of the licence server', async () => {
      await using site = await createSite(`${LICENSE_SERVER} drop`);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(notReady('egress-blocked', ...ABOVE_REACHABILITY));
      expect(evidenceOf(result)).toContain('no answer within 3 s');
      expect(result.causes[0]).toMatchObject({
        confidence: 'suspected',
        summary: expect.stringContaining('or the server is down'),
      });
    });

    test('one of its two addresses: a warning', async () => {
      await using site = await createSite(`ip daddr ${SECOND} tcp dport 443 drop`);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(readyWithWarning('egress-partly-blocked'));
      expect(evidenceOf(result)).toContain(SECOND);
    });

    test('everything but the licence server: ready, with a note', async () => {
      await using site = await createSite(`${LICENSE_SERVER} accept\n tcp dport 443 drop`);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(READY);
      expect(preconditionOf(result, 'internet').findings).toMatchObject([{ rule: 'control-host-answers' }]);
    });

    test.for([
      ['named', { resolvers: [RESOLVER], mail: [MAIL] }, ['mail']],
      ['of the system', {}, []],
    ] as const)('the only resolver, %s', async ([, config, more]) => {
      await using site = await createSite(`ip daddr ${RESOLVER} drop`);
      const result = await site.check(config);
      expect(conclusionOf(result)).toEqual(notReady('resolver-unreachable', ...ABOVE_NAMES, ...more));
      // At most two rounds. The process does not wait for lookups that are never answered.
      expect(result.durationMs).toBeLessThan(24_000);
    });

    test('one of two resolvers: a warning', async () => {
      await using site = await createSite('udp dport 53 drop');
      const result = await site.check({ resolvers: [RESOLVER, `tcp://${RESOLVER}`] });
      expect(conclusionOf(result)).toEqual(readyWithWarning('resolver-unreachable'));
    });

    test('the first of two resolvers of the system: programs there still find every name', async () => {
      await using site = await createSite('ip daddr 203.0.113.53 drop');
      const servers = `nameserver 203.0.113.53\nnameserver ${RESOLVER}\n`;
      await writeFile(join(site.folder, 'resolv.conf'), servers);
      expect(conclusionOf(await site.check())).toEqual(READY);
    });

    test('everything but the resolver', async () => {
      await using site = await createSite(`ip daddr ${RESOLVER} accept\n drop`);
      expect(conclusionOf(await site.check({ mail: [MAIL] }))).toEqual(
        notReady('internet-unreachable', ...ABOVE_NAMES, 'mail'),
      );
    });
  });

  test('nothing answers at all, and there is much to look at', async () => {
    await using site = await createSite('drop');
    const services = Array.from({ length: 24 }, (_, index) => ({
      name: `service ${String(index)}`,
      host: `203.0.113.${String(100 + index)}`,
    }));
    const result = await site.check({ mail: [MAIL, { ...MAIL, host: '203.0.113.26' }], services });
    expect(conclusionOf(result)).toEqual(notReady('internet-unreachable', ...PATH, 'mail'));
    // 15 s for the round and 3 s to start the process.
    expect(result.durationMs).toBeLessThan(18_000);
  });
});
