import { afterAll, beforeAll, expect, test } from 'vitest';
import { conclusionOf, evidenceOf, notReady, preconditionOf } from '../../support/process/check-result.ts';
import { filter } from '../../support/network/gateway-filters.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  LICENSE_HOST,
} from '../../support/network/inspected-site.ts';
import type { InspectedSite } from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startUnbound } from '../../support/network/unbound.ts';

const RESOLVER = '9.9.9.10';
/** More addresses than fit into 1232 bytes. */
const MANY = Array.from({ length: 120 }, () => LICENSE_ADDRESS.split('.')).map(([a, b, c], index) =>
  [a, b, c, String(84 + index)].join('.'),
);

describeWhere(
  [...INSPECTED_SITE_NEEDS, { program: 'unbound' }],
  'a resolver whose answer does not fit into a datagram',
  () => {
    let site: InspectedSite;
    let unbound: AsyncDisposable;

    beforeAll(async () => {
      site = await createInspectedSite();
      const names = { [LICENSE_HOST]: MANY, 'www.iana.org': ['192.0.43.8'], 'www.fortinet.com': ['54.177.212.176'] };
      unbound = await startUnbound(site.internet, { address: RESOLVER, names });
    });
    afterAll(async () => {
      await unbound[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    });

    test.each([
      ['refused', 'tcp dport 53 reject with tcp reset'],
      ['dropped', 'tcp dport 53 drop'],
    ])('while TCP port 53 is %s: that is what is told', async (_, rules) => {
      using _filter = filter(site, rules);
      const result = await site.check({ resolvers: [RESOLVER] });
      expect(conclusionOf(result)).toEqual(
        notReady('resolver-unreachable', 'reachability', 'tls-genuine', 'license-server'),
      );
      expect(result.causes[0]?.summary).toContain(`truncates its answer for ${LICENSE_HOST}`);
      expect(result.causes[0]?.remedy[0]).toContain('Allow TCP port 53');
      expect(evidenceOf(result)).toContain('truncated its answer over UDP and did not answer over TCP');
    });

    test('is asked for the rest over TCP', async () => {
      // More addresses than in the UDP response, most of which do not exist.
      const result = await site.check({ resolvers: [RESOLVER] });
      expect(preconditionOf(result, 'name-resolution')).toMatchObject({ state: 'ok', findings: [] });
    });
  },
);
