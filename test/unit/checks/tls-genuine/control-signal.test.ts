import { describe, expect, test } from 'vitest';
import { openCase, type ControlChain, type TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, chainOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { reference } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { corporate } = w;
type Sent = readonly [Identity, ...Identity[]];
const at = (target: string, ...chain: readonly Identity[]): ControlChain => ({ target, chain: chainOf(...chain) });
const host = (name: string, issuer: Identity): Promise<Identity> => w.leafFor(name, issuer, { name: `CN=${name}` });

function told([leaf, ...rest]: Sent, controls: readonly ControlChain[], seen: Partial<TlsEvidence> = {}) {
  const sent = [certificateOf(leaf), ...rest.map(certificateOf)] as const;
  const chain = openCase(sent, w.evidence({ ...seen, controls }), createSignatureChecks());
  return signalsOf(chain).filter(({ rule }) => rule === 'control-host-has-another-issuer');
}

const SAME_ISSUER = 'the same private issuer';
const SAME_KEY = 'the same certificate key';
const company: Sent = [w.byCorporateSub, corporate.sub];
const iana = await host('www.iana.org', corporate.sub);
const vendorHost = await host('support.fortinet.com', corporate.sub);
const vendorsOwn = await host('support.fortinet.com', w.newSub);
const byProduct = await host('support.fortinet.com', w.fortigate);
const namesakeRoot = await createIdentity({ name: corporate.sub.name, authority: true });
const byNamesake = await host('www.iana.org', namesakeRoot);
const renamed = await createIdentity({ name: 'O=Acme AG, CN=Renamed', authority: true, keys: corporate.sub.keys });
const byRenamed = await host('www.iana.org', renamed);
const likeVendorHost = await host('www.iana.org', w.newSub);
const nameless = await createIdentity({ name: '', authority: true });
const likeRoot = await createIdentity({ name: 'O=Public Trust, CN=Root X9', authority: true });
const likePublic = await createIdentity({ name: 'O=Public Trust, CN=R99', authority: true, issuer: likeRoot });
const likePublicHost = await host('www.iana.org', likePublic);
const otherHost = await host('www.wikipedia.org', likePublic);
const claimsPublic: Sent = [await w.leaf(likePublic), likePublic];
const byNameless: Sent = [await w.leaf(nameless)];
const hostOfNameless = await host('www.iana.org', nameless);
const shared = await createIdentity({ name: 'CN=portal', dnsNames: ['portal.example'], issuer: w.public.sub });
const both = await createIdentity({
  name: 'CN=cdn',
  dnsNames: ['fortitokenmobile.fortinet.com', 'www.iana.org'],
  issuer: w.public.sub,
});
const byCommonName = await createIdentity({ name: 'CN=fortinet-ca2.fortinet.com', issuer: corporate.sub });

describe('a control host', () => {
  test.each<readonly [string, Sent, readonly ControlChain[], string | null]>([
    ['under the same issuer, sent by both', company, [at('www.iana.org:443', iana, corporate.sub)], SAME_ISSUER],
    [
      'under the same issuer, sent by it alone',
      [w.byCorporateSub],
      [at('www.iana.org:443', iana, corporate.sub)],
      SAME_ISSUER,
    ],
    ['under the same issuer, sent by the target alone', company, [at('www.iana.org:443', iana)], SAME_ISSUER],
    ['under the same issuer, sent by none', [w.byCorporateSub], [at('www.iana.org:443', iana)], SAME_ISSUER],
    ['the second of two', company, [w.cleanControl, at('www.iana.org:443', iana)], SAME_ISSUER],
    ['with the certificate of the target', [shared], [at('www.iana.org:443', shared)], SAME_KEY],
    ['with one certificate for both', [both], [at('www.iana.org:443', both)], null],
    ['under the same key with another name', company, [at('www.iana.org:443', byRenamed, renamed)], SAME_ISSUER],
    [
      'under the same key with another name, sent by none',
      [w.byCorporateSub],
      [at('www.iana.org:443', byRenamed)],
      null,
    ],
    [
      'of a stranger, under an authority of the vendor',
      [w.byNewSub],
      [at('www.iana.org:443', likeVendorHost)],
      SAME_ISSUER,
    ],
    ['that is clean', company, [w.cleanControl], null],
    ['that showed nothing', company, [at('www.iana.org:443')], null],
    ['under another key of the same name', company, [at('www.iana.org:443', byNamesake, namesakeRoot)], null],
    [
      'under another key of the same name, sent by none',
      [w.byCorporateSub],
      [at('www.iana.org:443', byNamesake)],
      null,
    ],
    ['under another issuer, sent by none', [w.byCorporateSub], [at('www.iana.org:443', likePublicHost)], null],
    ['under an issuer without a name, sent by none', byNameless, [at('www.iana.org:443', hostOfNameless)], null],
    ['of the vendor, under its new authority', [w.byNewSub], [at('support.fortinet.com:443', vendorsOwn)], null],
    ['of the vendor, under a company authority', company, [at('support.fortinet.com:443', vendorHost)], SAME_ISSUER],
    ['of the vendor, under a product', [w.byFortigate], [at('support.fortinet.com:443', byProduct)], SAME_ISSUER],
    ['under a public name, the only one', claimsPublic, [at('www.iana.org:443', likePublicHost)], null],
    [
      'under a public name, one of two',
      claimsPublic,
      [at('www.iana.org:443', likePublicHost), { ...w.cleanControl, target: 'www.wikipedia.org:443' }],
      null,
    ],
    [
      'under a public name, all of two',
      claimsPublic,
      [at('www.iana.org:443', likePublicHost), at('www.wikipedia.org:443', otherHost)],
      SAME_ISSUER,
    ],
  ])('%s', (_, sent, controls, what) => {
    const signals = told(sent, controls);
    const target: unknown = expect.stringMatching(
      /^A different issuer on \S+:443, which is unrelated to fortitokenmobile\.fortinet\.com:443$/u,
    );
    expect(signals).toEqual(
      [what ?? []].flat().map((shown) => ({
        rule: 'control-host-has-another-issuer',
        weight: 'witness',
        witness: 'other-host',
        claim: expect.stringMatching(new RegExp(`^The unrelated host \\S+:443 presents ${shown}: [\\w -]+\\.$`, 'u')),
        expected: target,
        fullNames: [expect.stringContaining('CN=')],
      })),
    );
  });
});

describe('a certificate for a control host at the same address', () => {
  const with_ = (kind: 'server-name' | 'address', leaf: Identity) => ({ references: reference(kind, leaf) });
  const shows = (kind: 'server-name' | 'address', leaf: Identity) => ({
    references: [{ kind, label: 'www.iana.org', chain: chainOf(leaf) }],
  });
  test.each<readonly [string, Sent, Partial<TlsEvidence>, number]>([
    ['was made on demand', company, with_('server-name', byCommonName), 1],
    ['is for another name', company, with_('server-name', iana), 0],
    ['was made on demand, under a public name', claimsPublic, shows('server-name', likePublicHost), 1],
    ['is that of another path', company, shows('address', iana), 0],
    ['came from another address', company, with_('address', byCommonName), 0],
    ['was not shown', company, { references: [{ kind: 'server-name', label: 'www.iana.org', chain: chainOf() }] }, 0],
  ])('%s', (_, sent, seen, count) => {
    const signals = told(sent, [], seen);
    expect(signals).toHaveLength(count);
    for (const { claim } of signals) expect(claim).toMatch(/^The same address with the server name \S+ presents/u);
  });
});
