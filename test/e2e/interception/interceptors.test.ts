import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { conclusionOf, evidenceOf, notReady, READY, readyWithWarning } from '../../support/process/check-result.ts';
import type { CheckResult, Conclusion } from '../../support/process/check-result.ts';
import {
  createInspectedSite,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  LICENSE_HOST,
} from '../../support/network/inspected-site.ts';
import type { InspectedSite } from '../../support/network/inspected-site.ts';
import {
  haproxy,
  haproxyForTls12,
  haproxyWithoutTls12,
  nginx,
  sslsplit,
  stunnel,
} from '../../support/network/interceptors.ts';
import type { ShownChain } from '../../support/network/interceptors.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import type { Need } from '../../support/process/privilege.ts';

const PROGRAMS: readonly Need[] = ['sslsplit', 'haproxy', 'nginx', 'stunnel'].map((program) => ({ program }));
const LICENSE_SERVER = `ip daddr ${LICENSE_ADDRESS}`;
const BY_NAME = [
  `acl license ssl::server_name ${LICENSE_HOST}`,
  'ssl_bump peek hello',
  'ssl_bump bump license',
  'ssl_bump splice all',
];
const NO_CONTROLS = { controlHosts: [] };
const CONTROLS = {};

const CONFIRMED = notReady('tls-intercepted', 'license-server');
const SUSPECTED = notReady('tls-interception-suspected', 'license-server');
/** It is unknown whether FortiAuthenticator accepts the authority. */
function unknownWith(cause: string): Conclusion {
  return {
    ...READY,
    exitCode: 3,
    ready: 'unknown',
    causes: [`warning ${cause}`],
    states: { 'tls-genuine': 'unknown' },
  };
}

const COMPANY = 'C=DE, O=Contoso, CN=Contoso TLS Inspection 3';
const VENDOR = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority';
const PUBLIC = 'C=US, O=DigiCert Inc, CN=DigiCert Global Root G2';

describeWhere([...INSPECTED_SITE_NEEDS, ...PROGRAMS], 'a site behind interceptors that nobody here wrote', () => {
  let site: InspectedSite;
  let company: Identity;

  beforeAll(async () => {
    site = await createInspectedSite();
    company = await subAuthority(COMPANY, 'C=DE, O=Contoso, CN=Contoso Root');
  });
  afterAll(() => site[Symbol.asyncDispose]());

  async function look(more: Readonly<Record<string, unknown>>): Promise<CheckResult> {
    const result = await site.check(more);
    // In no case does the remedy suggest trusting the authority.
    const remedies = result.causes.filter(({ id }) => id.startsWith('tls-')).flatMap(({ remedy }) => remedy);
    expect(remedies.join('\n')).not.toMatch(/caFiles|trust learn/u);
    return result;
  }

  test.each([
    ['everything', ['ssl_bump bump all'], CONTROLS, CONFIRMED],
    ['everything, and there are no control hosts', ['ssl_bump bump all'], NO_CONTROLS, SUSPECTED],
    ['the name of the licence server', BY_NAME, CONTROLS, SUSPECTED],
    ['the name of the licence server, and there are no control hosts', BY_NAME, NO_CONTROLS, SUSPECTED],
  ])("Squid signs %s with a company's sub-authority and does not send its root", async (_, policy, more, expected) => {
    await using _squid = await site.inspect({ authority: company, policy });
    const result = await look(more);
    expect(conclusionOf(result)).toEqual(expected);
    expect(result.causes).toMatchObject([
      { confidence: expected === CONFIRMED ? 'confirmed' : 'suspected', product: null },
    ]);
    expect(result.causes[0]?.summary).toContain('Contoso TLS Inspection 3');
    expect(evidenceOf(result)).toContain('Contoso TLS Inspection 3');
  });

  test.each([
    ['everything', undefined, CONTROLS, CONFIRMED],
    ['the address of the licence server', LICENSE_SERVER, CONTROLS, CONFIRMED],
    ['the address of the licence server, and there are no control hosts', LICENSE_SERVER, NO_CONTROLS, SUSPECTED],
  ])('SSLsplit copies %s under such a sub-authority', async (_, matching, more, expected) => {
    await using _sslsplit = await site.intercept(sslsplit(company), matching);
    const result = await look(more);
    expect(conclusionOf(result)).toEqual(expected);
    expect(result.causes[0]?.summary).toContain('Contoso TLS Inspection 3');
  });

  test.each(['haproxy', 'nginx', 'stunnel'] as const)(
    '%s shows one certificate of a company in front of the licence server',
    async (program) => {
      await using _ = await site.intercept(front(program, await chainUnder(company)), LICENSE_SERVER);
      expect(conclusionOf(await look(CONTROLS))).toEqual(SUSPECTED);
    },
  );

  test('HAProxy shows one certificate to everybody: confirmed by the control hosts', async () => {
    await using _ = await site.intercept(haproxy(await chainUnder(company)));
    expect(conclusionOf(await look(CONTROLS))).toEqual(CONFIRMED);
  });

  test('HAProxy inspects TLS 1.2 alone: a warning, since newer connections get through', async () => {
    await using _ = await site.intercept(haproxyForTls12(await chainUnder(company)), LICENSE_SERVER);
    const result = await look(CONTROLS);
    expect(conclusionOf(result)).toEqual(readyWithWarning('tls-intercepted'));
    expect(evidenceOf(result)).toContain('TLS 1.2');
  });

  test('HAProxy cuts TLS 1.2 alone: a warning as well', async () => {
    await using _ = await site.intercept(haproxyWithoutTls12(), LICENSE_SERVER);
    const result = await look(CONTROLS);
    expect(conclusionOf(result)).toEqual(readyWithWarning('tls-blocked'));
    expect(evidenceOf(result)).toContain('TLS 1.2 was blocked');
  });

  test.each([
    ['the vendor, with the names of its authorities under other keys', `${VENDOR}, CN=fortinet-subca2001`, CONFIRMED],
    [
      'the vendor, by a name that nobody has seen',
      `${VENDOR}, CN=fortinet-subca2007`,
      unknownWith('vendor-ca-changed'),
    ],
    ['a public authority', PUBLIC, unknownWith('certificate-broken')],
    ['an inspection product', 'C=US, O=Zscaler Inc., CN=Zscaler Intermediate Root CA (zscaler.net)', CONFIRMED],
    ['nothing at all', 'OU=', SUSPECTED],
  ])('the issuer is named after %s', async (_, name, expected) => {
    const authority = await subAuthority(name, `${name} parent`);
    await using _haproxy = await site.intercept(haproxy(await chainUnder(authority)), LICENSE_SERVER);
    expect(conclusionOf(await look(NO_CONTROLS))).toEqual(expected);
  });

  test('a forged certificate with the genuine authorities behind it: confirmed', async () => {
    const { intermediate, root } = site.genuine;
    const namesake = await createIdentity({ name: intermediate.name, authority: true });
    const { leaf } = await chainUnder(namesake);
    await using _ = await site.intercept(nginx({ leaf, sent: [intermediate, root] }, LICENSE_ADDRESS), LICENSE_SERVER);
    expect(conclusionOf(await look(NO_CONTROLS))).toEqual(CONFIRMED);
  });

  test('HAProxy passes the genuine certificate on: ready', async () => {
    const { leaf, intermediate } = site.genuine;
    await using _ = await site.intercept(haproxy({ leaf, sent: [intermediate] }), LICENSE_SERVER);
    expect(conclusionOf(await look(CONTROLS))).toEqual(READY);
  });
});

/** Returns an authority below a root that is never sent. */
async function subAuthority(name: string, rootName: string): Promise<Identity> {
  const root = await createIdentity({ name: rootName, authority: true, key: 'RSA-2048' });
  return createIdentity({ name, issuer: root, authority: true, key: 'RSA-2048' });
}

async function chainUnder(authority: Identity): Promise<ShownChain> {
  const leaf = await createIdentity({
    name: `CN=${LICENSE_HOST}`,
    dnsNames: [LICENSE_HOST],
    issuer: authority,
    key: 'RSA-2048',
  });
  return { leaf, sent: [authority] };
}

function front(program: 'haproxy' | 'nginx' | 'stunnel', shown: ShownChain): ReturnType<typeof haproxy> {
  switch (program) {
    case 'haproxy':
      return haproxy(shown);
    case 'nginx':
      return nginx(shown, LICENSE_ADDRESS);
    case 'stunnel':
      return stunnel(shown, LICENSE_ADDRESS);
  }
}
