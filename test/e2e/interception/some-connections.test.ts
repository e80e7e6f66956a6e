import { afterAll, beforeAll, expect, test } from 'vitest';

import { createIdentity } from '../../../src/demo/lab/identity.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  type InspectedSite,
} from '../../support/network/inspected-site.ts';
import { follow } from '../../support/network/outage-play.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startSiteDaemon } from '../../support/process/site-daemon.ts';
import { startSquid } from '../../support/network/squid.ts';
import { until } from '../../support/time/until.ts';

const MAIL_PORT = 2525;
const WATCHING = {
  schedule: { probes: '*/2 * * * * *' },
  web: { listen: '127.0.0.1:0' },
  store: { path: 'data/ftm-watch.sqlite' },
  notify: {
    email: {
      from: 'ftm-watch@example.test',
      to: ['ops@example.test'],
      servers: [{ host: '127.0.0.1', port: MAIL_PORT, security: 'none' }],
    },
  },
};

describeWhere(INSPECTED_SITE_NEEDS, 'a site one of whose ways out inspects', () => {
  let site: InspectedSite;

  beforeAll(async () => {
    site = await createInspectedSite();
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test('every twelfth connection: an incident, which stays, and no round without a verdict', async () => {
    const authority = await createIdentity({ name: 'C=DE, O=Contoso, CN=Contoso TLS Inspection', authority: true });
    await using daemon = await startSiteDaemon(site, WATCHING, MAIL_PORT);
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
