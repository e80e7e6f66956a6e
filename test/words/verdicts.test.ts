import '../../src/demo/lab/reflect-metadata.ts';
import { CRLDistributionPointsExtension, ExtendedKeyUsageExtension } from '@peculiar/x509';
import { describe, test } from 'vitest';
import type { TlsEvidence } from '../../src/checks/tls-genuine/chain-case.ts';
import { judgeOlderTls } from '../../src/checks/tls-genuine/judge-older-tls.ts';
import { judgeTlsPath } from '../../src/checks/tls-genuine/judge-path.ts';
import { judgeTls } from '../../src/checks/tls-genuine/verdict.ts';
import type { TlsOutcome } from '../../src/core/observation.ts';
import { createIdentity, type Identity } from '../../src/demo/lab/identity.ts';
import { anchorOf, certificateOf, chainOf, failed, handshake } from '../support/certificates/chains.ts';
import { DAY_MS, TARGET } from '../support/certificates/interception-world.ts';
import { freshKnowledge } from '../support/certificates/tls-knowledge.ts';
import { endpoint, path } from '../support/checks/observed.ts';
import { toldOf } from '../support/checks/told-of.ts';
import { createCast } from '../support/certificates/verdict-cast.ts';
import { PINNED, PUBLIC, reference, sees } from '../support/certificates/verdict-rows.ts';
import { expectRecorded } from './recorded.ts';

const w = await createCast();
const { now, genuine, server, byNewSub, newSub, cleanControl, corporate } = w;
const byOlder = await w.leaf(genuine.older);
const weak = await w.leaf(genuine.sub, { key: 'RSA-1024' });
const forClients = await w.leafFor('push.fortinet.com', w.public.sub, {
  extensions: [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])],
});
const forNames = (...dnsNames: readonly string[]): Promise<Identity> =>
  createIdentity({ name: 'O=Fortinet, CN=other', dnsNames, issuer: genuine.sub });
const beginning = await w.leaf(genuine.sub, {
  notBefore: new Date('2026-11-28T14:00:00Z'),
  notAfter: new Date('2027-01-01T00:00:00Z'),
});
const withPrivateList = await w.leaf(corporate.sub, {
  extensions: [new CRLDistributionPointsExtension(['http://pki.acme.local/ca.crl'])],
});
const lowerSub = await createIdentity({ name: 'CN=Sub', authority: true, issuer: genuine.sub });
const onlyRoot = { ...w.trust, pins: w.trust.pins.filter(({ pin }) => pin === genuine.root.pin) };
const namelessRoot = await createIdentity({ name: '', authority: true });
const namelessSub = await createIdentity({ name: '', authority: true, issuer: namelessRoot });
const longRoot = await createIdentity({ name: `CN=${'x'.repeat(200)}`, authority: true });
// Valid from a different second than the genuine certificate. Otherwise, it would count as a copy.
const byCompany = await w.leaf(corporate.sub, { notBefore: new Date(now - 5 * DAY_MS) });
const original = certificateOf(server);
const copiedDates = await w.leaf(corporate.sub, {
  notBefore: new Date(original.notBefore),
  notAfter: new Date(original.notAfter),
});
const copiedSerial = await w.leaf(corporate.sub, {
  notBefore: new Date(now - 5 * DAY_MS),
  serial: original.serial.replaceAll(':', ''),
});
const likePublicRoot = await createIdentity({ name: 'C=US, O=Public Trust, CN=Root X9', authority: true });
const likePublicSub = await createIdentity({
  name: 'C=US, O=Public Trust, CN=R99',
  authority: true,
  issuer: likePublicRoot,
});
const likePublic = await w.leaf(likePublicSub);
const likeDevice = await createIdentity({ name: 'O=Fortinet, OU=FortiGate, CN=FG100FTK20012345', issuer: w.ownRoot });
const expiredSub = await createIdentity({
  name: 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=fortinet-subca2009',
  authority: true,
  issuer: genuine.root,
  notAfter: new Date(now - DAY_MS),
});
const byExpiredSub = await w.leaf(expiredSub);
const laterByExpiredSub = await w.leaf(expiredSub, { notBefore: new Date(now + DAY_MS) });
const otherName = await w.leafFor('globalftm.example.net', corporate.root);

/** More than are verified for one chain. */
const many = await Promise.all(Array.from({ length: 65 }, () => createIdentity({ name: 'CN=Many', authority: true })));

const LATER: Partial<TlsEvidence> = { now: now + 500 * DAY_MS };
const EARLIER: Partial<TlsEvidence> = { now: now - 100 * DAY_MS };
const CLOCK: Partial<TlsEvidence> = { ...LATER, controls: [cleanControl] };
const PROXIED: Partial<TlsEvidence> = { traces: ['via', 'x-bluecoat-via', 'zsa-client'] };
const LEARNED: Partial<TlsEvidence> = { baseline: w.baseline(server, genuine.sub) };
const cut = (...chain: readonly Identity[]): Partial<TlsEvidence> => ({
  outcome: failed({ reason: 'closed', chain: chainOf(...chain) }),
});
const elsewhere = [w.publicLeaf, w.public.sub, w.public.root] as const;
const claimed = [byNewSub, newSub] as const;
const refused = (refusal: string): Partial<TlsEvidence> => ({ outcome: handshake({ refusal }, server, genuine.sub) });
const expiredRoot = {
  ...anchorOf(genuine.root),
  certificate: { ...certificateOf(genuine.root), notAfter: now - DAY_MS },
};

/** One case for every row of the verdict table, and more if a row has several texts. */
const CASES: Readonly<Record<string, Partial<TlsEvidence>>> = {
  'own-clock': CLOCK,
  'device-and-more': { ...sees(w.device, genuine.sub), ...PROXIED },
  device: { ...sees(w.device, genuine.sub), ...LEARNED },
  dates: LATER,
  'dates, too early': EARLIER,
  'dates, on the day on which it begins': { ...sees(beginning, genuine.sub), now: Date.UTC(2026, 10, 28, 6) },
  'dates, of an intermediate certificate': sees(byExpiredSub, expiredSub, genuine.root),
  'dates, of an intermediate certificate, and a later leaf': sees(laterByExpiredSub, expiredSub, genuine.root),
  'misnamed-and-more': { ...sees(w.misnamed, genuine.sub), ...PROXIED },
  misnamed: sees(w.misnamed, genuine.sub),
  'misnamed, for six names': sees(await forNames('a', 'b', 'c', 'd', 'e', 'f'), genuine.sub),
  'misnamed, for no name': sees(await forNames(), genuine.sub),
  gap: { ...PUBLIC, ...sees(w.publicServer), references: reference('address', w.publicServer, w.public.sub) },
  cut: cut(server, genuine.sub),
  flaw: refused('PATH_LENGTH_EXCEEDED'),
  'flaw, not for servers': refused('INVALID_PURPOSE'),
  'flaw, no issuer': refused('INVALID_CA'),
  'flaw, without a name': refused('UNSPECIFIED'),
  'flaw, an expired authority': {
    ...sees(server, genuine.sub, genuine.root),
    trust: { ...w.trust, pins: [], anchors: [expiredRoot] },
  },
  'other-authority': { ...LEARNED, ...sees(byOlder, genuine.older) },
  renewed: { ...LEARNED, ...sees(w.otherNode, genuine.sub) },
  genuine: {},
  'genuine, with certificates left out': {
    outcome: handshake({ chain: { ...chainOf(server, genuine.sub), dropped: 2 } }),
  },
  'genuine, weaker than learned': { ...LEARNED, outcome: handshake({ protocol: 'TLSv1.2' }, server, genuine.sub) },
  weak: sees(weak, genuine.sub),
  'weak, and weaker than learned': { ...LEARNED, outcome: handshake({ protocol: 'TLSv1.2' }, weak, genuine.sub) },
  'weak, below several authorities': {
    ...sees(await w.leaf(lowerSub, { key: 'RSA-1024' }), lowerSub, genuine.sub, genuine.root),
    trust: onlyRoot,
  },
  'weak, not for servers': { ...PUBLIC, ...sees(forClients, w.public.sub) },
  'elsewhere-contradicted': { ...sees(...elsewhere), references: reference('resolver', server, genuine.sub) },
  'elsewhere-own-clock': { ...sees(...elsewhere), ...CLOCK },
  'elsewhere-dates': { ...sees(...elsewhere), ...EARLIER },
  'elsewhere-cut': cut(...elsewhere),
  'elsewhere-public': sees(...elsewhere),
  'elsewhere-vendor': {
    ...PUBLIC,
    ...sees(await w.leafFor('push.fortinet.com', genuine.sub), genuine.sub),
  },
  witnessed: sees(w.byFortigate, w.fortigate),
  'witnessed, by nobody known': {
    ...sees(w.byCorporateSub, corporate.sub),
    controls: [await w.control('www.iana.org', corporate.sub)],
  },
  'witnessed, with another key at another resolver': {
    ...sees(byCompany, corporate.sub),
    references: reference('resolver', server, genuine.sub),
  },
  ...Object.fromEntries(
    (['address', 'tls-version'] as const).map((kind) => [
      `witnessed, with another key by ${kind}`,
      { ...sees(byCompany, corporate.sub), references: reference(kind, server, genuine.sub) },
    ]),
  ),
  'witnessed, with the same key on a control host': {
    ...sees(w.device, genuine.sub),
    controls: [{ target: 'www.iana.org:443', chain: chainOf(w.device, genuine.sub) }],
  },
  "witnessed, with a certificate for a control host's name": {
    ...sees(byCompany, corporate.sub),
    references: [
      { kind: 'server-name', label: 'www.iana.org', chain: chainOf(await w.leafFor('www.iana.org', corporate.sub)) },
    ],
  },
  'witnessed, by a revocation list': sees(withPrivateList, corporate.sub),
  'witnessed, by a copied name': sees(await w.leaf(w.copied.sub), w.copied.sub, w.copied.root),
  'device, contradicted': { ...sees(w.device, genuine.sub), references: reference('resolver', server, genuine.sub) },
  unfinished: sees(byCompany, ...many),
  untrusting: { ...PINNED, ...sees(w.ownLeaf, w.ownRoot) },
  'claimed-own-clock': { ...sees(...claimed), ...CLOCK },
  'claimed-dates': { ...sees(...claimed), ...LATER },
  'claimed-cut': cut(...claimed),
  'claimed-hint': { ...LEARNED, outcome: handshake({ protocol: 'TLSv1.2' }, ...claimed) },
  'new-vendor-authority': sees(...claimed),
  'new-vendor-authority, for another name': sees(await w.leafFor('globalftm.example.net', newSub), newSub),
  'new-vendor-authority, nothing configured': { ...PINNED, ...sees(...claimed), ...LEARNED },
  'public-incomplete': sees(likePublic, likePublicSub),
  'untrusted-device': sees(likeDevice, w.ownRoot),
  'untrusted-other-name': { ...sees(otherName, corporate.root), controls: [cleanControl] },
  unverified: sees(w.byCorporate, corporate.root),
  'unverified, without a name': sees(await w.leaf(namelessSub), namelessSub),
  'unverified, with a long name': sees(await w.leaf(longRoot)),
  'unverified, by itself': sees(w.selfSigned),
  'unverified, another one learned': { ...sees(byCompany), ...LEARNED },
  'unverified, the dates of the genuine one': { ...sees(copiedDates), ...LEARNED },
  'unverified, its serial number': { ...sees(copiedSerial), ...LEARNED },
  'unverified, forged': sees(await w.leaf(w.copied.sub), genuine.sub, genuine.root),
  'no certificate': { outcome: handshake({ chain: { certificates: [], dropped: 0 } }) },
  'no readable certificate': { outcome: handshake({ chain: { certificates: [], dropped: 3 } }) },
};

/** Returns what is said if TLS 1.3 is genuine and TLS 1.2 ended like this. */
function toldOfOlder(outcome: TlsOutcome): string {
  const address = '192.0.2.1';
  const seen = path({
    subject: TARGET,
    endpoints: [{ ...endpoint(address), tls: handshake({}, server, genuine.sub) }],
    references: [{ kind: 'tls-1.2', label: address, outcome }],
  });
  const surroundings = { controls: [], now };
  const knowledge = { ...freshKnowledge(w), products: w.evidence({}).products };
  const tls = judgeTlsPath(seen, knowledge, surroundings);
  if (tls.worst === null) throw new Error('Expected a judgement');
  return toldOf({ ...tls.worst, findings: judgeOlderTls({ path: seen, tls, knowledge, surroundings }) });
}

describe('judgeTls()', () => {
  test('says of every case what it is, why, and what would settle it', async () => {
    const told = Object.entries(CASES).map(([name, seen]) => [name, toldOf(judgeTls(w.evidence(seen)))] as const);
    await expectRecorded('verdicts-told', {
      ...Object.fromEntries(told),
      'older TLS, inspected': toldOfOlder(handshake({}, w.byFortigate, w.fortigate)),
      'older TLS, blocked': toldOfOlder(failed({ reason: 'reset' })),
    });
  });
});
