import { counted, nameList } from '../../core/phrases.ts';
import {
  type Certificate,
  type DistinguishedName,
  attributeValues,
  isSameName,
  type CapturedChain,
  type SentChain,
  sentChain,
} from '../../core/certificate.ts';
import { instantText } from '../../core/time-text.ts';
import type { Millis } from '../../core/clock.ts';
import { called, inFull } from '../../tls/flaws.ts';
import {
  type ChainCase,
  isBeyondComparison,
  deviceOf,
  type TlsEvidence,
  isPublicChain,
  claimsVendor,
  identify,
  isRightful,
  chainTrustOf,
  type ReferenceChain,
} from './chain-case.ts';
import { weakerFinding, type Expectation } from './expectations.ts';
import { findProduct, type Trust, type TrustProfile } from '../../tls/trust.ts';
import { hostOf, classifyAddress, plainName } from '../../core/addresses.ts';
import { walkChain, type ChainTrust } from '../../tls/chain.ts';
import { authorityKeyIdentifier, areRelatedHosts, matchesName, locationsOf } from '../../tls/extensions.ts';
import { visibleText } from '../../core/visible-text.ts';

const WAYS: Readonly<Record<ReferenceChain['kind'], string>> = {
  resolver: 'at the address from',
  proxy: 'over',
  address: 'at',
  'server-name': 'with the server name',
  'tls-version': 'in',
};

/**
 * Another way to the same target shows what this one does not: the genuine key, or, with another server name, a chain
 * that is at least publicly trusted. That two genuine chains differ is ordinary: nodes of one service have different
 * certificates.
 */
export function referenceSignals(chain: ChainCase): readonly Signal[] {
  if (isBeyondComparison(chain)) return [];
  const signals = chain.evidence.references.flatMap((reference) => compare(chain, reference) ?? []);
  const [first] = [...signals.filter(({ weight }) => weight === 'witness'), ...signals];
  return first === undefined ? [] : [first];
}

function compare(chain: ChainCase, reference: ReferenceChain): Signal | null {
  const sent = sentChain(reference.chain);
  if (sent === null) return null;
  const chainTrust = chainTrustOf(sent, chain.evidence, chain.checks);
  const isNamed = isRightful(identify(sent[0], chain.evidence));
  if (isUnderTrusted(chain, chainTrust)) return null;
  const [issuer, fullNames] = [called(chain.leaf.issuer), inFull(chain.leaf.issuer)];
  const seen = `${WAYS[reference.kind]} ${reference.label}`;
  if (isGenuine(chainTrust.kind, { isNamed, kind: reference.kind, profile: chain.evidence.profile })) {
    const rule = 'reference-path-agrees';
    const weight = weightOf(reference.kind, chain);
    if (chain.accepted !== null) return { rule, weight, ...deviceInstead(chain, seen) };
    const expected = `The same authority as ${seen}: ${chainTrust.label ?? 'trusted'}`;
    const claim = `The certificate is issued by ${issuer} here, but by a trusted authority ${visibleText(seen, 80)}.`;
    return { rule, weight, claim, expected, fullNames };
  }
  if (reference.kind !== 'server-name' || chainTrust.kind !== 'public') return null;
  const expected = `A trusted chain with this server name as ${seen}`;
  const claim = `The certificate is issued by ${issuer}, and ${visibleText(seen, 80)} by a public authority.`;
  return { rule: 'server-name-changes-nothing', weight: 'weak', claim, expected, fullNames };
}

/** The same authority signs for both: what differs is whose certificate it is. */
function deviceInstead({ leaf }: ChainCase, seen: string): Pick<Signal, 'claim' | 'expected' | 'fullNames'> {
  return {
    claim: `The certificate is that of ${called(leaf.subject)} here, and the server's own ${visibleText(seen, 80)}.`,
    expected: `The server's own certificate, as ${seen}`,
    fullNames: inFull(leaf.subject),
  };
}

/** Both are under an authority that is right: what is wrong with this certificate, that one says nothing about. */
function isUnderTrusted({ accepted, identity, chainTrust }: ChainCase, reference: ChainTrust): boolean {
  const own = chainTrust.authorities.map(({ pin }) => pin);
  const isShared = reference.authorities.some(({ pin }) => own.includes(pin));
  // A device has a genuine certificate, but not the server's.
  return identity !== 'device' && (accepted !== null || isShared);
}

/**
 * The vendor may renew one node after the other, and a server may choose its chain by the server name: there a genuine
 * key beside this one is no sign, unless the issuer here claims to be somebody else.
 */
function weightOf(kind: ReferenceChain['kind'], { claim }: ChainCase): Signal['weight'] {
  switch (kind) {
    case 'resolver':
    case 'proxy':
    case 'tls-version':
      return 'witness';
    case 'address':
      return claim === 'other' ? 'witness' : 'weak';
    case 'server-name':
      return 'weak';
  }
}

interface SeenReference {
  readonly isNamed: boolean;
  readonly kind: ReferenceChain['kind'];
  readonly profile: TrustProfile;
}

/**
 * Asked with another server name, a server may rightly show the certificate of that name: there the trusted key is
 * enough.
 */
function isGenuine(chainTrust: ChainTrust['kind'], { isNamed, kind, profile }: SeenReference): boolean {
  if (chainTrust === 'trusted') return isNamed || kind === 'server-name';
  return chainTrust === 'public' && profile === 'public' && isNamed;
}

/**
 * Names that no resolver of the internet knows: RFC 6762 §3, RFC 8375, ICANN's `.internal`, and those of RFC 6762
 * appendix G.
 */
const INTERNAL_NAME = /\.(?:local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/u;

/**
 * Where the certificates say that their issuer or its revocation list can be had: in a directory (as Active Directory's
 * certificate services write it) or at a host of a private network. A server of the internet has clients that could not
 * look there.
 */
function privateLocation({ chainTrust, claim: claimed }: ChainCase): Seen | null {
  if (chainTrust.kind === 'trusted' || chainTrust.kind === 'public') return null;
  const found = chainTrust.path
    .flatMap(locationsOf)
    .find((location) => isPrivateLocation(location, claimed === 'public'));
  if (found === undefined) return null;
  const expected = 'Issuer and revocation list at addresses of the internet';
  const claim = 'The certificate points to an issuer or a revocation list inside a private network.';
  return { claim, expected, quote: visibleText(found, 160) };
}

/** Some public authorities name a directory server of the internet beside their web server: that is no sign. */
function isPrivateLocation(location: string, isPublicClaim: boolean): boolean {
  const [, scheme = '', bracketed, name = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(?:\[([0-9a-f:.]+)\]|([^/:?#]*))/iu.exec(location) ?? [];
  const host = plainName(bracketed ?? name);
  // No host is named in `ldap:///CN=…`.
  if (/^ldaps?$/iu.test(scheme)) return host === '' || !isPublicClaim || isPrivateHost(host);
  return /^https?$/iu.test(scheme) && host !== '' && isPrivateHost(host);
}

function isPrivateHost(name: string): boolean {
  const kind = classifyAddress(name);
  if (kind !== null) return kind === 'private' || kind === 'loopback' || kind === 'link-local';
  return !name.includes('.') || INTERNAL_NAME.test(name);
}

type Finder = (chain: ChainCase) => readonly Signal[];

/** Every expectation about a chain, in the order in which their failures are told. Add one here. */
const SIGNALS: readonly Finder[] = [
  signal('issuer-is-no-inspection-product', 'witness', catalogued),
  signal('control-host-has-another-issuer', 'witness', atControlHost),
  signal('leaf-is-no-device-certificate', 'weak', deviceCertificate),
  signal('identity-as-learned', 'weak', deviceForServer),
  copySignals,
  referenceSignals,
  signal('no-forward-proxy-headers', 'witness', forwardProxy),
  signal('issuer-is-found-on-the-internet', 'witness', privateLocation),
  signal('certificate-is-not-brand-new', 'weak', brandNew),
  signal('serial-stays', 'weak', changingSerial),
  // Inspection often lowers what the server itself offers.
  signal('as-strong-as-learned', 'hint', (chain) => weakerFinding(chain)[0] ?? null),
  // A change at the vendor begins like these as well, so they only stand in the evidence: they say since when.
  signal('genuine-as-before', 'weak', genuineBefore),
  signal('issuer-as-learned', 'weak', otherThanLearned),
];

/** All that speaks for interception. */
export function signalsOf(chain: ChainCase): readonly Signal[] {
  return SIGNALS.flatMap((find) => find(chain));
}

function signal(rule: string, weight: Signal['weight'], find: (chain: ChainCase) => Seen | null): Finder {
  return (chain) => {
    const seen = find(chain);
    return seen === null ? [] : [{ ...seen, rule, weight }];
  };
}

/**
 * An inspection product's name among the issuers. Only issuers: some products copy their own name into the leaf's
 * subject, and their maker's own web sites carry it there too.
 */
function catalogued({ leaf, chainTrust, evidence }: ChainCase): Seen | null {
  const issuers = [leaf.issuer, ...chainTrust.path.slice(1).flatMap(({ subject, issuer }) => [subject, issuer])];
  const [found] = issuers.flatMap((issuer) => {
    const product = findProduct(evidence.products, issuer);
    return product === null ? [] : [{ issuer, product: product.name }];
  });
  if (found === undefined) return null;
  return {
    expected: 'An issuer that is not known as an inspection product',
    claim: `${called(found.issuer)} is a name that ${found.product} gives its inspection authorities.`,
    fullNames: inFull(found.issuer),
    product: found.product,
  };
}

/**
 * A factory certificate of a Fortinet unit in the server's place: it says who answers. The verdict knows the identity
 * by itself.
 */
function deviceCertificate({ identity, leaf }: ChainCase): Seen | null {
  const product = identity === 'device' ? deviceOf(leaf) : null;
  if (product === null) return null;
  return {
    claim: `The certificate is the factory certificate of a device, ${called(leaf.subject)}.`,
    expected: "The licence server's own certificate",
    fullNames: inFull(leaf.subject),
    product,
  };
}

/** A device where the baseline has a server. */
function deviceForServer({ identity, evidence, leaf }: ChainCase): Seen | null {
  const known = evidence.baseline?.leaves[0];
  if (known === undefined || identity !== 'device') return null;
  const expected = `The learned identity: ${called(known.subject)}`;
  return {
    claim: `The certificate is that of ${called(leaf.subject)}, where ${called(known.subject)} was learned.`,
    expected,
    fullNames: inFull(leaf.subject, known.subject),
  };
}

/**
 * Header fields that forward proxies and filters add to answers, and no server or content network does (mitmengine,
 * reference_fingerprints/mitmengine/badheader.txt). `via` and the caches of Squid are not among them: a server may
 * stand behind one.
 */
const FORWARD_PROXY = /^(?:proxy-connection|x-bluecoat-via|x-iwsaas-via|x-mwg-via|x-sophos-wsa-clientip|zsa-.*)$/u;

function forwardProxy({ evidence }: ChainCase): Seen | null {
  const found = evidence.traces.filter((trace) => FORWARD_PROXY.test(trace));
  if (found.length === 0) return null;
  const claim = `The answer has headers that only a forward proxy adds: ${nameList(found, 4)}.`;
  return { claim, expected: 'No header that only a forward proxy adds' };
}

const HOUR_MS = 60 * 60 * 1000;
const FRESH_MS = 6 * HOUR_MS;
const SERIAL_MEMORY_MS = 24 * HOUR_MS;

/** Made on the fly: it became valid a few hours ago. */
function brandNew({ leaf, evidence }: ChainCase): Seen | null {
  const age = evidence.now - leaf.notBefore;
  if (age < 0 || age >= FRESH_MS) return null;
  const claim = `The certificate is brand-new: it became valid only ${agoText(age)} ago.`;
  return { claim, expected: 'A certificate that was made before it was asked for' };
}

function agoText(age: Millis): string {
  const minutes = Math.round(age / 60_000);
  if (minutes < 1) return 'moments';
  return minutes < 120 ? counted(minutes, 'minute') : counted(Math.round(minutes / 60), 'hour');
}

/**
 * Connections that each showed another serial: three may be the nodes behind a name, four in a day that never repeat
 * hardly are.
 */
const MIN_SERIALS = 4;

/** Made on the fly: another serial on each connection. */
function changingSerial({ leaf, evidence: { previous, now } }: ChainCase): Seen | null {
  const recent = previous.filter(({ at }) => now - at <= SERIAL_MEMORY_MS);
  const serials = [...recent, leaf].map(({ serial }) => serial);
  if (serials.length < MIN_SERIALS || new Set(serials).size < serials.length) return null;
  const claim = `Each of ${String(serials.length)} connections in a day showed a certificate with another serial number.`;
  return { claim, expected: 'The same certificate on the next connection' };
}

/** This program verified the same target itself before. */
function genuineBefore(chain: ChainCase): Seen | null {
  const { remembered } = chain.evidence;
  if (isBeyondComparison(chain) || remembered === null) return null;
  const expected = `A chain to ${remembered.label}, genuine until ${instantText(remembered.at)}`;
  const { issuer } = chain.leaf;
  const claim = `The certificate is issued by ${called(issuer)} now; a genuine one was seen here before.`;
  return { claim, expected, fullNames: inFull(issuer) };
}

function otherThanLearned(chain: ChainCase): Seen | null {
  const { baseline } = chain.evidence;
  const [learned] = baseline?.leaves ?? [];
  if (isBeyondComparison(chain) || chain.baselineMatch !== 'other-authority' || !baseline || !learned) return null;
  const { issuer } = chain.leaf;
  return {
    claim: `The certificate is issued by ${called(issuer)} and not by ${called(learned.issuer)}, as learned.`,
    expected: `Issued by ${called(learned.issuer)}, as learned at ${instantText(baseline.learnedAt)}`,
    fullNames: inFull(issuer, learned.issuer),
  };
}

/**
 * Something that speaks for interception.
 * - `witness`: seen in this round, and no change at the vendor can produce it. One is enough to turn a suspicion into a
 *   certainty.
 * - `hint`: a change at the vendor does not explain it, but it rests on what was known before: it raises a suspicion,
 *   no more.
 * - `weak`: has everyday explanations (a renewal, several nodes, virtual hosts), or says only since when; it stands in
 *   the evidence.
 */
export interface Signal extends Expectation {
  readonly weight: 'witness' | 'hint' | 'weak';
  /** The product that it points to. */
  readonly product?: string;
}

/** A signal apart from its name and its weight. */
export type Seen = Pick<Signal, 'claim' | 'expected' | 'quote' | 'witness' | 'fullNames' | 'product'>;

/**
 * What belongs to a known certificate, under another key: the name of a genuine authority, or the dates or serial of
 * the genuine leaf. The leaf's subject alone is no sign: every certificate for the same host has it.
 */
export function copySignals(chain: ChainCase): readonly Signal[] {
  const borrowed = borrowedName(chain);
  const leaf = copiedLeaf(chain);
  return [
    ...(borrowed === null ? [] : [copy(borrowed, isOnlyLearned(borrowed.name, chain) ? 'hint' : 'witness')]),
    ...(leaf === null ? [] : [copy(leaf, 'hint')]),
  ];
}

type Copy = Pick<Signal, 'claim' | 'fullNames'>;

function copy(seen: Copy, weight: Signal['weight']): Signal {
  const expected = 'Names, dates and serials of known certificates only together with their keys';
  return { rule: 'names-belong-to-their-keys', weight, expected, ...seen };
}

interface Borrowed extends Copy {
  readonly name: DistinguishedName;
}

function borrowedName(chain: ChainCase): Borrowed | null {
  const { chainTrust, evidence } = chain;
  const last = chainTrust.path.at(-1);
  // The issuer was asked and has not signed: the claim itself is the copy.
  if (chainTrust.kind === 'forged' && last !== undefined)
    return {
      name: last.issuer,
      claim: `The certificate names ${called(last.issuer)} as its authority, whose key did not sign it.`,
      fullNames: inFull(last.issuer),
    };
  const borrower = claimants(chain).find((certificate) => bearsKnownName(certificate, evidence));
  if (borrower === undefined) return null;
  return {
    name: borrower.subject,
    claim: `${called(borrower.subject)} has another key than the genuine authority of this name.`,
    fullNames: inFull(borrower.subject),
  };
}

/**
 * Below an authority that was not sent, only what has signed speaks for the chain: anybody can append a certificate.
 */
function claimants({ chainTrust, sent }: ChainCase): readonly Certificate[] {
  const last = chainTrust.path.at(-1);
  if (chainTrust.kind === 'foreign' && last !== undefined) return [last, ...sent.slice(1)];
  return chainTrust.kind === 'incomplete' ? chainTrust.path.slice(1) : [];
}

function bearsKnownName({ subject, pin }: Certificate, { trust, baseline }: TlsEvidence): boolean {
  const namesakes = [...configuredNames(subject, trust), ...(baseline?.authorities ?? []).map(asKnown)].filter(
    ({ name }) => isSameAuthority(name, subject),
  );
  return namesakes.length > 0 && namesakes.every((namesake) => namesake.pin !== pin);
}

/** What was learned is what was seen before: it raises a suspicion, and confirms none. */
function isOnlyLearned(name: DistinguishedName, { evidence, sent }: ChainCase): boolean {
  const isOfThatName = (known: DistinguishedName): boolean => isSameAuthority(known, name);
  const learned = (evidence.baseline?.authorities ?? []).some(({ subject }) => isOfThatName(subject));
  return (
    learned &&
    !configuredNames(name, evidence.trust).some((known) => isOfThatName(known.name)) &&
    !sent.slice(1).some(({ subject }) => isOfThatName(subject))
  );
}

interface KnownName {
  readonly name: DistinguishedName;
  readonly pin: string;
}

function configuredNames(like: DistinguishedName, { anchors, pins, publicRoots }: Trust): readonly KnownName[] {
  return [
    ...anchors.map(({ certificate }) => asKnown(certificate)),
    ...publicRoots.bySubject(like).map(asKnown),
    ...pins.flatMap(({ name, pin }) => (name === null ? [] : [{ name, pin }])),
  ];
}

function asKnown({ subject, pin }: Certificate): KnownName {
  return { name: subject, pin };
}

/** Same organization and common name: an e-mail address or a country more or less makes it no other authority. */
function isSameAuthority(left: DistinguishedName, right: DistinguishedName): boolean {
  const telling = ({ attributes }: DistinguishedName): DistinguishedName => ({
    attributes: attributes.filter(isTelling),
  });
  return attributeValues(left, 'CN').length > 0 && isSameName(telling(left), telling(right));
}

function isTelling({ type }: { readonly type: string }): boolean {
  return type === 'O' || type === 'CN';
}

function copiedLeaf({ leaf, evidence }: ChainCase): Copy | null {
  const referenceLeaves = evidence.references.flatMap(({ chain }) => chain.certificates.slice(0, 1));
  // Under one authority, certificates that were made together have the same dates.
  const originals = [...(evidence.baseline?.leaves ?? []), ...referenceLeaves].filter(
    (known) => known.pin !== leaf.pin && !isSameName(known.issuer, leaf.issuer),
  );
  const original = originals.find((known) => known.serial === leaf.serial || hasSameDates(known, leaf));
  if (original === undefined || !isSameName(original.subject, leaf.subject)) return null;
  const what = original.serial === leaf.serial ? 'serial' : 'dates';
  return { claim: `The certificate has the subject and the ${what} of the genuine one, but another key.` };
}

function hasSameDates(left: Certificate, right: Certificate): boolean {
  return left.notBefore === right.notBefore && left.notAfter === right.notAfter;
}

/**
 * The same private issuer, or the same leaf key, on an unrelated control host: no vendor signs for both. Control hosts
 * whose chain ends at one of Mozilla's roots are clean, and two hosts behind one public authority are ordinary.
 */
function atControlHost(chain: ChainCase): Seen | null {
  if (isBeyondComparison(chain)) return null;
  const { evidence, leaf } = chain;
  const controls = controlsOf(evidence);
  // One certificate for many names is ordinary on a public content network, but then it names the target.
  const twin = chain.identity === 'named' ? undefined : controls.find((control) => control.leaf.pin === leaf.pin);
  if (twin !== undefined) return seenAt(twin, chain, 'the same certificate key');
  const alike = controls.filter((control) => isAlike(chain, control));
  const [first] = alike;
  if (first === undefined || (chain.claim === 'public' && !isEverywhere(alike, evidence))) return null;
  return seenAt(first, chain, 'the same private issuer');
}

function isAlike(chain: ChainCase, control: Control): boolean {
  if (isPublicChain(control.sent, control.host, chain.evidence, chain.checks) || !isUnrelated(chain, control))
    return false;
  return control.leaf.pin === chain.leaf.pin || sharesIssuer(chain, control);
}

/**
 * One host that forgets to send the intermediate of a public authority is everyday business, the same one on every host
 * is none; nor is one that signs for any name at the same address.
 */
function isEverywhere(alike: readonly Control[], { controls }: TlsEvidence): boolean {
  const targets = new Set(controls.map(({ target }) => target));
  const found = new Set(alike.map(({ target }) => target));
  return [...found].some((target) => !targets.has(target)) || (targets.size > 1 && found.size === targets.size);
}

interface Control {
  readonly target: string;
  /** The same at the beginning of a sentence. */
  readonly shownBy: string;
  readonly host: string;
  /** It is another host than the target. */
  readonly isElsewhere: boolean;
  readonly leaf: Certificate;
  readonly sent: SentChain;
}

/**
 * The control hosts, and the target itself when it showed a certificate for a control host's name: a server has no
 * certificate for other people's names; one who makes them up on demand has.
 */
function controlsOf({ controls, references }: TlsEvidence): readonly Control[] {
  const minted = references.filter(({ kind, label, chain }) => {
    const leaf = chain.certificates[0];
    return kind === 'server-name' && leaf !== undefined && matchesName(leaf, label, { commonName: true });
  });
  return [
    ...controls.flatMap(({ target, chain }) =>
      toControl({ target, shownBy: `The unrelated host ${target}`, host: hostOf(target), isElsewhere: true }, chain),
    ),
    ...minted.flatMap(({ label, chain }) => {
      const what = `same address with the server name ${label}`;
      return toControl({ target: `the ${what}`, shownBy: `The ${what}`, host: label, isElsewhere: false }, chain);
    }),
  ];
}

function toControl(shown: Omit<Control, 'leaf' | 'sent'>, chain: CapturedChain): readonly Control[] {
  const sent = sentChain(chain);
  return sent === null ? [] : [{ ...shown, leaf: sent[0], sent }];
}

function seenAt({ target, shownBy, isElsewhere }: Control, { leaf, evidence }: ChainCase, what: string): Seen {
  return {
    expected: `Another issuer on ${target}, unrelated to ${evidence.target}`,
    claim: `${visibleText(shownBy, 110)} shows ${what}: ${called(leaf.issuer)}.`,
    fullNames: inFull(leaf.issuer),
    ...(isElsewhere ? { witness: 'other-host' } : {}),
  };
}

/**
 * A host of the vendor's own domain may rightly be under the vendor's private authority. It counts only when the issuer
 * does not claim to be the vendor, or is known as an inspection product.
 */
function isUnrelated({ evidence, leaf }: ChainCase, control: Control): boolean {
  if (!areRelatedHosts(hostOf(evidence.target), control.host)) return true;
  if (findProduct(evidence.products, leaf.issuer) !== null) return true;
  return !claimsVendor(leaf.issuer, evidence.trust);
}

/** By key, where either of them sent the issuer; by what the leaves say of their issuer, where neither did. */
function sharesIssuer(chain: ChainCase, control: Control): boolean {
  const target = issuersOf(chain.leaf, chain, control);
  const other = new Set(issuersOf(control.leaf, chain, control).map((issuer) => issuer.pin));
  if (target.length > 0 || other.size > 0) return target.some((issuer) => other.has(issuer.pin));
  return namesSameIssuer(chain.leaf, control.leaf);
}

function issuersOf(leaf: Certificate, chain: ChainCase, control: Control): readonly Certificate[] {
  const candidates = [...chain.sent, ...control.sent, ...chain.chainTrust.authorities];
  const steps = walkChain({ leaf, candidates, lookUp: () => [], accepts: () => true, checks: chain.checks });
  return steps.slice(1).map((step) => step.certificate);
}

function namesSameIssuer(left: Certificate, right: Certificate): boolean {
  if (left.issuer.attributes.length === 0 || !isSameName(left.issuer, right.issuer)) return false;
  const [leftKey, rightKey] = [authorityKeyIdentifier(left), authorityKeyIdentifier(right)];
  return leftKey === null || rightKey === null || leftKey === rightKey;
}
