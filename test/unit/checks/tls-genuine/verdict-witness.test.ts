import '../../../support/reflect-metadata.ts';
import { AuthorityInfoAccessExtension, CRLDistributionPointsExtension, type Extension } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import type { TlsEvidence, Verdict } from '../../../../src/checks/tls-genuine/tls-evidence.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity, type Identity } from '../../../support/authority.ts';
import { chainOf } from '../../../support/chains.ts';
import { createCast } from '../../../support/verdict-cast.ts';
import { PUBLIC, reference, sees } from '../../../support/verdict-rows.ts';

const w = await createCast();
const { genuine, corporate, server, byCorporateSub, now, leaf, leafFor, evidence, control, cleanControl } = w;

/** A chain as an inspecting device sends it: its sub-authority, and not the root above it. */
interface Sender {
  readonly sub: Identity;
  readonly leaf: Identity;
}

async function sender(subName: string, rootName: string): Promise<Sender> {
  const root = await createIdentity({ name: rootName, authority: true });
  const sub = await createIdentity({ name: subName, authority: true, issuer: root });
  return { sub, leaf: await leaf(sub) };
}

const company: Sender = { sub: corporate.sub, leaf: byCorporateSub };
const nameless = await sender('', '');
const directory = await sender('DC=local, DC=acme, CN=acme-DC01-CA', 'DC=local, DC=acme, CN=acme-root');
const likePublic = await sender('C=US, O=Public Trust, CN=TLS Inspection', 'C=US, O=Public Trust, CN=Inspection Root');
const likeVendor = await sender('C=US, O=Fortinet, CN=TLS 3', 'C=US, O=Fortinet, CN=Root 3');

interface Row {
  readonly name: string;
  readonly by: Sender;
  readonly around?: Partial<TlsEvidence>;
  readonly verdict: Verdict;
}

const ROWS: readonly Row[] = [
  { name: 'a company authority, its root not sent', by: company, verdict: 'interception-suspected' },
  {
    name: 'the same, control host clean',
    by: company,
    around: { controls: [cleanControl] },
    verdict: 'interception-suspected',
  },
  { name: "a directory's authority without an organization", by: directory, verdict: 'interception-suspected' },
  { name: 'an authority without a name', by: nameless, verdict: 'interception-suspected' },
  { name: "an authority of the vendor's name", by: likeVendor, verdict: 'vendor-ca-changed' },
  { name: "an authority of a public one's name", by: likePublic, verdict: 'certificate-broken' },
  {
    name: 'a company authority, genuine until a minute ago',
    by: company,
    around: { remembered: { at: now - 60_000, label: 'Fortinet_CA' } },
    verdict: 'interception-suspected',
  },
  {
    name: 'a company authority where another was learned',
    by: company,
    around: { baseline: w.baseline(server, genuine.sub) },
    verdict: 'interception-suspected',
  },
  {
    name: 'a company authority, the genuine key with another server name',
    by: company,
    around: { references: reference('server-name', server, genuine.sub) },
    verdict: 'interception-suspected',
  },
  {
    name: 'a company authority on a control host',
    by: company,
    around: { controls: [await control('www.iana.org', corporate.sub)] },
    verdict: 'intercepted',
  },
  {
    name: 'a company authority, the genuine key at another address',
    by: company,
    around: { references: reference('address', server, genuine.sub) },
    verdict: 'intercepted',
  },
  {
    name: 'a company authority, the same at another address',
    by: company,
    around: { references: reference('address', company.leaf, company.sub) },
    verdict: 'interception-suspected',
  },
  ...(['resolver', 'proxy'] as const).map((kind) => ({
    name: `an authority of the vendor's name, the genuine key by another ${kind}`,
    by: likeVendor,
    around: { references: reference(kind, server, genuine.sub) },
    verdict: 'intercepted' as const,
  })),
  {
    name: "an authority of the vendor's name on a control host",
    by: likeVendor,
    around: { controls: [await control('www.iana.org', likeVendor.sub)] },
    verdict: 'intercepted',
  },
  {
    name: "an authority of a public one's name on the only control host",
    by: likePublic,
    around: { controls: [await control('www.iana.org', likePublic.sub)] },
    verdict: 'certificate-broken',
  },
  {
    name: "an authority of a public one's name on one control host of two",
    by: likePublic,
    around: {
      controls: [await control('www.iana.org', likePublic.sub), await control('www.example.org', w.public.sub)],
    },
    verdict: 'certificate-broken',
  },
  {
    name: "an authority of a public one's name on every control host",
    by: likePublic,
    around: {
      controls: [await control('www.iana.org', likePublic.sub), await control('www.example.org', likePublic.sub)],
    },
    verdict: 'intercepted',
  },
  {
    name: "an authority of a public one's name that signs for any name",
    by: likePublic,
    around: {
      references: [
        {
          kind: 'server-name',
          label: 'www.iana.org',
          chain: chainOf(await leafFor('www.iana.org', likePublic.sub), likePublic.sub),
        },
      ],
    },
    verdict: 'intercepted',
  },
];

describe('judgeTls() on an authority that sends no root', () => {
  test.each(ROWS)('$verdict: $name', ({ by, around, verdict }) => {
    const judgement = judgeTls(evidence({ ...around, ...sees(by.leaf, by.sub) }));
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.confidence).toBe(verdict === 'intercepted' ? 'confirmed' : 'suspected');
    const confidences = new Set(
      judgement.findings.flatMap(({ suggests, confidence }) => (suggests === null ? [] : [confidence])),
    );
    expect([...confidences]).toEqual([judgement.confidence]);
  });

  test.each([
    { name: 'not sent', chain: [byCorporateSub] },
    { name: 'sent with its root', chain: [byCorporateSub, corporate.sub, corporate.root] },
  ])('suspects a company authority that is $name', ({ chain }) => {
    expect(judgeTls(evidence(sees(...chain))).verdict).toBe('interception-suspected');
  });

  test('keeps a public chain without its intermediate a warning', () => {
    const { findings, settle } = judgeTls(evidence({ ...PUBLIC, ...sees(w.publicServer) }));
    expect(findings).toMatchObject([{ level: 'warning', suggests: 'certificate-broken', confidence: 'suspected' }]);
    expect(findings[0]?.advice?.remedy[0]).toContain('has to send the intermediate');
    expect(settle).toContain('intermediate certificates');
  });

  test('says until when the chain was genuine, and that it was learned', () => {
    const remembered = { at: Date.parse('2026-11-25T12:03:07.500Z'), label: 'Fortinet_CA (fortinet-ca2)' };
    const { findings } = judgeTls(
      evidence({ ...sees(byCorporateSub, corporate.sub), remembered, baseline: w.baseline(server, genuine.sub) }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        rule: 'genuine-as-before',
        expected: 'A chain to Fortinet_CA (fortinet-ca2), genuine until 2026-11-25T12:03:07Z',
        suggests: 'tls-interception-suspected',
      }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        rule: 'issuer-as-learned',
        expected: expect.stringContaining('CN=fortinet-subca2001'),
      }),
    );
  });

  test('says nothing of what was before where the chain is genuine', () => {
    const remembered = { at: now, label: 'Fortinet_CA' };
    expect(judgeTls(evidence({ remembered })).findings).toEqual([]);
  });
});

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
    expect(findings.find(({ rule }) => rule === 'no-forward-proxy-headers')?.actual).toBe(
      'The answer carries x-mwg-via',
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
    expect(findings.find(({ rule }) => rule === 'issuer-is-found-on-the-internet')?.actual).toContain(
      'http://pki.acme.lan/root.crt',
    );
  });

  test('knows public authorities that name a directory of the internet, and none of a directory without a host', async () => {
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
    )?.actual;
  };

  test('says for which, or else its subject', async () => {
    expect(await forWhom(['a.example', 'b.example'])).toBe('It is for a.example, b.example');
    expect(await forWhom(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('It is for a, b, c, d and 2 more');
    expect(await forWhom([])).toBe('It is for O=Fortinet, CN=other');
  });
});

describe('judgeTls() on an issuer that the catalogue does not know', () => {
  test('names it in the summary and to the texts of the cause, bounded and visible', async () => {
    const contoso = await createIdentity({ name: 'O=Contoso, CN=Contoso TLS Inspection 3', authority: true });
    const { summary, findings, product } = judgeTls(evidence(sees(await leaf(contoso))));
    expect(summary).toContain('by "Contoso TLS Inspection 3", which the catalogue does not know');
    expect(product).toBeNull();
    expect(findings[0]?.facts).toMatchObject({ issuer: 'Contoso TLS Inspection 3' });
    const long = await createIdentity({ name: `CN=${'x'.repeat(200)}`, authority: true });
    expect(judgeTls(evidence(sees(await leaf(long)))).findings[0]?.facts?.issuer).toHaveLength(80);
  });

  test('falls back to the organization, and to no name at all', async () => {
    const plain = await createIdentity({ name: 'O=Contoso', authority: true });
    expect(judgeTls(evidence(sees(await leaf(plain)))).findings[0]?.facts?.issuer).toBe('Contoso');
    const { summary, findings } = judgeTls(evidence(sees(nameless.leaf, nameless.sub)));
    expect(summary).toContain('by an authority without a name');
    expect(findings[0]?.facts).not.toHaveProperty('issuer');
  });
});
