import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conclusionOf, evidenceOf, notReady, READY } from '../../support/process/check-result.ts';
import { filter } from '../../support/network/gateway-filters.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  type InspectedSite,
} from '../../support/network/inspected-site.ts';
import { sslsplit } from '../../support/network/interceptors.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startSiteDaemon, type SiteDaemon } from '../../support/process/site-daemon.ts';

const TO_LICENSE_SERVER = `iifname inside ip daddr ${LICENSE_ADDRESS} tcp dport 443`;
const OTHERS_DROPPED = `iifname inside ip daddr != ${LICENSE_ADDRESS} tcp dport 443 drop`;
const ROUNDS = { timeout: 40_000, interval: 250 };
const ABOVE = ['tls-genuine', 'license-server'] as const;

describeWhere(
  [...INSPECTED_SITE_NEEDS, { program: 'sslsplit' }, { program: 'openssl' }],
  'a site whose gateway lets out the licence server alone',
  () => {
    let site: InspectedSite;

    beforeAll(async () => {
      site = await createInspectedSite();
    });
    afterAll(() => site[Symbol.asyncDispose]());

    function daemon(): Promise<SiteDaemon> {
      return startSiteDaemon(site, { schedule: { probes: '* * * * * *' } });
    }

    test('works', async () => {
      using _ = filter(site, OTHERS_DROPPED);
      expect(conclusionOf(await site.check())).toEqual(READY);
    });

    test('and the licence server refuses: something answers, so the refusal is the cause', async () => {
      using _ = filter(site, `${OTHERS_DROPPED}\n ${TO_LICENSE_SERVER} reject with tcp reset`);
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(notReady('egress-blocked', ...ABOVE));
      expect(result.causes).toMatchObject([{ confidence: 'suspected' }]);
      expect(result.causes[0]?.summary).not.toContain('The internet is reachable');
    });

    test('and the licence server is silent: one look alone cannot be sure that it is the internet', async () => {
      using _ = filter(site, `${OTHERS_DROPPED}\n ${TO_LICENSE_SERVER} drop`);
      const { causes } = await site.check();
      expect(causes).toMatchObject([{ id: 'internet-unreachable', confidence: 'suspected' }]);
      expect(causes[0]?.summary).toContain('unless a firewall allows only the licence server');
    });

    test('and falls silent while the daemon watches: control hosts that never answered prove nothing', async () => {
      using _others = filter(site, OTHERS_DROPPED);
      await using own = await daemon();
      await expect.poll(() => own.status(), ROUNDS).toMatchObject({ ready: 'ready' });
      site.gateway.sh(`nft add rule ip blocking forward ${TO_LICENSE_SERVER} drop`);
      await expect
        .poll(() => own.status(), ROUNDS)
        .toMatchObject({ ready: 'not-ready', causes: [{ id: 'egress-blocked', confidence: 'suspected' }] });
      expect((await own.status())?.causes[0]?.summary).toContain('and no control host accepts a connection');
    }, 90_000);

    test('is told from one whose control hosts have answered before: there the internet is gone', async () => {
      await using own = await daemon();
      await expect.poll(() => own.status(), ROUNDS).toMatchObject({ ready: 'ready' });
      using _all = filter(site, 'iifname inside tcp dport 443 drop');
      await expect
        .poll(() => own.status(), ROUNDS)
        .toMatchObject({ causes: [{ id: 'internet-unreachable', confidence: 'confirmed' }] });
    }, 90_000);

    test('SSLsplit ends at once with a key that OpenSSL does not sign with: every connection is refused', async () => {
      await using _ = await site.intercept(sslsplit(await rsaPssAuthority()));
      const result = await site.check();
      expect(conclusionOf(result)).toEqual(notReady('egress-blocked', ...ABOVE));
      expect(result.causes).toMatchObject([{ confidence: 'confirmed' }]);
      expect(evidenceOf(result)).toContain('connection refused, as at 2 control hosts');
    });
  },
);

/** Returns an authority with an RSASSA-PSS-only key, which no library here can create. */
async function rsaPssAuthority(): Promise<{ readonly pem: string; readonly keyPem: string }> {
  const command =
    'req -x509 -newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -noenc -days 30 -keyout - -out - -subj /CN=x';
  const { stdout } = await promisify(execFile)('openssl', command.split(' '));
  return { pem: stdout, keyPem: stdout };
}
