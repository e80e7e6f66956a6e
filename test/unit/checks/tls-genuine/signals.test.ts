import '../../../../src/demo/lab/reflect-metadata.ts';
import { AuthorityInfoAccessExtension, CRLDistributionPointsExtension } from '@peculiar/x509';
import { expect, test } from 'vitest';
import {
  openCase,
  type ControlChain,
  type ReferenceChain,
  type TlsEvidence,
} from '../../../../src/checks/tls-genuine/chain-case.ts';
import { type Signal, signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import type { Trust } from '../../../../src/tls/trust.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, certificateOf, chainOf, pinOf } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PUBLIC, reference } from '../../../support/certificates/verdict-rows.ts';

type Seen = Partial<TlsEvidence>;
type Sent = readonly [Identity, ...Identity[]];

const w = await createCast();
const { genuine, copied, corporate, server } = w;
const authority = (name: string, more: object = {}): Promise<Identity> =>
  createIdentity({ name, authority: true, ...more });
const company: Sent = [w.byCorporateSub, corporate.sub];
const unsent: Sent = [w.byCorporateSub];
const likeRoot = await authority('O=Public Trust, CN=Root X9');
const likePublic = await authority('O=Public Trust, CN=R99', { issuer: likeRoot });
const claimsPublic: Sent = [await w.leaf(likePublic), likePublic];

function signals(rule: string, [leaf, ...rest]: Sent, seen: Seen): readonly Signal[] {
  const sent = [certificateOf(leaf), ...rest.map(certificateOf)] as const;
  const found = signalsOf(openCase(sent, w.evidence(seen), createSignatureChecks()));
  return found.filter((signal) => signal.rule === rule);
}

function weights(rule: string, sent: Sent, seen: Seen): readonly string[] {
  return signals(rule, sent, seen).map(({ weight }) => weight);
}

const PRODUCT = 'issuer-is-no-inspection-product';
const above = { name: w.fortigate.name, authority: true, issuer: corporate.root };

test('an inspection product is found anywhere above the leaf, sent or not', async () => {
  const below = await authority('O=Acme AG, CN=Sub', { issuer: w.fortigate });
  const between = await createIdentity(above);
  const belowBoth = await authority('O=Acme AG, CN=Sub', { issuer: between });
  const [leaf, other] = [await w.leaf(below), await w.leaf(belowBoth)];
  for (const sent of [
    [leaf, below],
    [leaf, below, w.fortigate],
    [other, belowBoth, between, corporate.root],
  ] as const)
    expect(signals(PRODUCT, sent, {})).toMatchObject([{ weight: 'witness', facts: { product: 'Fortinet FortiGate' } }]);
  expect(signals(PRODUCT, company, {})).toEqual([]);
});

test.each<readonly [string, boolean]>([
  ['proxy-connection', true],
  ['x-bluecoat-via', true],
  ['x-iwsaas-via', true],
  ['x-mwg-via', true],
  ['x-sophos-wsa-clientip', true],
  ['zsa-anything', true],
  ['via: 1.1 x-mwg-via', false],
  ['my-x-mwg-via', false],
  ['x-mwg-via-count', false],
  ['x-cache-lookup', false],
  ['x-squid-error', false],
])('the header of a forward proxy: %s: %s', (trace, isWitness) => {
  const found = weights('no-forward-proxy-headers', company, { traces: ['via: 1.1 cdn', trace] });
  expect(found).toEqual(isWitness ? ['witness'] : []);
});

const at = (target: string, ...chain: readonly Identity[]): ControlChain => ({ target, chain: chainOf(...chain) });
const atIana = (...chain: readonly Identity[]): ControlChain => at('www.iana.org:443', ...chain);
const atVendor = (...chain: readonly Identity[]): ControlChain => at('support.fortinet.com:443', ...chain);
const host = (name: string, issuer: Identity): Promise<Identity> => w.leafFor(name, issuer, { name: `CN=${name}` });
const iana = await host('www.iana.org', corporate.sub);
const namesake = await authority(corporate.sub.name);
const byNamesake = await host('www.iana.org', namesake);
const renamed = await authority('O=Acme AG, CN=Renamed', { keys: corporate.sub.keys });
const byRenamed = await host('www.iana.org', renamed);
const nameless = await authority('');
const likePublicHost = await host('www.iana.org', likePublic);
const otherHost = await host('www.wikipedia.org', likePublic);
const cleanToo = { ...w.cleanControl, target: 'www.wikipedia.org:443' };
const portal = await createIdentity({ name: 'CN=portal', dnsNames: ['portal.example'], issuer: w.public.sub });
const names = ['fortitokenmobile.fortinet.com', 'www.iana.org'];
const both = await createIdentity({ name: 'CN=cdn', dnsNames: names, issuer: w.public.sub });

const CONTROL_HOST = 'control-host-has-another-issuer';

test.each<readonly [string, Sent, readonly ControlChain[]]>([
  ['under the same issuer, sent by both', company, [atIana(iana, corporate.sub)]],
  ['under the same issuer, sent by it alone', unsent, [atIana(iana, corporate.sub)]],
  ['under the same issuer, sent by the target alone', company, [atIana(iana)]],
  ['under the same issuer, sent by none', unsent, [atIana(iana)]],
  ['under the same issuer, the second of two', company, [w.cleanControl, atIana(iana)]],
  ['with the same certificate', [portal], [atIana(portal)]],
  ['under the same key with another name', company, [atIana(byRenamed, renamed)]],
  ['of a stranger, under an authority of the vendor', [w.byNewSub], [atIana(await host('www.iana.org', w.newSub))]],
  ['of the vendor, under a company authority', company, [atVendor(await host('support.fortinet.com', corporate.sub))]],
  ['of the vendor, under a product', [w.byFortigate], [atVendor(await host('support.fortinet.com', w.fortigate))]],
  ['under a public name, all of two', claimsPublic, [atIana(likePublicHost), at('www.wikipedia.org:443', otherHost)]],
])('a control host is a witness: %s', (_, sent, controls) => {
  expect(signals(CONTROL_HOST, sent, { controls })).toMatchObject([{ weight: 'witness', witness: 'other-host' }]);
});

test.each<readonly [string, Sent, readonly ControlChain[]]>([
  ['with one certificate for both', [both], [atIana(both)]],
  ['under the same key with another name, sent by none', unsent, [atIana(byRenamed)]],
  ['that is clean', company, [w.cleanControl]],
  ['that showed nothing', company, [atIana()]],
  ['under another key of the same name', company, [atIana(byNamesake, namesake)]],
  ['under another key of the same name, sent by none', unsent, [atIana(byNamesake)]],
  ['under another issuer, sent by none', unsent, [atIana(likePublicHost)]],
  ['under a nameless issuer', [await w.leaf(nameless)], [atIana(await host('www.iana.org', nameless))]],
  ['of the vendor, under its new authority', [w.byNewSub], [atVendor(await host('support.fortinet.com', w.newSub))]],
  ['under a public name, the only one', claimsPublic, [atIana(likePublicHost)]],
  ['under a public name, one of two', claimsPublic, [atIana(likePublicHost), cleanToo]],
])('a control host is none: %s', (_, sent, controls) => {
  expect(signals(CONTROL_HOST, sent, { controls })).toEqual([]);
});

const shows = (kind: 'server-name' | 'address', label: string, ...chain: readonly Identity[]): Seen => ({
  references: [{ kind, label, chain: chainOf(...chain) }],
});
const byCommonName = await createIdentity({ name: 'CN=ca2.fortinet.com', issuer: corporate.sub });

test.each<readonly [string, Sent, Seen, boolean]>([
  ['is a witness', company, shows('server-name', 'ca2.fortinet.com', byCommonName), true],
  ['is a witness, under a public name', claimsPublic, shows('server-name', 'www.iana.org', likePublicHost), true],
  ['is none, for another name', company, shows('server-name', 'ca2.fortinet.com', iana), false],
  ['is none, at another address', company, shows('address', 'www.iana.org', iana), false],
  ['is none, where it was not shown', company, shows('server-name', 'www.iana.org'), false],
])('a certificate that the target has for a control host %s', (_, sent, seen, isWitness) => {
  expect(weights(CONTROL_HOST, sent, seen)).toEqual(isWitness ? ['witness'] : []);
});

const NOTHING: Trust = { ...w.trust, pins: [], anchors: [] };
const only = (...anchors: readonly Identity[]): Seen => ({
  trust: { ...NOTHING, anchors: anchors.map((one) => anchorOf(one)) },
});
const learned: Seen = { baseline: w.baseline(server, genuine.sub) };

const COPY = 'names-belong-to-their-keys';
const forged = await w.leaf(copied.sub);
/** Returns a new leaf under an authority of this name, and the authority. */
const under = async (name: string): Promise<Sent> => {
  const top = await authority(name);
  return [await w.leaf(top), top];
};

test.each<readonly [string, Sent, Seen]>([
  ['where a chain ends', [forged, copied.sub, copied.root], {}],
  ['between others', [forged, copied.sub], only(genuine.sub)],
  ['without the country and the mail address', await under('O=Fortinet, CN=fortinet-ca2'), {}],
  ['of a public root', await under(w.public.root.name), {}],
  ['appended to a chain that ends', [w.byCorporateSub, corporate.sub, corporate.root, copied.sub], {}],
  ['of the issuer, who is held and has not signed', [forged], only(genuine.sub)],
  ['of the issuer, who is held and was learned', [forged], { ...learned, ...only(genuine.sub) }],
  [
    'of the issuer, who was learned and is sent along',
    [forged, genuine.sub],
    { ...learned, trust: { ...NOTHING, pins: [pinOf(genuine.root)] } },
  ],
])('the name of a known authority under another key is a witness: %s', (_, sent, seen) => {
  expect(weights(COPY, sent, seen)).toEqual(['witness']);
});

test.each<readonly [string, Seen]>([
  ['of the issuer', { ...learned, trust: NOTHING }],
  ['of one of several', { baseline: w.baseline(server, corporate.sub, genuine.sub), trust: NOTHING }],
  ['of the issuer, where others are held', { ...learned, ...only(w.ownRoot) }],
])('the name of a known authority under another key is a hint where it was only learned: %s', (_, seen) => {
  expect(weights(COPY, [forged], seen)).toEqual(['hint']);
});

test.each<readonly [string, Sent, Seen]>([
  ['the chain is genuine', [server, genuine.sub, genuine.root], {}],
  ['nobody with this name is known', [forged, copied.sub, copied.root], { trust: NOTHING }],
  [
    'only the hash of a key is known',
    [forged, copied.sub],
    { trust: { ...NOTHING, pins: [pinOf(genuine.sub, 'configured')] } },
  ],
  ['it is appended to a chain that does not end', [w.byCorporateSub, copied.sub], {}],
  ['it is another name', await under('O=Fortinet, CN=fortinet-ca9'), {}],
  ['it is another organization', await under('O=Acme, CN=fortinet-ca2'), {}],
  ['only the organization is named', await under('O=Fortinet'), only(await authority('O=Fortinet'))],
  ['nobody is named at all', await under('C=US'), only(await authority('C=US'))],
])('the name of a known authority under another key is none where %s', (_, sent, seen) => {
  expect(weights(COPY, sent, seen)).toEqual([]);
});

const original = certificateOf(server);
const dates = { notBefore: new Date(original.notBefore), notAfter: new Date(original.notAfter) };
const dayBefore = { notBefore: new Date(original.notBefore - DAY_MS) };
const dayAfter = { notAfter: new Date(original.notAfter + DAY_MS) };
const serial = { serial: original.serial.replaceAll(':', '') };

test.each<readonly [string, Identity, Seen, boolean]>([
  ['its dates, as learned', await w.leaf(corporate.sub, dates), learned, true],
  [
    'its dates, as seen elsewhere',
    await w.leaf(corporate.sub, dates),
    { references: reference('address', server, genuine.sub) },
    true,
  ],
  ['its serial', await w.leaf(corporate.sub, { ...serial, ...dayBefore }), learned, true],
  ['its beginning alone', await w.leaf(corporate.sub, { ...dates, ...dayAfter }), learned, false],
  ['its end alone', await w.leaf(corporate.sub, { ...dates, ...dayBefore }), learned, false],
  ['its dates, under its own authority', await w.leaf(genuine.sub, dates), learned, false],
  ['its key', await w.leaf(corporate.sub, { ...dates, keys: server.keys }), learned, false],
])('the name of a known authority under another key is a hint if it is the leaf: %s: $3', (_, leaf, seen, isHint) => {
  expect(weights(COPY, [leaf], { ...seen, trust: NOTHING })).toEqual(isHint ? ['hint'] : []);
});

const REFERENCE = 'reference-path-agrees';
const shown = (kind: ReferenceChain['kind'], ...chain: readonly Identity[]): ReferenceChain => ({
  kind,
  label: 'there',
  chain: chainOf(...chain),
});
const likeVendor: Sent = [w.byNewSub, w.newSub];
const byOlder = await w.leafFor('globalftm.example.net', genuine.older);
const weak = await w.leaf(genuine.sub, { key: 'RSA-1024' });
const genuineBy = (kind: ReferenceChain['kind']): ReferenceChain => shown(kind, server, genuine.sub);

test.each<readonly [string, Sent, readonly ReferenceChain[], Seen]>([
  ['at another resolver', likeVendor, [genuineBy('resolver')], {}],
  ['in another version of TLS', likeVendor, [genuineBy('tls-version')], {}],
  ['at another address of a company', company, [genuineBy('address')], {}],
  ["where a device's certificate is shown here", [w.device, genuine.sub], [genuineBy('resolver')], {}],
  ['on two paths', company, [genuineBy('resolver'), genuineBy('tls-version')], {}],
  ['under a public authority that counts', company, [shown('tls-version', w.publicServer, w.public.sub)], PUBLIC],
])('the genuine key on another path is one witness: %s', (_, sent, references, seen) => {
  expect(weights(REFERENCE, sent, { ...seen, references })).toEqual(['witness']);
});

test.each<readonly [string, Sent, ReferenceChain, Seen]>([
  ['the authority is right, but the name is not', [w.misnamed, genuine.sub], genuineBy('resolver'), {}],
  ['another trusted authority signed for another name', [byOlder, genuine.older], genuineBy('resolver'), {}],
  ['the authority is right, but not the key', [weak, genuine.sub], genuineBy('address'), {}],
  ["the vendor's nodes are renewed in turn", likeVendor, genuineBy('address'), {}],
  ['it has another name there', company, shown('tls-version', w.misnamed, genuine.sub), {}],
  ["it is in a device's certificate there", company, shown('tls-version', w.device, genuine.sub), {}],
  ['another server name was sent', company, genuineBy('server-name'), {}],
  ['nothing was shown', company, shown('tls-version'), {}],
  ['a stranger was shown', company, shown('tls-version', ...company), {}],
  ['a public authority does not count', company, shown('tls-version', w.publicLeaf, w.public.sub), {}],
  ['a public authority signed for another name', company, shown('tls-version', w.publicLeaf, w.public.sub), PUBLIC],
  ['a stranger was shown, where public authorities count', company, shown('tls-version', ...company), PUBLIC],
])('the genuine key on another path is none where %s', (_, sent, shownThere, seen) => {
  expect(weights(REFERENCE, sent, { ...seen, references: [shownThere] })).toEqual([]);
});

const LOCATION = 'issuer-is-found-on-the-internet';
/** Returns the quotes of the signals for a leaf whose revocation list is at this URL. */
async function quotes(url: string, issuer: Identity, seen: Seen = {}): Promise<readonly unknown[]> {
  const leaf = await w.leaf(issuer, { extensions: [new CRLDistributionPointsExtension([url])] });
  return signals(LOCATION, [leaf, issuer], seen).map(({ weight, quote }) => `${weight} ${String(quote)}`);
}

test.each([
  'HTTP://PKI.ACME.LOCAL/ca.crl',
  'http://pki.acme.internal./ca.crl',
  'http://user:secret@pki.corp/ca.crl',
  'http://@pki/ca.crl',
  'http://[::1]/ca.crl',
  'https://[fd00::1]:8080/ca.crl',
  'http://10.1.2.3/ca.crl',
  'http://127.0.0.1/ca.crl',
  'http://169.254.1.1/ca.crl',
  'http://pki.home.arpa/ca.crl',
  'ldap:///CN=acme-CA',
  'ldaps:///CN=acme-CA',
  'ldap://ldap.example.org/CN=acme-CA',
])('an issuer or revocation list in a private network is a witness: %s', async (url) => {
  expect(await quotes(url, corporate.sub)).toEqual([`witness ${url}`]);
});

test.each([
  'http://crl.example.org/ca.crl',
  'http://locals.example/ca.crl',
  'http://pki.local.example/ca.crl',
  'http://93.184.216.34/ca.crl',
  'http://[2606:4700::1111]:8080/ca.crl',
  'http://user:secret@pki.example.org/ca.crl',
  'ftp://pki/ca.crl',
  'see http://pki/ca.crl',
  'xhttp://pki/ca.crl',
  'httpsx://pki/ca.crl',
  'xldap:///CN=acme-CA',
  'ldapx:///CN=acme-CA',
  'http:///ca.crl',
  'nonsense',
])('an issuer or revocation list in a private network is none: %s', async (url) => {
  expect(await quotes(url, corporate.sub)).toEqual([]);
});

test.each([
  ['ldap:///CN=acme-CA', true],
  ['ldap://dc01/CN=acme-CA', true],
  ['ldap://ldap.example.org/CN=acme-CA', false],
])(
  'an issuer or revocation list in a private network is a directory, where the issuer claims to be public: %s: %s',
  async (url, isWitness) => {
    expect(await quotes(url, likePublic)).toHaveLength(isWitness ? 1 : 0);
  },
);

test.each([
  ['trusted', genuine.sub, {}],
  ['public', w.public.sub, PUBLIC],
] as const)(
  'an issuer or revocation list in a private network is none where the chain is %s',
  async (_, issuer, seen) => {
    expect(await quotes('http://pki.acme.local/ca.crl', issuer, seen)).toEqual([]);
  },
);

test('an issuer or revocation list in a private network may be that of an authority between', async () => {
  const access = new AuthorityInfoAccessExtension({ caIssuers: ['http://pki.acme.lan/root.crt'] });
  const sub = await authority('O=Acme AG, CN=Sub', { issuer: corporate.root, extensions: [access] });
  expect(signals(LOCATION, [await w.leaf(sub), sub], {})).toMatchObject([{ quote: 'http://pki.acme.lan/root.crt' }]);
});
