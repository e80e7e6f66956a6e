import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TlsEvidence, TlsJudgement, Verdict } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls, worstJudgement } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import {
  anchorOf,
  certificateOf,
  chainOf,
  failed,
  handshake,
  pinOf,
  smallRsaKeys,
  withWeakSignature,
} from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { HOUR_MS, PINNED, PUBLIC, reference, sees } from '../../../support/certificates/verdict-rows.ts';

type Seen = Partial<TlsEvidence>;

const w = await createCast();
const { genuine, copied, corporate, fortigate, now, trust, leaf, leafFor, baseline, control, cleanControl } = w;
const { server, renewed, otherNode, misnamed, device, newRoot, newSub, byNewSub, ownRoot, ownLeaf, byCorporate } = w;
const { byCorporateSub, byFortigate, publicLeaf, publicServer, selfSigned } = w;
const authority = (name: string, more: object = {}): Promise<Identity> =>
  createIdentity({ name, authority: true, ...more });
const past = new Date(now - 1000);
const pinning = (identity: Identity): Seen => ({
  trust: { ...trust, pins: [...trust.pins, pinOf(identity, 'configured')] },
});
const holding = (identity: Identity): Seen => ({ trust: { ...trust, anchors: [anchorOf(identity, 'configured')] } });
const onlyControl = (...chain: readonly Identity[]): Seen => ({
  controls: [{ target: 'www.iana.org:443', chain: chainOf(...chain) }],
});
/** Not valid from the same second as the genuine certificate, because it would then count as a copy. */
const earlier = { notBefore: new Date(now - 5 * DAY_MS) };
const original = certificateOf(server);
const sameDates = { notBefore: new Date(original.notBefore), notAfter: new Date(original.notAfter) };

const learned: Seen = { baseline: baseline(server, genuine.sub) };
const publiclyLearned: Seen = { ...PUBLIC, baseline: baseline(publicServer, w.public.sub) };
const rsa = await leaf(genuine.sub, { key: 'RSA-2048' });
const cross = await authority(newRoot.name, { keys: newRoot.keys, issuer: genuine.root });
const renewedRoot = await authority(newRoot.name, { keys: newRoot.keys });
const lateSub = await authority('C=US, O=Fortinet, CN=fortinet-subca2099', { issuer: genuine.root });
const expiredSub = await authority('CN=Old Sub', { issuer: genuine.root, notAfter: past });
const twin = await authority('CN=Twin', { issuer: genuine.root });
const expiredTwin = await authority('CN=Twin', { issuer: genuine.root, keys: twin.keys, notAfter: past });
const aged = await authority('CN=Aged', { notAfter: past });
const rsaSub = await authority('O=Fortinet, CN=fortinet-subca2001', { key: 'RSA-2048' });
const rsaTrust = { ...trust, pins: [pinOf(rsaSub)] };
const rsaLeaf = await leaf(rsaSub, { key: 'RSA-2048' });
const vendorService = await leafFor('push.fortinet.com', genuine.sub);
const reseller = await authority('O=Reseller, CN=R1', { issuer: w.public.root });
const rootG2 = await authority('C=US, O=Fortinet, CN=Fortinet Root CA G2');
const otherwise = await authority('C=US, O=Fortinet\\, Inc., CN=Fortinet TLS CA 2027');
const inCapitals = await authority('O=fortinet, CN=FORTINETCA2026');
/** Signed by an unknown authority that is never sent. */
const namesake = await authority(genuine.sub.name, { issuer: corporate.root });
const rootNamesake = await authority(corporate.root.name);
const forged = await leaf({ ...genuine.sub, keys: copied.sub.keys });

/** An inspecting device's chain: the leaf and its sub-authority, but not the root above it. */
async function withoutRoot(subName: string, rootName: string): Promise<Seen & { readonly sub: Identity }> {
  const sub = await authority(subName, { issuer: await authority(rootName) });
  return { ...sees(await leaf(sub), sub), sub };
}

const { sub: likePublicSub, ...likePublic } = await withoutRoot(
  'O=Public Trust, CN=TLS Inspection',
  'O=Public Trust, CN=Root 9',
);
const { sub: likeVendorSub, ...likeVendor } = await withoutRoot('O=Fortinet, CN=TLS 3', 'O=Fortinet, CN=Root 3');
const { sub: _directory, ...byDirectory } = await withoutRoot(
  'DC=local, DC=acme, CN=acme-DC01-CA',
  'DC=acme, CN=acme-root',
);
const { sub: _nameless, ...byNameless } = await withoutRoot('', '');
const untrusting = { ...trust, pins: [] };
const byCompany = sees(byCorporateSub, corporate.sub);

const GENUINE: Readonly<Record<string, Seen>> = {
  'the whole chain under the pinned root': {},
  'root not sent, sub-authority pinned': sees(server, genuine.sub),
  'an unknown sub-authority under the pinned root that is sent': sees(await leaf(lateSub), lateSub, genuine.root),
  'the older root': sees(await leaf(genuine.older), genuine.older),
  'certificates out of order': sees(server, genuine.root, genuine.sub),
  'certificates twice, and those of others': sees(server, corporate.root, w.public.sub, genuine.sub, genuine.sub),
  'one unreadable certificate': {
    outcome: handshake({ chain: { ...chainOf(server, genuine.sub), dropped: 1 } }),
  },
  'name in the CN only': sees(await leaf(genuine.sub, { dnsNames: [] }), genuine.sub),
  'wildcard name': sees(await leaf(genuine.sub, { dnsNames: ['*.fortinet.com'] }), genuine.sub),
  'valid for a minute': sees(await leaf(genuine.sub, { notBefore: new Date(now - 60_000) }), genuine.sub),
  'valid until tomorrow': sees(await leaf(genuine.sub, { notAfter: new Date(now + DAY_MS) }), genuine.sub),
  'client certificate demanded': {
    outcome: handshake({ kind: 'client-certificate-demanded' }, server, genuine.sub),
  },
  'alert after the certificate': {
    outcome: failed({ reason: 'tls', alert: 'certificate_required', chain: chainOf(server, genuine.sub) }),
  },
  'control hosts inspected, the licence server exempt': { controls: [await control('www.iana.org', corporate.root)] },
  'headers of a forward proxy': { traces: ['x-mwg-via'] },
  'called off after the certificate': {
    outcome: failed({ reason: 'aborted', chain: chainOf(server, genuine.sub) }),
  },
  'another node than a reference shows': { references: reference('resolver', otherNode, genuine.sub) },
  'root not sent but in a CA file': { ...sees(byNewSub, newSub), ...holding(newRoot) },
  'nothing sent but the leaf, its authority in a CA file': { ...sees(byNewSub), ...holding(newSub) },
  'a new root that the known one signed': sees(byNewSub, newSub, cross, genuine.root),
  'an unused backup pin': pinning(newRoot),
  'leaf key pinned, unknown authority': { ...PINNED, ...sees(ownLeaf, ownRoot), ...pinning(ownLeaf) },
  'profile pinned, under the CA file': { ...PINNED, ...sees(ownLeaf), ...holding(ownRoot) },
  'device certificate whose key is pinned': { ...sees(device, genuine.sub), ...pinning(device) },
  'an inspection product whose key is pinned': { ...sees(byFortigate, fortigate), ...pinning(fortigate) },
  'a pinned key in a certificate that has expired': { ...sees(await leaf(aged), aged), ...pinning(aged) },
  'two certificates of one sub-authority, the first expired': sees(await leaf(twin), expiredTwin, twin, genuine.root),
  RSA: sees(rsa, genuine.sub),
  'as learned': learned,
  'as learned, with another name': { ...sees(misnamed, genuine.sub), baseline: baseline(misnamed, genuine.sub) },
  'TLS 1.2 where 1.3 was learned': { ...learned, outcome: handshake({ protocol: 'TLSv1.2' }, server, genuine.sub) },
  'profile public, under a public root': { ...PUBLIC, ...sees(publicServer, w.public.sub) },
  'profile public, root sent along': { ...PUBLIC, ...sees(publicServer, w.public.sub, w.public.root) },
  'profile public, control host behind the same authority': {
    ...PUBLIC,
    ...sees(publicServer, w.public.sub),
    controls: [cleanControl],
  },
};

const ROTATED: Readonly<Record<string, Seen>> = {
  'new leaf, learned authority': { ...learned, ...sees(renewed, genuine.sub) },
  'RSA where ECDSA was learned': { ...learned, ...sees(rsa, genuine.sub) },
  'new sub-authority under the learned root': {
    ...sees(await leaf(genuine.otherSub), genuine.otherSub, genuine.root),
    baseline: baseline(server, genuine.sub, genuine.root),
  },
  'learned authority that no pin confirms': {
    ...sees(await leaf(newSub), newSub),
    baseline: baseline(byNewSub, newSub),
  },
  'learned authority, not sent': { ...sees(await leaf(newSub)), baseline: baseline(byNewSub, newSub) },
  'learned subject that does not name the host': {
    ...sees(await leafFor('globalftm.example.net', genuine.sub), genuine.sub),
    baseline: baseline(misnamed, genuine.sub),
  },
  'public: another intermediate of the same company': {
    ...publiclyLearned,
    ...sees(w.otherPublicServer, w.public.otherSub),
  },
  "public: another root of the same company, and a reseller's intermediate": {
    ...PUBLIC,
    ...sees(await leafFor('push.fortinet.com', reseller), reseller, w.public.root),
    baseline: baseline(w.otherPublicServer, await authority('C=US, O=Public Trust, CN=Root X0')),
  },
};

const ANOTHER_AUTHORITY: Readonly<Record<string, Seen>> = {
  'public authority under the profile fortinet': sees(publicLeaf, w.public.sub),
  'public authority under the profile pinned': { ...PINNED, ...sees(publicLeaf, w.public.sub), trust: w.configured },
  'public authority, another one learned': { ...learned, ...sees(publicLeaf, w.public.sub) },
  'public authority, at one address only': {
    ...sees(publicLeaf, w.public.sub),
    references: reference('address', server, genuine.sub),
  },
  'public authority, private one with another server name': {
    ...sees(publicLeaf, w.public.sub),
    references: reference('server-name', server, genuine.sub),
  },
  'public authority, control host behind the same one': { ...sees(publicLeaf, w.public.sub), controls: [cleanControl] },
  'profile public, Fortinet authority': { ...PUBLIC, ...sees(vendorService, genuine.sub) },
  'trusted authority, but not the learned one': { ...learned, ...sees(await leaf(genuine.older), genuine.older) },
  'a new sub-authority of the known root, another one learned': {
    ...learned,
    ...sees(await leaf(lateSub), lateSub, genuine.root),
  },
  'public: another company than learned': {
    ...publiclyLearned,
    ...sees(await leafFor('push.fortinet.com', w.public.otherRoot)),
  },
  'public: where a leaf without its authority was learned': {
    ...PUBLIC,
    ...sees(publicServer, w.public.sub),
    baseline: baseline(w.otherPublicServer),
  },
};

const NEW_AUTHORITY: Readonly<Record<string, Seen>> = {
  'nothing sent but the leaf': sees(byNewSub),
  'root not sent': sees(byNewSub, newSub),
  'root sent': sees(byNewSub, newSub, newRoot),
  'root sent twice': sees(byNewSub, newSub, newRoot, renewedRoot),
  'of another name': sees(await leaf(rootG2), rootG2),
  'its organization written otherwise': sees(await leaf(otherwise)),
  'named in capitals like a serial number': sees(await leaf(inCapitals)),
  'made an hour ago': sees(await leaf(newSub, { notBefore: new Date(now - HOUR_MS) }), newSub),
  'a client certificate demanded': { outcome: handshake({ kind: 'client-certificate-demanded' }, byNewSub, newSub) },
  'control host clean': { ...sees(byNewSub, newSub), controls: [cleanControl] },
  "the same on a host of the vendor's own": {
    ...sees(byNewSub, newSub),
    controls: [await control('directregistration.fortinet.com', newSub)],
  },
  'behind a content network': { ...sees(byNewSub, newSub), traces: ['via: 1.1 cdn', 'x-cache'] },
  'an unknown sub-authority of the known root, which is not sent': sees(await leaf(genuine.otherSub)),
  'a pin may be the key of the issuer that was not sent': {
    ...sees(await leaf({ ...genuine.root, keys: newRoot.keys })),
    trust: { ...trust, anchors: [anchorOf(genuine.root)], pins: [pinOf(newRoot, 'configured')] },
  },
  'for a name that is not published': sees(await leafFor('globalftm.example.net', newSub), newSub),
  'another authority learned': { ...learned, ...sees(byNewSub, newSub) },
  'another of its addresses still as before': {
    ...sees(byNewSub, newSub),
    references: reference('address', server, genuine.sub),
  },
  'the genuine key with another server name': {
    ...sees(byNewSub, newSub),
    references: reference('server-name', server, genuine.sub),
  },
};

const INTERCEPTED: Readonly<Record<string, Seen>> = {
  'corporate authority on every host': {
    ...sees(byCorporate, corporate.root),
    controls: [await control('www.iana.org', corporate.root)],
  },
  'profile public, corporate authority on every host': {
    ...PUBLIC,
    ...sees(await leafFor('push.fortinet.com', corporate.root), corporate.root),
    controls: [await control('www.iana.org', corporate.root)],
  },
  'corporate root on every host under different sub-authorities': {
    ...sees(byCorporateSub, corporate.sub, corporate.root),
    controls: [await control('www.iana.org', corporate.root)],
  },
  'corporate authority, one control host clean and one not': {
    ...sees(byCorporate, corporate.root),
    controls: [cleanControl, await control('example.org', corporate.root)],
  },
  'the same self-signed key on every host': { ...sees(selfSigned), ...onlyControl(selfSigned) },
  'headers of a forward proxy': { ...byCompany, traces: ['x-mwg-via'] },
  'every genuine name with other keys': sees(await leaf(copied.sub), copied.sub, copied.root),
  'copied root alone': sees(await leaf(copied.root), copied.root),
  'the copied sub-authority, whose own issuer was never seen': sees(await leaf(namesake), namesake),
  'forged leaf with the genuine authorities beside it': sees(forged, genuine.sub, genuine.root),
  'forged leaf, the genuine authority in a CA file': {
    ...sees(forged),
    trust: { ...trust, anchors: [anchorOf(genuine.sub)] },
  },
  'forged leaf of a sub-authority that is not pinned, sent along with the genuine root': sees(
    await leaf({ ...genuine.otherSub, keys: copied.sub.keys }),
    genuine.otherSub,
    genuine.root,
  ),
  'forged leaf of a public intermediate that is sent along': sees(
    await leaf({ ...w.public.sub, keys: copied.sub.keys }),
    w.public.sub,
    w.public.root,
  ),
  'another resolver shows the genuine key': { ...byCompany, references: reference('resolver', server, genuine.sub) },
  'another address shows the genuine key': { ...byCompany, references: reference('address', server, genuine.sub) },
  'another version of TLS shows the genuine key, not sent': {
    ...sees(byCorporate),
    references: reference('tls-version', server, genuine.sub),
  },
  "an authority of the vendor's name, another version of TLS shows the genuine key": {
    ...likeVendor,
    references: reference('tls-version', server, genuine.sub),
  },
  "an authority of the vendor's name on a control host": {
    ...likeVendor,
    controls: [await control('www.iana.org', likeVendorSub)],
  },
  "an authority of a public one's name on every control host": {
    ...likePublic,
    controls: [await control('www.iana.org', likePublicSub), await control('www.example.org', likePublicSub)],
  },
  "an authority of a public one's name that signs for any name": {
    ...likePublic,
    references: [
      { kind: 'server-name', label: 'www.iana.org', chain: chainOf(await leafFor('www.iana.org', likePublicSub)) },
    ],
  },
};

const BY_FORTIGATE: Readonly<Record<string, Seen>> = {
  'control hosts out of reach': sees(byFortigate, fortigate),
  'authority not sent': sees(byFortigate),
  "on a host of the vendor's own as control": {
    ...sees(byFortigate),
    controls: [await control('www.fortinet.com', fortigate)],
  },
  'expired on top of it': sees(await leaf(fortigate, { notAfter: past }), fortigate),
  'cut after the certificate': { outcome: failed({ chain: chainOf(byFortigate, fortigate) }) },
  'factory certificate on the control host too': {
    ...sees(device, genuine.sub),
    ...onlyControl(device, genuine.sub),
  },
};

const SUSPECTED: Readonly<Record<string, Seen>> = {
  'corporate authority, root sent': sees(byCorporateSub, corporate.sub, corporate.root),
  'corporate authority, root not sent': byCompany,
  'corporate authority, nothing sent but the leaf': sees(byCorporateSub),
  'corporate authority, control host clean': { ...byCompany, controls: [cleanControl] },
  'corporate authority, made just now': sees(await leaf(corporate.root, { notBefore: past }), corporate.root),
  'corporate authority where another was learned': { ...learned, ...byCompany },
  'corporate authority, the genuine key with another server name': {
    ...byCompany,
    references: reference('server-name', server, genuine.sub),
  },
  'corporate authority, the same at another address': {
    ...byCompany,
    references: reference('address', byCorporateSub, corporate.sub),
  },
  'corporate authority, another one of its name on the control host': {
    ...sees(byCorporate),
    ...onlyControl(await leafFor('www.iana.org', rootNamesake)),
  },
  'corporate authority, by chance with the dates of the learned leaf': {
    ...learned,
    ...sees(await leaf(corporate.root, { name: 'CN=something.example', ...sameDates }), corporate.root),
  },
  'subject and dates of the learned leaf under another key': {
    ...learned,
    ...sees(await leaf(corporate.root, sameDates), corporate.root),
  },
  'corporate authority, nothing trusted but what the profile fortinet brings': { ...byCompany, trust: untrusting },
  'corporate authority, where a key is pinned': { ...PINNED, ...byCompany, ...pinning(ownLeaf) },
  'corporate authority, where a CA file is configured': { ...PINNED, ...byCompany, ...holding(ownRoot) },
  'corporate authority, where only a learned chain is trusted': {
    ...PINNED,
    ...learned,
    ...byCompany,
    trust: untrusting,
  },
  "a directory's authority without an organization": byDirectory,
  'a nameless authority': byNameless,
  'signed by itself': sees(selfSigned),
  'signed by a leaf of the genuine authority, which is no authority': sees(await leaf(server), server, genuine.sub),
  'public authority, another resolver shows the genuine key': {
    ...sees(publicLeaf, w.public.sub),
    references: reference('resolver', server, genuine.sub),
  },
  'public authority for another name': sees(await leafFor('portal.example', w.public.sub), w.public.sub),
  'the same public certificate on every host, for another name': {
    ...PUBLIC,
    ...sees(publicLeaf, w.public.sub),
    ...onlyControl(publicLeaf, w.public.sub),
  },
  'unknown issuer, weaker than learned': {
    ...learned,
    outcome: handshake({ protocol: 'TLSv1.2' }, await leaf(newSub, earlier)),
  },
};

const BY_DEVICE: Readonly<Record<string, Seen>> = {
  'under the genuine authority': sees(device, genuine.sub, genuine.root),
  'that all units share': sees(w.sharedDevice, genuine.sub),
  'whose authority is not sent': sees(await createIdentity({ name: device.name, issuer: newSub })),
  'where a server was learned': { ...learned, ...sees(device, genuine.sub) },
  'in place of a public host': { ...PUBLIC, ...sees(device, genuine.sub) },
};

const BROKEN: Readonly<Record<string, Seen>> = {
  expired: sees(await leaf(genuine.sub, { notAfter: past }), genuine.sub),
  'expired, control host clean': {
    ...sees(await leaf(genuine.sub, { notAfter: past }), genuine.sub),
    controls: [cleanControl],
  },
  'not yet valid': sees(await leaf(genuine.sub, { notBefore: new Date(now + DAY_MS) }), genuine.sub),
  'expired intermediate': sees(await leaf(expiredSub), expiredSub, genuine.root),
  'profile public, expired': {
    ...PUBLIC,
    ...sees(await leafFor('push.fortinet.com', w.public.sub, { notAfter: past }), w.public.sub),
  },
  'public authority under the profile fortinet, expired': sees(
    await leaf(w.public.sub, { notAfter: past }),
    w.public.sub,
  ),
  'profile public, intermediate known but not sent': {
    ...PUBLIC,
    ...sees(await leafFor('push.fortinet.com', w.public.sub)),
    references: reference('resolver', publicServer, w.public.sub),
  },
};

const DOUBTFUL: Readonly<Record<string, Seen>> = {
  'for another name': sees(misnamed, genuine.sub),
  'for a name two labels below a wildcard': sees(await leaf(genuine.sub, { dnsNames: ['*.com'] }), genuine.sub),
  'profile public, for another name': { ...PUBLIC, ...sees(publicLeaf, w.public.sub) },
  'profile public, name in the CN only': {
    ...PUBLIC,
    ...sees(await leafFor('push.fortinet.com', w.public.sub, { dnsNames: [] }), w.public.sub),
  },
  'signed with SHA-1': { ...sees(withWeakSignature(rsaLeaf, rsaSub.keyPem, 'sha1'), rsaSub), trust: rsaTrust },
  'signed with MD5': { ...sees(withWeakSignature(rsaLeaf, rsaSub.keyPem, 'md5'), rsaSub), trust: rsaTrust },
  'RSA key of 1024 bits': sees(await leaf(genuine.sub, { keys: await smallRsaKeys(1024) }), genuine.sub),
  'missing intermediate of a public authority': { ...PUBLIC, ...sees(publicServer) },
  'missing intermediate, as the control host': {
    ...sees(publicLeaf),
    ...onlyControl(await leafFor('www.iana.org', w.public.sub)),
  },
  'unknown intermediate of the vendor not sent, and expired': sees(await leaf(genuine.otherSub, { notAfter: past })),
  "an authority of a public one's name": likePublic,
  "an authority of a public one's name on the only control host": {
    ...likePublic,
    controls: [await control('www.iana.org', likePublicSub)],
  },
  "an authority of a public one's name on one control host of two": {
    ...likePublic,
    controls: [await control('www.iana.org', likePublicSub), await control('www.example.org', w.public.sub)],
  },
};

const UNKNOWN: Readonly<Record<string, Seen>> = {
  'the control host has expired too': { now: now + 900 * DAY_MS, controls: [cleanControl] },
  'nothing at all is trusted': { ...PINNED, ...sees(ownLeaf, ownRoot) },
  'nothing at all is trusted, nor sent': { ...PINNED, ...sees(ownLeaf) },
  'certificates that cannot be read': { outcome: handshake({ chain: { certificates: [], dropped: 3 } }) },
  'our own trouble': { outcome: failed({ reason: 'internal' }) },
  'the round was called off': { outcome: failed({ reason: 'aborted' }) },
};

const CUT: Readonly<Record<string, Seen>> = {
  'in silence': { outcome: failed({ reason: 'timeout', chain: chainOf(server, genuine.sub) }) },
  'by something else than TLS': { outcome: failed({ reason: 'protocol', chain: chainOf(server, genuine.sub) }) },
  'after the genuine certificate': { outcome: failed({ reason: 'reset', chain: chainOf(server, genuine.sub) }) },
  'after a public certificate': { outcome: failed({ reason: 'closed', chain: chainOf(publicLeaf, w.public.sub) }) },
};

const FORTIGATE = 'Fortinet FortiGate';
const CASES: readonly (readonly [expected: string, product: string | null, rows: Readonly<Record<string, Seen>>])[] = [
  ['genuine confirmed', null, GENUINE],
  ['rotated confirmed', null, ROTATED],
  ['vendor-ca-changed confirmed', null, ANOTHER_AUTHORITY],
  ['vendor-ca-changed suspected', null, NEW_AUTHORITY],
  ['intercepted confirmed', null, INTERCEPTED],
  ['intercepted confirmed', FORTIGATE, BY_FORTIGATE],
  ['interception-suspected suspected', null, SUSPECTED],
  ['interception-suspected suspected', FORTIGATE, BY_DEVICE],
  ['interception-suspected suspected', 'Fortinet FortiAuthenticator', { 'its own': sees(w.otherDevice, genuine.sub) }],
  ['certificate-broken confirmed', null, BROKEN],
  ['certificate-broken suspected', null, DOUBTFUL],
  ['unknown suspected', null, UNKNOWN],
  ['blocked suspected', null, CUT],
];

/** The cause that each verdict suggests. */
const CAUSES: Readonly<Record<Verdict, readonly string[]>> = {
  genuine: [],
  rotated: ['certificate-rotated'],
  'vendor-ca-changed': ['vendor-ca-changed'],
  intercepted: ['tls-intercepted'],
  'interception-suspected': ['tls-interception-suspected'],
  'certificate-broken': ['certificate-broken'],
  blocked: ['tls-blocked'],
  unknown: [],
};

const judge = (seen: Seen): TlsJudgement => judgeTls(w.evidence(seen));

describe.each(CASES)('judgeTls(): %s, product %s', (expected, product, rows) => {
  test.each(Object.entries(rows))('%s', (_, seen) => {
    const { verdict, confidence, findings, ...judgement } = judge(seen);
    expect([`${verdict} ${confidence}`, judgement.product]).toEqual([expected, product]);
    const suggesting = findings.filter(({ suggests }) => suggests !== null);
    expect([...new Set(suggesting.map(({ suggests }) => suggests))]).toEqual(CAUSES[verdict]);
    expect(suggesting.filter((finding) => finding.confidence !== confidence)).toEqual([]);
  });
});

/** What probes in other networks receive: this site's certificate, another one, or several. */
function elsewhere(...fingerprints: readonly string[]): Seen {
  const results = fingerprints.map((fingerprint, index) => ({
    asn: index,
    network: `Network ${String(index)}`,
    country: 'DE',
    fingerprint,
    issuer: 'fortinet-subca2001',
    notAfter: null,
  }));
  const certificate = { at: now, results, answer: null };
  return { outside: { certificate, reach: null, addresses: null, reachedAt: null, asking: [], trouble: null } };
}

describe('judgeTls(), with what other networks receive', () => {
  const rows = CASES.flatMap(([verdict, , named]) =>
    Object.entries(named).map(([name, seen]) => [verdict, name, seen] as const),
  );
  const told = ({ verdict, confidence }: TlsJudgement): string => `${verdict} ${confidence}`;
  const ownIn = (seen: Seen): string => w.evidence(seen).outcome.chain?.certificates[0]?.fingerprint ?? 'none';
  const other = certificateOf(w.otherNode).fingerprint;
  const changes = (seenBy: (own: string) => Seen): readonly string[] => {
    const all = rows.flatMap(([before, , seen]) => {
      const after = told(judge({ ...seen, ...seenBy(ownIn(seen)) }));
      return before === after ? [] : [`${before} -> ${after}`];
    });
    return [...new Set(all)].toSorted();
  };

  test.each([
    ['two networks', (own: string) => elsewhere(own, own)],
    ['several certificates', (own: string) => elsewhere(own, other, own, other)],
    ['nobody', () => elsewhere()],
  ] as const)('nothing follows from %s', (_, seenBy) => {
    expect(changes(seenBy)).toEqual([]);
  });

  test('the same certificate clears the network', () => {
    expect(changes((own) => elsewhere(own, own, own))).toEqual([
      // What only a device near this site could have caused is left as a suspicion against the vendor.
      'intercepted confirmed -> vendor-ca-changed suspected',
      'interception-suspected suspected -> vendor-ca-changed confirmed',
      'interception-suspected suspected -> vendor-ca-changed suspected',
      'vendor-ca-changed suspected -> vendor-ca-changed confirmed',
    ]);
  });

  test('another certificate proves an interception, unless a trusted key vouches for this one', () => {
    expect(changes(() => elsewhere(other, other, other))).toEqual([
      'interception-suspected suspected -> intercepted confirmed',
      'unknown suspected -> intercepted confirmed',
      // A chain that claims to be the vendor's may be on one of several servers that are being renewed.
      'vendor-ca-changed suspected -> interception-suspected suspected',
    ]);
  });
});

describe('judgeTls(), with a certificate that was pinned because other networks receive it', () => {
  const pinned = { fingerprint: byCorporateSub.fingerprint, learnedAt: now, seenBy: '5 other networks (DE)' };
  const waiting: Seen = {
    outside: {
      certificate: null,
      reach: null,
      addresses: null,
      reachedAt: null,
      asking: ['certificate'],
      trouble: null,
    },
  };
  const renewedLeaf = sees(byCorporate, corporate.root);

  test.each<readonly [string, Seen, string]>([
    ['is genuine', byCompany, 'genuine confirmed'],
    ['is genuine under every profile', { ...PINNED, ...byCompany }, 'genuine confirmed'],
    ['proves nothing for its successor', renewedLeaf, 'interception-suspected suspected'],
    ['waits for other networks before its successor is suspected', { ...renewedLeaf, ...waiting }, 'unknown suspected'],
    ['does not wait beside a witness', { ...renewedLeaf, ...waiting, traces: ['x-mwg-via'] }, 'intercepted confirmed'],
    [
      'is followed by what others receive',
      { ...renewedLeaf, ...elsewhere(...Array(3).fill(byCorporate.fingerprint)) },
      'vendor-ca-changed confirmed',
    ],
  ])('%s', (_, seen, expected) => {
    const { verdict, confidence } = judge({ pinned, ...seen });
    expect(`${verdict} ${confidence}`).toBe(expected);
  });
});

describe('judgeTls()', () => {
  test.each<readonly [string, Seen, readonly string[]]>([
    ['a public one', sees(publicLeaf, w.public.sub), ['authority-is-accepted']],
    ['a public one that was not sent', sees(publicLeaf), ['authority-is-accepted']],
    ['an unknown one', sees(byNewSub, newSub), ['authority-is-known']],
    ['a public one, with the profile public', { ...PUBLIC, ...sees(publicServer, w.public.sub) }, []],
    ['a public one that was not sent, with the profile public', { ...PUBLIC, ...sees(publicServer) }, []],
    ['a public one, learned', { ...sees(publicLeaf, w.public.sub), baseline: baseline(publicLeaf, w.public.sub) }, []],
    ["Fortinet's, with the profile public", { ...PUBLIC, ...sees(vendorService, genuine.sub) }, []],
  ])('does not know whether FortiAuthenticator accepts an authority: %s', (_, seen, open) => {
    expect(judge(seen).findings.flatMap(({ level, rule }) => (level === 'unknown' ? [rule] : []))).toEqual(open);
  });

  test('takes a certificate as valid in its first moment and in its last', async () => {
    const dated = await leaf(genuine.sub, { notAfter: new Date('2040-01-01') });
    const { notBefore, notAfter } = certificateOf(dated);
    const moments = [notBefore - 1, notBefore, notAfter, notAfter + 1];
    expect(moments.map((at) => judge({ ...sees(dated, genuine.sub), now: at }).verdict)).toEqual([
      'certificate-broken',
      'genuine',
      'genuine',
      'certificate-broken',
    ]);
  });
});

describe('worstJudgement()', () => {
  const inspected = judge({ ...sees(byCorporate, corporate.root), traces: ['x-mwg-via'] });
  const byProduct = judge(sees(byFortigate, fortigate));
  const all = [judge({}), judge(sees(byNewSub, newSub)), byProduct, judge(sees(byCorporate, corporate.root))];

  test('gives the worst verdict with its product, and the findings and authorities of all, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (judgements) => {
        const worst = worstJudgement([...judgements, ...judgements]);
        expect(worst).toMatchObject({ verdict: 'intercepted', product: FORTIGATE });
        const texts = judgements.flatMap(({ findings }) => findings.map((finding) => JSON.stringify(finding)));
        expect(worst?.findings.map((finding) => JSON.stringify(finding)).toSorted()).toEqual(texts.toSorted());
        const pins = judgements.flatMap(({ authorities }) => authorities.map(({ pin }) => pin));
        expect(worst?.authorities.map(({ pin }) => pin).toSorted()).toEqual(pins.toSorted());
      }),
    );
  });

  test('takes them in this order, the worst first, and what is confirmed before what is suspected', () => {
    const order: readonly Verdict[] = [
      'intercepted',
      'interception-suspected',
      'blocked',
      'certificate-broken',
      'unknown',
      'vendor-ca-changed',
      'rotated',
      'genuine',
    ];
    const judgements = order.flatMap((verdict) =>
      (['confirmed', 'suspected'] as const).map((confidence): TlsJudgement => ({ ...judge({}), verdict, confidence })),
    );
    const worst = judgements.map((_, index) => worstJudgement(judgements.slice(index).toReversed()));
    expect(worst).toEqual(judgements);
  });

  test('lends a product to the address of the same verdict only', () => {
    expect(inspected.product).toBeNull();
    expect(worstJudgement([inspected, byProduct])?.product).toBe(FORTIGATE);
    expect(worstJudgement([judge(sees(device, genuine.sub)), inspected])?.product).toBeNull();
  });

  test('is null for no address at all', () => {
    expect(worstJudgement([])).toBeNull();
  });
});
