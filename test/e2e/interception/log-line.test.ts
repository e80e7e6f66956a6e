import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createInspectedSite, INSPECTED_SITE_NEEDS, LICENSE_HOST } from '../../support/network/inspected-site.ts';
import type { InspectedSite } from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startSiteDaemon } from '../../support/process/site-daemon.ts';

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
  store: { path: 'data/ftm-watch.sqlite' },
};

const LIMIT_MS = 5_000;

describeWhere(INSPECTED_SITE_NEEDS, 'the daemon at a site whose proxy starts to inspect', () => {
  let site: InspectedSite;

  beforeAll(async () => {
    site = await createInspectedSite();
  });
  afterAll(() => site[Symbol.asyncDispose]());

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
