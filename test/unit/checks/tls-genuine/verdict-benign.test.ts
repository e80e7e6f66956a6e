import { describe, expect, test } from 'vitest';
import { worstJudgement, judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import type { TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, chainOf, failed, handshake, pinOf } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { CONTEXT, round } from '../../../support/checks/judged-round.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { HOUR_MS, PUBLIC, reference, sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const {
  genuine,
  server,
  renewed,
  otherNode,
  newRoot,
  newSub,
  byNewSub,
  publicLeaf,
  publicServer,
  now,
  trust,
  leaf,
  leafFor,
  control,
} = w;
const learned = w.baseline(server, genuine.sub);
const rsa = await leaf(genuine.sub, { key: 'RSA-2048' });
const ecdsa384 = await leaf(genuine.sub, { key: 'EC-P-384' });
const lateSub = await createIdentity({
  name: 'C=US, O=Fortinet, CN=fortinet-subca2099',
  authority: true,
  issuer: genuine.root,
});
const byLateSub = await leaf(lateSub);
const renewedRoot = await createIdentity({ name: newRoot.name, authority: true, keys: newRoot.keys });
const cross = await createIdentity({ name: newRoot.name, authority: true, keys: newRoot.keys, issuer: genuine.root });
const vendorRoots = await Promise.all(
  [
    'C=US, O=Fortinet, CN=Fortinet Root CA G2',
    'C=US, O=Fortinet\\, Inc., CN=Fortinet TLS CA 2027',
    'O=fortinet, CN=FORTINETCA2026',
  ].map((name) => createIdentity({ name, authority: true })),
);
const [rootG2 = newRoot, tls2027 = newRoot, upper = newRoot] = vendorRoots;
const neighbour = { target: 'www.iana.org:443', chain: chainOf(await leafFor('www.iana.org', w.public.sub)) };

type Seen = Partial<TlsEvidence>;

/**
 * Cases from a healthy, busy or careless vendor, and from a network without inspection. Each row is one target with its
 * addresses.
 */
const BENIGN: Readonly<Record<string, readonly [Seen, ...Seen[]]>> = {
  'the chain as ever': [{}],
  'the chain as ever, learned': [{ baseline: learned }],
  'root not sent': [sees(server, genuine.sub)],
  reordered: [sees(server, genuine.root, genuine.sub)],
  'certificates twice': [sees(server, genuine.sub, genuine.sub, genuine.root)],
  'a stray certificate': [sees(server, w.corporate.root, genuine.sub)],
  'the certificates of another host as well': [sees(server, genuine.sub, publicServer, w.public.sub)],
  'a certificate that cannot be read': [
    { outcome: handshake({ chain: { ...chainOf(server, genuine.sub), dropped: 1 } }) },
  ],
  'renewed an hour ago': [sees(renewed, genuine.sub)],
  'renewed, another one learned': [{ ...sees(renewed, genuine.sub), baseline: learned }],
  'valid since a minute': [sees(await leaf(genuine.sub, { notBefore: new Date(now - 60_000) }), genuine.sub)],
  'a new intermediate under the known root': [sees(byLateSub, lateSub, genuine.root)],
  'a new intermediate, another one learned': [{ ...sees(byLateSub, lateSub, genuine.root), baseline: learned }],
  'a new intermediate, root not sent': [sees(byLateSub, lateSub)],
  'a new intermediate, nothing sent but the leaf': [sees(byLateSub)],
  'a new intermediate, its root in the CA file': [
    { ...sees(byLateSub, lateSub), trust: { ...trust, anchors: [anchorOf(genuine.root)] } },
  ],
  'the older root': [sees(await leaf(genuine.older), genuine.older)],
  'the older root, another one learned': [{ ...sees(await leaf(genuine.older), genuine.older), baseline: learned }],
  'a new root that the known one signed': [sees(byNewSub, newSub, cross, genuine.root)],
  RSA: [sees(rsa, genuine.sub)],
  'RSA to ECDSA': [{ ...sees(ecdsa384, genuine.sub), baseline: w.baseline(rsa, genuine.sub) }],
  'ECDSA to RSA': [{ ...sees(rsa, genuine.sub), baseline: w.baseline(ecdsa384, genuine.sub) }],
  'RSA at one address, ECDSA at the other': [sees(rsa, genuine.sub), sees(ecdsa384, genuine.sub)],
  'TLS 1.2 only': [{ outcome: handshake({ protocol: 'TLSv1.2' }, server, genuine.sub) }],
  'TLS 1.2 where 1.3 was learned': [
    { outcome: handshake({ protocol: 'TLSv1.2' }, server, genuine.sub), baseline: learned },
  ],
  'TLS 1.3 only': [{ outcome: handshake({ protocol: 'TLSv1.3' }, server, genuine.sub) }],
  'mutual TLS': [{ outcome: handshake({ kind: 'client-certificate-demanded' }, server, genuine.sub) }],
  'mutual TLS, with an alert after the certificate': [
    { outcome: failed({ reason: 'tls', alert: 'certificate_required', chain: chainOf(server, genuine.sub) }) },
  ],
  'mutual TLS under a new authority': [
    { outcome: handshake({ kind: 'client-certificate-demanded' }, byNewSub, newSub) },
  ],
  'two nodes with two certificates': [sees(server, genuine.sub), sees(otherNode, genuine.sub)],
  'one node renewed before the other': [
    { ...sees(renewed, genuine.sub), baseline: learned, references: reference('address', server, genuine.sub) },
    { baseline: learned, references: reference('address', renewed, genuine.sub) },
  ],
  'one node under a new authority before the other': [
    { ...sees(byNewSub, newSub), references: reference('address', server, genuine.sub) },
    { references: reference('address', byNewSub, newSub) },
  ],
  'two nodes under a new authority, made together': [
    { ...sees(byNewSub, newSub), references: reference('address', await leaf(newSub), newSub) },
    { ...sees(await leaf(newSub), newSub), references: reference('address', byNewSub, newSub) },
  ],
  'a new authority of the vendor, nothing sent but the leaf': [sees(byNewSub)],
  'a new authority of the vendor, root not sent': [sees(byNewSub, newSub)],
  'a new authority of the vendor, root sent': [sees(byNewSub, newSub, newRoot)],
  'a new authority of the vendor, root sent twice': [sees(byNewSub, newSub, newRoot, renewedRoot)],
  'a new authority of the vendor, another one learned': [{ ...sees(byNewSub, newSub), baseline: learned }],
  'a new authority of the vendor, made an hour ago': [
    sees(await leaf(newSub, { notBefore: new Date(now - HOUR_MS) }), newSub),
  ],
  'a new authority of the vendor on its own control host': [
    { ...sees(byNewSub, newSub), controls: [await control('directregistration.fortinet.com', newSub)] },
  ],
  'a new authority of the vendor beside a genuine name at the same address': [
    { ...sees(byNewSub, newSub), references: reference('server-name', server, genuine.sub) },
  ],
  'a new authority of the vendor behind a content network': [
    { ...sees(byNewSub, newSub), traces: ['via: 1.1 cdn', 'x-cache'] },
  ],
  'a new authority of the vendor of another name': [sees(await leaf(rootG2), rootG2)],
  'a new authority of the vendor, its organization written otherwise': [sees(await leaf(tls2027))],
  'a new authority of the vendor, named in capitals like a serial number': [sees(await leaf(upper))],
  'a new authority of the vendor with a certificate for another name': [
    sees(await leafFor('ftm.example.net', newSub), newSub),
  ],
  'moved to a public authority': [sees(publicLeaf, w.public.sub)],
  'moved to a public authority, another one learned': [{ ...sees(publicLeaf, w.public.sub), baseline: learned }],
  'moved to a public authority, one node after the other': [
    { ...sees(publicLeaf, w.public.sub), references: reference('address', server, genuine.sub) },
    { references: reference('address', publicLeaf, w.public.sub) },
  ],
  'moved to a public authority without its intermediate': [sees(publicLeaf)],
  'moved to a public authority without its intermediate, as the control host': [
    { ...sees(publicLeaf), controls: [neighbour] },
  ],
  'a public service': [{ ...PUBLIC, ...sees(publicServer, w.public.sub) }],
  'a public service without its intermediate': [{ ...PUBLIC, ...sees(publicServer) }],
  'a public service under another authority': [
    {
      ...PUBLIC,
      ...sees(await leafFor('push.fortinet.com', w.public.otherRoot)),
      baseline: w.baseline(publicServer, w.public.sub),
    },
  ],
  'a public service under another intermediate': [
    { ...PUBLIC, ...sees(w.otherPublicServer, w.public.otherSub), baseline: w.baseline(publicServer, w.public.sub) },
  ],
  'everything else inspected, the licence server exempt': [
    { controls: [await control('www.iana.org', w.corporate.root)] },
  ],
  'behind a forward proxy that passes TLS on': [{ traces: ['via: 1.1 proxy', 'x-cache-lookup'] }],
  'an authority of its own in the CA file, new leaf': [
    { ...sees(await leaf(w.ownRoot), w.ownRoot), trust: { ...trust, anchors: [anchorOf(w.ownRoot, 'configured')] } },
  ],
  'a backup pin that is not in use': [{ trust: { ...trust, pins: [...trust.pins, pinOf(newRoot, 'configured')] } }],
  'a learned leaf that names nobody': [
    { ...sees(w.misnamed, genuine.sub), baseline: w.baseline(w.misnamed, genuine.sub) },
  ],
  'the end of the certificate near': [sees(await leaf(genuine.sub, { notAfter: new Date(now + DAY_MS) }), genuine.sub)],
};

describe('judgeTls() on what is no fault', () => {
  test('has at least 50 rows', () => {
    expect(Object.keys(BENIGN).length).toBeGreaterThanOrEqual(50);
  });

  test.each(Object.entries(BENIGN))('gives no critical cause: %s', (_, seen) => {
    const worst = worstJudgement(seen.map((around) => judgeTls(w.evidence(around))));
    const { causes } = diagnose(round(['tls-genuine', worst?.findings ?? []]), CONTEXT);
    expect(
      causes.filter(({ severity }) => severity === 'critical').map(({ id, summary }) => `${id}: ${summary}`),
    ).toEqual([]);
    expect(['intercepted', 'interception-suspected', 'blocked', 'unknown']).not.toContain(worst?.verdict);
  });
});
