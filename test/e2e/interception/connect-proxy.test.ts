import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { conclusionOf, evidenceOf, notReady, preconditionOf, READY } from '../../support/process/check-result.ts';
import {
  createInspectedSite,
  GATEWAY,
  INSPECTED_SITE_NEEDS,
  LICENSE_HOST,
  NOBODY,
} from '../../support/network/inspected-site.ts';
import type { InspectedSite } from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { CONNECT_PORT, INSPECTING_CONNECT_PORT } from '../../support/network/squid.ts';

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
    expect(result.causes[0]?.summary).toContain(
      `The connection uses the proxy ${GATEWAY}:${String(INSPECTING_CONNECT_PORT)}.`,
    );
    const [first] = result.causes[0]?.remedy ?? [];
    expect(first).toMatch(/^The proxy \S+ may inspect TLS itself .* Exempt .* there/u);
    // FortiAuthenticator connects only to the proxy, so a policy between it and the server would match nothing.
    expect(result.causes[0]?.remedySteps.map(({ commands }) => commands).join('')).not.toContain('config firewall');
  });

  test('the proxy ends TLS by the server name: blocked, with the proxy to look at', async () => {
    const policy = [
      'ssl_bump peek hello',
      `acl license ssl::server_name ${LICENSE_HOST}`,
      'ssl_bump terminate license',
    ];
    await using _ = await site.inspect({ authority, policy: [...policy, 'ssl_bump splice all'] });
    const proxy = `${GATEWAY}:${String(INSPECTING_CONNECT_PORT)}`;
    const result = await through(proxy);
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    expect(result.causes[0]?.summary).toContain(`The connection uses the proxy ${proxy}.`);
    expect(result.causes[0]?.remedy[0]).toContain(`The proxy ${proxy} opened the tunnel, but TLS inside it failed`);
  });

  test('the proxy refuses the licence server alone: blocked, with what it answered', async () => {
    const policy = [`acl license dstdomain ${LICENSE_HOST}`, 'ssl_bump splice all', 'http_access deny license'];
    await using _ = await site.inspect({ authority, policy });
    const result = await through(PROXY);
    expect(conclusionOf(result)).toEqual(BLOCKED);
    expect(result.causes[0]?.summary).toBe(blockedBy(PROXY));
    expect(evidenceOf(result)).toContain('status 403');
    expect(evidenceOf(result)).toMatch(/Verbatim: “ERROR: .*Access Denied\. Access control configuration prevents/u);
    expect(result.causes[0]?.remedy[0]).toContain(`allow CONNECT to ${LICENSE_HOST}, TCP 443`);
  });

  const BASIC = [
    'auth_param basic program /usr/lib/squid/basic_ncsa_auth /dev/null',
    'acl known proxy_auth REQUIRED',
    'ssl_bump splice all',
    'http_access deny !known',
  ];
  const NEGOTIATE = BASIC.with(
    0,
    'auth_param negotiate program /usr/lib/squid/negotiate_kerberos_auth -s HTTP/x@EXAMPLE',
  );

  test.each<[string, readonly string[], object, string, readonly [RegExp, RegExp]]>([
    [
      'demands a login, and none is set',
      BASIC,
      {},
      `The proxy ${PROXY} requires a login before it connects to ${LICENSE_HOST}:443.`,
      [/Set licenseServer\.proxy\.user/u, /Correct the password/u],
    ],
    [
      'rejects the login that is set',
      BASIC,
      { user: 'fac', passwordFile: 'proxy-password' },
      `The proxy ${PROXY} rejects the configured user name and password, and does not connect to ${LICENSE_HOST}:443.`,
      [/whether the account is locked/u, /Set licenseServer\.proxy\.user/u],
    ],
    [
      'offers Negotiate alone',
      NEGOTIATE,
      {},
      `The proxy ${PROXY} requires a login with Negotiate before it connects to ${LICENSE_HOST}:443.`,
      [/Basic authentication, which the proxy does not offer\./u, /Set licenseServer\.proxy\.user/u],
    ],
    [
      'offers Negotiate alone, and a login is set',
      NEGOTIATE,
      { user: 'fac', passwordFile: 'proxy-password' },
      `The proxy ${PROXY} requires a login with Negotiate before it connects to ${LICENSE_HOST}:443.`,
      [/Exempt the addresses of FortiAuthenticator/u, /Correct the password/u],
    ],
  ])('the proxy %s: the remedy is one that can work', async (_, policy, login, summary, [remedy, never]) => {
    await writeFile(join(site.folder, 'proxy-password'), 'guess', { mode: 0o600 });
    await using _squid = await site.inspect({ authority, policy });
    const result = await site.check({ licenseServer: { proxy: { url: `http://${PROXY}`, ...login } } });
    // The control hosts, which are redirected to this proxy without CONNECT, do not have credentials either.
    expect(conclusionOf(result)).toEqual({ ...BLOCKED, states: { internet: 'unknown', ...BLOCKED.states } });
    expect(result.causes[0]?.summary).toBe(summary);
    const steps = result.causes[0]?.remedy.join('\n') ?? '';
    expect(steps).toMatch(remedy);
    expect(steps).not.toMatch(never);
    expect(evidenceOf(result)).toContain('status 407');
    expect(JSON.stringify(result)).not.toContain('guess');
  });

  test.each([
    [3, 'ready', ['warning proxy-slow']],
    [0, 'ready', []],
  ] as const)('the proxy needs %i s to connect: %s', async (delay, ready, causes) => {
    const helper = join('/tmp', `ftm-watch-slow-${String(process.pid)}.sh`);
    await writeFile(helper, `#!/bin/sh\nwhile read -r line; do sleep ${String(delay)}; echo OK; done\n`, {
      mode: 0o755,
    });
    const policy = [
      `external_acl_type slow ttl=0 negative_ttl=0 children-max=20 children-startup=20 %DST ${helper}`,
      'acl waits external slow',
      'ssl_bump splice all',
      'http_access allow waits',
    ];
    await using _ = await site.inspect({ authority, policy });
    const result = await through(PROXY);
    expect(result.ready).toBe(ready);
    expect(result.causes.map(({ severity, id }) => `${severity} ${id}`)).toEqual(causes);
    expect(result.causes.map(({ summary }) => summary)).toEqual(
      causes.map(() => expect.stringMatching(/^The proxy \S+ took 3\.?\d* s to connect to /u)),
    );
    await rm(helper);
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

const BLOCKED = notReady('egress-blocked', 'name-resolution', 'tls-genuine', 'license-server');

function blockedBy(proxy: string): string {
  return `The proxy ${proxy} does not connect to ${LICENSE_HOST}:443.`;
}
