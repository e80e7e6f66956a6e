import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conclusionOf, evidenceOf, notReady, READY } from '../../support/process/check-result.ts';
import {
  CUT_ALL_TLS,
  cutAfterLostSyn,
  dropByName,
  filter,
  hideMtu,
  rejectByName,
} from '../../support/network/gateway-filters.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_HOST,
  type InspectedSite,
  LICENSE_ADDRESS,
} from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sslsplit } from '../../support/network/interceptors.ts';
import { startSiteDaemon, type SiteDaemon } from '../../support/process/site-daemon.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { follow } from '../../support/network/outage-play.ts';
import { startSquid } from '../../support/network/squid.ts';
import { until } from '../../support/time/until.ts';
import { emailBy } from '../../support/mail/mail-server.ts';

const BLOCKED = notReady('tls-blocked', 'license-server');
const TO_LICENSE_SERVER = `iifname inside ip daddr ${LICENSE_ADDRESS} tcp dport 443`;
const OTHERS_DROPPED = `iifname inside ip daddr != ${LICENSE_ADDRESS} tcp dport 443 drop`;
const ROUNDS = { timeout: 40_000, interval: 250 };
const ABOVE = ['tls-genuine', 'license-server'] as const;
const MAIL_PORT = 2525;
const MAILING = {
  schedule: { probes: '*/2 * * * * *' },
  web: { listen: '127.0.0.1:0' },
  store: { path: 'some/ftm-watch.sqlite' },
  notify: {
    email: emailBy({ port: MAIL_PORT }),
  },
};
/** The line as FortiAuthenticator sends it. */
const LINE =
  '<12>Aug 14 22:40:02 db[16987]:  category="Event" subcategory="Admin Configuration" typeid=0 level="warning" ' +
  'user="" nas="" ' +
  'action="" status="" FTM polling error: connection timeout: server connection failed: SSL session failed';

/** The next scheduled round is up to an hour away. */
const WATCHING = {
  schedule: { probes: '0 0 * * * *' },
  appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }],
  logs: { syslog: { udp: '127.0.0.1:0' } },
  web: { listen: '127.0.0.1:0' },
  store: { path: 'log-line/ftm-watch.sqlite' },
};

const LIMIT_MS = 5_000;

describeWhere(
  [
    ...INSPECTED_SITE_NEEDS,
    { program: 'haproxy' },
    { program: 'iptables' },
    { program: 'sslsplit' },
    { program: 'openssl' },
  ],
  'a site whose gateway',
  () => {
    let site: InspectedSite;

    beforeAll(async () => {
      site = await createInspectedSite();
    });
    afterAll(() => site[Symbol.asyncDispose]());

    describe('blocks TLS', () => {
      test('by the name in the hello, at once: another name passes at the same address', async () => {
        await using _ = await rejectByName(site);
        const result = await site.check();
        expect(conclusionOf(result)).toEqual(BLOCKED);
        expect(result.causes[0]).toMatchObject({
          confidence: 'suspected',
          summary: expect.stringContaining('filters by name'),
        });
        expect(evidenceOf(result)).toContain('the server name www.iana.org');
      });

      test('by the name in the hello, silently', async () => {
        using _ = dropByName(site);
        const result = await site.check();
        expect(conclusionOf(result)).toEqual(BLOCKED);
        expect(result.causes[0]?.summary).toContain('filters by name');
      });

      test('whatever its name: control hosts are cut as well', async () => {
        using _ = filter(site, CUT_ALL_TLS);
        const result = await site.check();
        expect(conclusionOf(result)).toEqual(BLOCKED);
        expect(result.causes[0]).toMatchObject({
          confidence: 'confirmed',
        });
      });

      test('because large packets are lost: small answers arrive, certificates do not', async () => {
        using _ = hideMtu(site);
        const result = await site.check();
        expect(conclusionOf(result)).toEqual(BLOCKED);
        expect(result.causes[0]).toMatchObject({
          confidence: 'suspected',
          summary: expect.stringContaining('path MTU'),
        });
        expect(result.causes[0]?.remedySteps.map(({ commands }) => commands).join('\n')).toContain(
          'set tcp-mss-sender',
        );
      });

      test('at the licence server, after a lost SYN: the second that it took is no round trip', async () => {
        using _ = cutAfterLostSyn(site);
        const result = await site.check();
        expect(conclusionOf(result)).toEqual(BLOCKED);
        expect(result.causes[0]?.confidence).toBe('suspected');
        expect(evidenceOf(result)).not.toContain('not by the server');
      });

      test('no more', async () => {
        expect(conclusionOf(await site.check())).toEqual(READY);
      });
    });

    describe('lets out the licence server alone', () => {
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
      });

      test('and the licence server is silent: one look alone cannot be sure that it is the internet', async () => {
        using _ = filter(site, `${OTHERS_DROPPED}\n ${TO_LICENSE_SERVER} drop`);
        const { causes } = await site.check();
        expect(causes).toMatchObject([{ id: 'internet-unreachable', confidence: 'suspected' }]);
      });

      test('and falls silent while the daemon watches: control hosts that never answered prove nothing', async () => {
        using _others = filter(site, OTHERS_DROPPED);
        await using own = await daemon();
        await expect.poll(() => own.status(), ROUNDS).toMatchObject({ ready: 'ready' });
        site.gateway.sh(`nft add rule ip blocking forward ${TO_LICENSE_SERVER} drop`);
        await expect
          .poll(() => own.status(), ROUNDS)
          .toMatchObject({ ready: 'not-ready', causes: [{ id: 'egress-blocked', confidence: 'suspected' }] });
      }, 90_000);

      test('is told from one whose control hosts have answered before: there the internet is gone', async () => {
        await using own = await daemon();
        await expect.poll(() => own.status(), ROUNDS).toMatchObject({ ready: 'ready' });
        using _all = filter(site, 'iifname inside tcp dport 443 drop');
        await expect
          .poll(() => own.status(), ROUNDS)
          .toMatchObject({ causes: [{ id: 'internet-unreachable', confidence: 'confirmed' }] });
      }, 90_000);

      test('SSLsplit ends at once with a key that OpenSSL does not use: every connection is refused', async () => {
        await using _ = await site.intercept(sslsplit(await rsaPssAuthority()));
        const result = await site.check();
        expect(conclusionOf(result)).toEqual(notReady('egress-blocked', ...ABOVE));
        expect(result.causes).toMatchObject([{ confidence: 'confirmed' }]);
        expect(evidenceOf(result)).toContain('connection refused, as at 2 unrelated hosts');
      });
    });

    describe('inspects one of its ways out', () => {
      test('every twelfth connection: an incident, which stays, and no round without a verdict', async () => {
        const authority = await createIdentity({ name: 'C=DE, O=Contoso, CN=Contoso TLS Inspection', authority: true });
        await using daemon = await startSiteDaemon(site, MAILING, MAIL_PORT);
        await until(
          () => daemon.status(),
          (status) => status?.ready === 'ready',
          20_000,
        );
        const trusted = site.genuine.root.pem;
        await using _ = await site.intercept(
          (gateway) => startSquid(gateway, { authority, trusted, resolver: '9.9.9.9', policy: ['ssl_bump bump all'] }),
          `ip daddr ${LICENSE_ADDRESS} tcp dport 443 numgen inc mod 12 0`,
        );
        await until(
          () => daemon.mails(),
          (mails) => mails.length > 0,
          90_000,
        );
        const samples = await (async () => {
          await using following = follow(daemon);
          await until(
            () => Promise.resolve(new Set(following.samples.map(({ roundAt }) => roundAt)).size),
            (rounds) => rounds > 10,
            90_000,
          );
          return following.samples;
        })();
        expect(samples.map(({ ready }) => ready)).not.toContain('unknown');
        expect(samples.every(({ isIntermittent }) => isIntermittent)).toBe(true);
        const status = await daemon.status();
        expect(status?.causes).toMatchObject([{ id: expect.stringMatching(/^tls-interce/u), severity: 'warning' }]);
        // The incident did not end in the meantime.
        expect((await daemon.mails()).filter((mail) => /^Subject: \[?RESOLVED/mu.test(mail))).toEqual([]);
      });
    });

    describe('starts to inspect while the daemon watches', () => {
      test('from a line of FortiAuthenticator to the diagnosis: within 5 s', async () => {
        const authority = await createIdentity({
          name: 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FG100FTK20012345',
          authority: true,
          key: 'RSA-2048',
        });
        await using daemon = await startSiteDaemon(site, WATCHING);
        await expect.poll(() => daemon.status(), { timeout: LIMIT_MS }).toMatchObject({ ready: 'ready', causes: [] });
        await using _ = await site.inspect({ authority, policy: ['ssl_bump bump all'] });
        expect(await daemon.status()).toMatchObject({ ready: 'ready' });

        await daemon.hear(LINE);
        await expect
          .poll(() => daemon.status(), { timeout: LIMIT_MS, interval: 20 })
          .toMatchObject({
            ready: 'not-ready',
            causes: [
              {
                id: 'tls-intercepted',
                subject: `${LICENSE_HOST}:443`,
                confidence: 'confirmed',
                product: 'Fortinet FortiGate',
                consequences: ['license-server', 'polling'],
              },
            ],
          });
        const diagnosis = await daemon.status();
        expect(diagnosis?.causes).toHaveLength(1);
        expect(diagnosis?.causes[0]?.evidence.join('\n')).toContain('SSL session failed');
      });
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
