import '../../../../src/demo/lab/reflect-metadata.ts';
import { AuthorityInfoAccessExtension, CRLDistributionPointsExtension, type Extension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import type { TlsEvidence, Verdict } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, corporate, byCorporateSub, leaf, evidence } = w;

const verdictBy = (around: Partial<TlsEvidence>): Verdict =>
  judgeTls(evidence({ ...sees(byCorporateSub, corporate.sub), ...around })).verdict;

describe('judgeTls() on headers of proxies', () => {
  test.each([
    'proxy-connection',
    'x-bluecoat-via',
    'x-iwsaas-via',
    'x-mwg-via',
    'x-sophos-wsa-clientip',
    'zsa-version',
  ])('takes %s for a witness', (trace) => {
    expect(verdictBy({ traces: ['via: 1.1 cdn', trace] })).toBe('intercepted');
    expect(judgeTls(evidence({ traces: [trace] })).verdict).toBe('genuine');
  });

  test.each(['via: 1.1 varnish', 'via: 1.1 x-mwg-via', 'x-cache', 'x-cache-lookup', 'x-squid-error'])(
    'takes no %s for one',
    (trace) => {
      expect(verdictBy({ traces: [trace] })).toBe('interception-suspected');
    },
  );

  test('shows the header, not what a content network adds', () => {
    const { findings } = judgeTls(evidence({ ...sees(byCorporateSub), traces: ['via: 1.1 cdn', 'x-mwg-via'] }));
    expect(findings.find(({ rule }) => rule === 'no-forward-proxy-headers')?.claim).toBe(
      'The answer has headers that only forward proxies add: x-mwg-via.',
    );
  });
});

describe('judgeTls() on where the issuer can be found', () => {
  const revocation = (url: string): Extension => new CRLDistributionPointsExtension([url]);
  const withUrl = async (issuer: Identity, extension: Extension): Promise<Verdict> =>
    judgeTls(evidence(sees(await leaf(issuer, { extensions: [extension] }), issuer))).verdict;

  test.each([
    'ldap:///CN=acme-CA,CN=DC01,CN=CDP,DC=acme,DC=local?certificateRevocationList?base',
    'ldaps://ldap.example.org/cn=x',
    'http://pki/ca.crl',
    'http://pki.acme.local/ca.crl',
    'http://pki.acme.internal./ca.crl',
    'https://10.1.2.3:8443/ca.crl',
    'http://[fd00::1]/ca.crl',
    'http://127.0.0.1/ca.crl',
    'http://169.254.1.1/ca.crl',
    'http://user@pki.corp/ca.crl',
  ])('takes %s for a witness', async (url) => {
    expect(await withUrl(corporate.sub, revocation(url))).toBe('intercepted');
  });

  test.each([
    'http://crl.example.org/ca.crl',
    'http://93.184.216.34/ca.crl',
    'ftp://pki/ca.crl',
    'http:///ca.crl',
    'nonsense',
    'http://locals.example/x',
  ])('takes no %s for one', async (url) => {
    expect(await withUrl(corporate.sub, revocation(url))).toBe('interception-suspected');
  });

  test('looks at the sub-authority too, and at the URL of its issuer', async () => {
    const access = new AuthorityInfoAccessExtension({ caIssuers: ['http://pki.acme.lan/root.crt'] });
    const sub = await createIdentity({
      name: 'O=Acme AG, CN=Sub',
      authority: true,
      issuer: corporate.root,
      extensions: [access],
    });
    const { verdict, findings } = judgeTls(evidence(sees(await leaf(sub), sub)));
    expect(verdict).toBe('intercepted');
    expect(findings.find(({ rule }) => rule === 'issuer-is-found-on-the-internet')?.quote).toBe(
      'http://pki.acme.lan/root.crt',
    );
  });

  test('knows public authorities by a directory on the internet, and none by a directory without a host', async () => {
    expect(await withUrl(w.public.otherSub, revocation('ldap://directory.example.org/CN=CA'))).toBe(
      'vendor-ca-changed',
    );
    const unsent = await leaf(w.public.otherSub, { extensions: [revocation('ldap://directory.example.org/CN=CA')] });
    expect(judgeTls(evidence(sees(unsent))).verdict).toBe('certificate-broken');
    const internal = await leaf(w.public.otherSub, { extensions: [revocation('ldap:///CN=CA')] });
    expect(judgeTls(evidence(sees(internal))).verdict).toBe('intercepted');
  });

  test('asks nothing of a genuine chain', async () => {
    expect(await withUrl(genuine.sub, revocation('ldap:///CN=CA'))).toBe('genuine');
  });
});

describe('judgeTls() on a certificate for another name', () => {
  const forWhom = async (dnsNames: readonly string[]): Promise<string | undefined> => {
    const other = await createIdentity({ name: 'O=Fortinet, CN=other', dnsNames, issuer: genuine.sub });
    return judgeTls(evidence(sees(other, genuine.sub))).findings.find(
      ({ rule }) => rule === 'certificate-names-the-server',
    )?.claim;
  };

  test('says for which, or else its subject', async () => {
    expect(await forWhom(['a.example', 'b.example'])).toBe('The certificate is for a.example, b.example.');
    expect(await forWhom(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('The certificate is for a, b and 4 more.');
    expect(await forWhom([])).toBe('The certificate is for other.');
  });
});

describe('judgeTls() on an issuer that the catalogue does not know', () => {
  test('names it in the summary and to the texts of the cause, bounded and visible', async () => {
    const contoso = await createIdentity({ name: 'O=Contoso, CN=Contoso TLS Inspection 3', authority: true });
    const { summary, findings, product } = judgeTls(evidence(sees(await leaf(contoso))));
    expect(summary).toContain('by "Contoso TLS Inspection 3", which is not in the product catalogue');
    expect(product).toBeNull();
    expect(findings[0]?.facts).toMatchObject({ issuer: 'Contoso TLS Inspection 3' });
    const long = await createIdentity({ name: `CN=${'x'.repeat(200)}`, authority: true });
    expect(judgeTls(evidence(sees(await leaf(long)))).findings[0]?.facts?.issuer).toHaveLength(80);
  });

  test('falls back to the organization, and to no name at all', async () => {
    const plain = await createIdentity({ name: 'O=Contoso', authority: true });
    expect(judgeTls(evidence(sees(await leaf(plain)))).findings[0]?.facts?.issuer).toBe('Contoso');
    const root = await createIdentity({ name: '', authority: true });
    const nameless = await createIdentity({ name: '', authority: true, issuer: root });
    const { summary, findings } = judgeTls(evidence(sees(await leaf(nameless), nameless)));
    expect(summary).toContain('by an inspecting device that is not in the product catalogue');
    expect(findings[0]?.facts).not.toHaveProperty('issuer');
  });
});
