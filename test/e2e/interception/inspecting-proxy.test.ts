import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { conclusionOf, evidenceOf, notReady, preconditionOf, READY } from '../../support/process/check-result.ts';
import {
  createInspectedSite,
  GENUINE_AUTHORITY,
  INSPECTED_SITE_NEEDS,
  LICENSE_ADDRESS,
  LICENSE_HOST,
} from '../../support/network/inspected-site.ts';
import type { InspectedSite } from '../../support/network/inspected-site.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const SUBJECT = `${LICENSE_HOST}:443`;
/** Squid reads the ClientHello before it decides. */
const READ_HELLO = 'ssl_bump peek hello';
const BY_NAME = `acl license ssl::server_name ${LICENSE_HOST}`;
const BY_ADDRESS = `acl license dst ${LICENSE_ADDRESS}`;
const INSPECT_ALL = [READ_HELLO, 'ssl_bump bump all'];
const COPY_ALL = ['ssl_bump stare all', 'ssl_bump bump all'];
const INSPECT_LICENSE_SERVER = [READ_HELLO, 'ssl_bump bump license', 'ssl_bump splice all'];

/** Subjects of the proxy's signing certificates. */
const FORTIGATE = 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FG100FTK20012345';
const CORPORATE = 'C=DE, O=Example Corp, CN=Example Corp Root CA';

describeWhere(INSPECTED_SITE_NEEDS, 'a site behind an inspecting proxy', () => {
  let site: InspectedSite;
  const authorities = new Map<string, Identity>();

  function inspect(authority: string, policy: readonly string[]): ReturnType<InspectedSite['inspect']> {
    const signer = authorities.get(authority);
    if (signer === undefined) throw new Error(`Cannot inspect with "${authority}": it was not made`);
    return site.inspect({ authority: signer, policy });
  }

  beforeAll(async () => {
    site = await createInspectedSite();
    for (const name of [FORTIGATE, CORPORATE, GENUINE_AUTHORITY]) {
      authorities.set(name, await createIdentity({ name, authority: true, key: 'RSA-2048' }));
    }
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test('the proxy passes everything on: genuine, over the same path', async () => {
    await using squid = await inspect(CORPORATE, [READ_HELLO, 'ssl_bump splice all']);
    const result = await site.check();
    expect(conclusionOf(result)).toEqual(READY);
    expect(preconditionOf(result, 'tls-genuine')).toMatchObject({ state: 'ok', findings: [] });
    await expect.poll(() => squid.accessLog()).toContain(`TCP_TUNNEL/200`);
  });

  test('a FortiGate signs everything: confirmed, and named, in one check', async () => {
    await using _ = await inspect(FORTIGATE, ['ssl_bump bump all']);
    const result = await site.check();
    expect(conclusionOf(result)).toEqual(notReady('tls-intercepted', 'license-server'));
    expect(result.causes).toMatchObject([{ subject: SUBJECT, confidence: 'confirmed', product: 'Fortinet FortiGate' }]);
    expect(evidenceOf(result)).toContain("issued by FG100FTK20012345, a FortiGate's inspection authority.");
    expect(evidenceOf(result)).toContain('The unrelated host www.fortinet.com:443');
    const commands = result.causes[0]?.remedySteps.map((step) => step.commands).join('\n');
    expect(commands).toContain('set ssl-ssh-profile "no-inspection"');
    expect(rules(result)).toEqual([
      'chain-verifies-under-pin',
      'issuer-is-no-inspection-product',
      'control-host-has-another-issuer',
    ]);
  });

  test.each([
    ['without a look at the hello', ['ssl_bump bump all']],
    ['by the server name in the hello', INSPECT_ALL],
    ['after the certificate of the server, which it copies', COPY_ALL],
  ])('an authority that nobody knows signs everything, %s: confirmed, without a name', async (_, policy) => {
    await using _squid = await inspect(CORPORATE, policy);
    const result = await site.check();
    expect(conclusionOf(result)).toEqual(notReady('tls-intercepted', 'license-server'));
    expect(result.causes).toMatchObject([{ subject: SUBJECT, confidence: 'confirmed', product: null }]);
    expect(evidenceOf(result)).toContain('Example Corp Root CA');
    expect(result.causes[0]?.remedy.join('\n')).not.toContain('FortiGate');
  });

  test('an authority with the genuine name signs everything and copies all other names: confirmed', async () => {
    await using _ = await inspect(GENUINE_AUTHORITY, COPY_ALL);
    const result = await site.check();
    expect(conclusionOf(result)).toEqual(notReady('tls-intercepted', 'license-server'));
    expect(result.causes[0]).toMatchObject({ confidence: 'confirmed', product: null });
  });

  test('only the name of the licence server is inspected: suspected, and just as critical', async () => {
    await using _ = await inspect(CORPORATE, [BY_NAME, ...INSPECT_LICENSE_SERVER]);
    const result = await site.check();
    expect(conclusionOf(result)).toEqual(notReady('tls-interception-suspected', 'license-server'));
    expect(result.causes).toMatchObject([{ subject: SUBJECT, confidence: 'suspected', product: null }]);
    expect(evidenceOf(result)).toContain('Example Corp Root CA');
  });

  test('only the address of the licence server is inspected: confirmed, as another name is signed too', async () => {
    await using _ = await inspect(CORPORATE, [BY_ADDRESS, ...INSPECT_LICENSE_SERVER]);
    const result = await site.check();
    expect(conclusionOf(result)).toEqual(notReady('tls-intercepted', 'license-server'));
    expect(result.causes[0]).toMatchObject({ confidence: 'confirmed', product: null });
    expect(evidenceOf(result)).toContain('The same address with the server name www.fortinet.com');
  });

  test.each([
    ['is inspected with everything else', [BY_NAME, ...INSPECT_ALL, 'http_access deny license']],
    ['alone gets the block page', [BY_ADDRESS, READ_HELLO, 'ssl_bump splice all', 'http_access deny license']],
  ])('the licence server %s, and a block page answers: one cause', async (_, policy) => {
    await using _squid = await inspect(FORTIGATE, policy);
    const result = await site.check();
    expect(conclusionOf(result)).toEqual(notReady('tls-intercepted', 'license-server'));
    expect(result.causes[0]).toMatchObject({ confidence: 'confirmed', product: 'Fortinet FortiGate' });
    expect(preconditionOf(result, 'license-server').findings).toContainEqual(
      expect.objectContaining({ rule: 'no-block-page', subject: SUBJECT }),
    );
  });

  function rules(result: Awaited<ReturnType<InspectedSite['check']>>): readonly string[] {
    return preconditionOf(result, 'tls-genuine').findings.map(({ rule }) => rule);
  }
});
