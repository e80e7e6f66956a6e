import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../support/authority.ts';
import type { Identity } from '../../support/authority.ts';
import { conclusionOf, evidenceOf, notReady, preconditionOf, READY } from '../../support/check-result.ts';
import {
  createInspectedSite,
  GATEWAY,
  INSPECTED_SITE_NEEDS,
  LICENSE_HOST,
  NOBODY,
} from '../../support/inspected-site.ts';
import type { InspectedSite } from '../../support/inspected-site.ts';
import { describeWhere } from '../../support/privilege.ts';
import { CONNECT_PORT, INSPECTING_CONNECT_PORT } from '../../support/squid.ts';

const PROXY = `${GATEWAY}:${String(CONNECT_PORT)}`;

describeWhere(INSPECTED_SITE_NEEDS, 'a site whose way out is a CONNECT proxy', () => {
  let site: InspectedSite;
  let authority: Identity;

  function through(proxy: string): ReturnType<InspectedSite['check']> {
    return site.check({ licenseServer: { proxy: `http://${proxy}` } });
  }

  beforeAll(async () => {
    site = await createInspectedSite();
    authority = await createIdentity({
      name: 'C=DE, O=Example Corp, CN=Example Corp Root CA',
      authority: true,
      key: 'RSA-2048',
    });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test('the proxy opens the tunnel: ready', async () => {
    await using squid = await site.inspect({ authority, policy: ['ssl_bump splice all'] });
    const result = await through(PROXY);
    expect(conclusionOf(result)).toEqual(READY);
    expect(preconditionOf(result, 'reachability').summary).toContain(`through the proxy ${PROXY}`);
    await expect.poll(() => squid.accessLog()).toContain(`CONNECT ${LICENSE_HOST}:443`);
  });

  test('the proxy inspects: intercepted', async () => {
    await using _ = await site.inspect({ authority, policy: ['ssl_bump bump all'] });
    const result = await through(`${GATEWAY}:${String(INSPECTING_CONNECT_PORT)}`);
    expect(conclusionOf(result)).toEqual(notReady('tls-intercepted', 'license-server'));
    expect(result.causes[0]).toMatchObject({ confidence: 'confirmed', product: null });
  });

  test('the proxy refuses the licence server alone: blocked, with what it answered', async () => {
    const policy = [`acl license dstdomain ${LICENSE_HOST}`, 'ssl_bump splice all', 'http_access deny license'];
    await using _ = await site.inspect({ authority, policy });
    const result = await through(PROXY);
    expect(conclusionOf(result)).toEqual(BLOCKED);
    expect(result.causes[0]?.summary).toBe(blockedBy(PROXY));
    expect(evidenceOf(result)).toContain('status 403');
  });

  test.each([
    ['an address that nobody has', `${NOBODY}:${String(CONNECT_PORT)}`],
    ['a port that nothing listens on', `${GATEWAY}:${String(CONNECT_PORT + 1000)}`],
  ])('the configuration names %s as proxy: blocked, and no word of a dead internet', async (_, wrong) => {
    const result = await through(wrong);
    expect(conclusionOf(result)).toEqual({ ...BLOCKED, states: { internet: 'unknown', ...BLOCKED.states } });
    expect(result.causes[0]?.summary).toBe(blockedBy(wrong));
    expect(evidenceOf(result)).toContain(`through the proxy ${wrong}`);
  });
});

const BLOCKED = notReady('egress-blocked', 'tls-genuine', 'license-server');

function blockedBy(proxy: string): string {
  return `The proxy ${proxy} does not connect to ${LICENSE_HOST}:443.`;
}
