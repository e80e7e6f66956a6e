import { describe, expect, test } from 'vitest';
import type { TlsEvidence, Verdict } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { chainOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PUBLIC, reference, sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, corporate, server, byCorporateSub, leaf, leafFor, evidence, control, cleanControl } = w;

/** A chain as an inspecting device sends it, with its sub-authority but without the root above it. */
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
    const { findings, wouldSettle } = judgeTls(evidence({ ...PUBLIC, ...sees(w.publicServer) }));
    expect(findings).toMatchObject([{ level: 'warning', suggests: 'certificate-broken', confidence: 'suspected' }]);
    expect(findings[0]?.advice?.remedy[0]).toContain('must send the intermediate');
    expect(wouldSettle).toContain('intermediate certificates');
  });
});
