import { nameList, visibleText } from '../../core/visible-text.ts';
import type { Certificate, DistinguishedName, CapturedChain, SentChain } from '../../core/certificate.ts';
import { attributeValues, called, inFull, isSameName } from '../../tls/names.ts';
import { sentChain } from '../../tls/sent-chain.ts';
import type { FindingText } from '../../engine/model.ts';
import {
  type ChainCase,
  type TlsEvidence,
  isPublicChain,
  claimsVendor,
  identify,
  isRightful,
  chainTrustOf,
  type ReferenceChain,
} from './chain-case.ts';
import { weakerFinding } from './expectations.ts';
import { findProduct, type Trust } from '../../tls/trust.ts';
import { hostOf, isPrivateHost, plainName } from '../../core/addresses.ts';
import { walkChain, type ChainTrust } from '../../tls/chain.ts';
import { authorityKeyIdentifier, areRelatedHosts, matchesName, locationsOf } from '../../tls/extensions.ts';

/** How a reference that can contradict the chain was reached. */
const WAYS = {
  resolver: 'at the address from',
  address: 'at',
  'tls-version': 'in',
} as const;

/**
 * A difference between two genuine chains is normal, because a service's nodes can have different certificates. A
 * server may also select its chain by server name, so a reference with a different server name contradicts nothing.
 */
function referenceSignal(chain: ChainCase): Signal | null {
  if (isBeyondComparison(chain)) return null;
  const [signal] = chain.evidence.references.flatMap((reference) => compare(chain, reference) ?? []);
  return signal ?? null;
}

/**
 * A chain with the right name under an accepted key needs no comparison, because no other observation can contradict
 * it.
 */
function isBeyondComparison({ accepted, identity }: ChainCase): boolean {
  return accepted && isRightful(identity);
}

function compare(chain: ChainCase, { kind, label, chain: captured }: ReferenceChain): Signal | null {
  const sent = sentChain(captured);
  // The vendor may renew its nodes' certificates one after the other.
  const isOrdinary = kind === 'server-name' || (kind === 'address' && chain.claim !== 'other');
  if (sent === null || isOrdinary) return null;
  const chainTrust = chainTrustOf(sent, chain.evidence, chain.checks);
  if (isUnderTrusted(chain, chainTrust) || !isGenuine(chainTrust, sent, chain.evidence)) return null;
  const seen = `${WAYS[kind]} ${label}`;
  const { subject, issuer } = chain.leaf;
  // The same authority signs device certificates and the server's certificate.
  const [own, theirs] = chain.accepted
    ? [`belongs to ${called(subject)}`, 'belongs to the server']
    : [`was issued by ${called(issuer)}`, 'was issued by a trusted authority'];
  return {
    rule: 'reference-path-agrees',
    weight: 'witness',
    claim: `The certificate ${own}, but the certificate ${visibleText(seen, 80)} ${theirs}.`,
    expected: chain.accepted
      ? `The server's certificate, as ${seen}`
      : `The same authority as ${seen}: ${chainTrust.label ?? 'trusted'}`,
    fullNames: inFull(chain.accepted ? subject : issuer),
  };
}

/**
 * Several servers behind one name can have different certificates: the vendor may renew them one after the other, and a
 * public service may have one for each region. So a difference proves something only about a chain that no known key
 * signed and that claims neither.
 */
function elsewhereSignal(chain: ChainCase): Signal | null {
  const { elsewhere, evidence, chainTrust, claim } = chain;
  if (elsewhere?.kind !== 'other' || SIGNED_BY_KNOWN.includes(chainTrust.kind) || claim === 'public') return null;
  const issuer = elsewhere.issuer === null ? '' : `, issued by ${visibleText(elsewhere.issuer, 80)}`;
  return {
    rule: 'other-networks-agree',
    weight: claim === 'vendor' ? 'hint' : 'witness',
    claim: `${evidence.target} presents another certificate to ${elsewhere.seenBy}${issuer}.`,
    expected: 'The certificate that other networks receive',
  };
}

const SIGNED_BY_KNOWN: readonly ChainTrust['kind'][] = ['trusted', 'weak', 'public', 'vendor'];

/** A difference between two legitimate authorities is not a sign of interception. */
function isUnderTrusted({ accepted, identity, chainTrust }: ChainCase, reference: ChainTrust): boolean {
  const own = chainTrust.authorities.map(({ pin }) => pin);
  const isShared = reference.authorities.some(({ pin }) => own.includes(pin));
  // The genuine authority also signs device certificates, but these do not belong to the server.
  return identity !== 'device' && (accepted || isShared);
}

function isGenuine({ kind }: ChainTrust, [leaf]: SentChain, evidence: TlsEvidence): boolean {
  const isTrusted = kind === 'trusted' || (kind === 'public' && evidence.profile === 'public');
  return isTrusted && isRightful(identify(leaf, evidence));
}

/**
 * Clients of an internet server could not access an issuer certificate or revocation list at a private location, such
 * as a directory (Active Directory Certificate Services) or a host in a private network.
 */
function privateLocation({ chainTrust, claim: claimed }: ChainCase): Signal | null {
  if (chainTrust.kind === 'trusted' || chainTrust.kind === 'public') return null;
  const found = chainTrust.path
    .flatMap(locationsOf)
    .find((location) => isPrivateLocation(location, claimed === 'public'));
  if (found === undefined) return null;
  return {
    rule: 'issuer-is-found-on-the-internet',
    weight: 'witness',
    claim: 'The certificate refers to an issuer or revocation list in a private network.',
    expected: 'An issuer and revocation list on the internet',
    quote: visibleText(found, 160),
  };
}

/** Some public authorities list a directory server on the internet, which does not count as private. */
function isPrivateLocation(location: string, isPublicClaim: boolean): boolean {
  const [, scheme = '', bracketed, name = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(?:\[([0-9a-f:.]+)\]|([^/:?#]*))/iu.exec(location) ?? [];
  const host = plainName(bracketed ?? name);
  // A location such as `ldap:///CN=…` contains no host, so only a client in the directory's network finds it.
  if (/^ldaps?$/iu.test(scheme)) return !isPublicClaim || isPrivateHost(host);
  return /^https?$/iu.test(scheme) && host !== '' && isPrivateHost(host);
}

/** In the order in which they are reported. */
export function signalsOf(chain: ChainCase): readonly Signal[] {
  return [
    catalogued(chain),
    atControlHost(chain),
    borrowedName(chain),
    copiedLeaf(chain),
    referenceSignal(chain),
    elsewhereSignal(chain),
    forwardProxy(chain),
    privateLocation(chain),
    // Inspecting devices often use weaker keys, signatures or protocols than the server.
    ...weakerFinding(chain).map((found): Signal => ({ ...found, weight: 'hint' })),
  ].filter((signal) => signal !== null);
}

/** Leaf subjects are ignored, because certificates for vendors' own web sites also contain the vendor's name. */
function catalogued({ leaf, chainTrust, evidence }: ChainCase): Signal | null {
  const issuers = [leaf.issuer, ...chainTrust.path.slice(1).flatMap(({ subject, issuer }) => [subject, issuer])];
  const [found] = issuers.flatMap((issuer) => {
    const product = findProduct(evidence.products, issuer);
    return product === null ? [] : [{ issuer, product: product.name }];
  });
  if (found === undefined) return null;
  return {
    rule: 'issuer-is-no-inspection-product',
    weight: 'witness',
    expected: 'An issuer that is not an inspection product',
    claim: `The issuer ${called(found.issuer)} is an inspection authority from ${found.product}.`,
    fullNames: inFull(found.issuer),
    facts: { product: found.product },
  };
}

/**
 * Headers that forward proxies and filters add, but servers and content delivery networks do not (mitmengine,
 * reference_fingerprints/mitmengine/badheader.txt). `via` and the headers from Squid caches are excluded, because a
 * server may be behind a cache.
 */
const FORWARD_PROXY = /^(?:proxy-connection|x-bluecoat-via|x-iwsaas-via|x-mwg-via|x-sophos-wsa-clientip|zsa-.*)$/u;

function forwardProxy({ evidence }: ChainCase): Signal | null {
  const found = evidence.traces.filter((trace) => FORWARD_PROXY.test(trace));
  if (found.length === 0) return null;
  const claim = `The answer has headers that only forward proxies add: ${nameList(found, 4)}.`;
  const expected = 'No headers that only forward proxies add';
  return { rule: 'no-forward-proxy-headers', weight: 'witness', claim, expected };
}

/**
 * `witness`: an observation from this round that a change on the vendor's side cannot explain. A single witness
 * confirms an interception. `hint`: a difference from earlier observations that a change on the vendor's side does not
 * explain. A hint only raises a suspicion.
 */
export interface Signal extends FindingText {
  readonly weight: 'witness' | 'hint';
}

/**
 * A known certificate's details that appear with a different key, such as a genuine authority's name, or the genuine
 * leaf's dates or serial number. The leaf's subject alone is not a signal, because every certificate for the same host
 * has it.
 */
const COPY = {
  rule: 'names-belong-to-their-keys',
  expected: 'Names, dates and serial numbers of known certificates used only with the keys of these certificates',
} as const;

function borrowedName(chain: ChainCase): Signal | null {
  const { chainTrust, evidence } = chain;
  const forged = chainTrust.kind === 'forged' ? chainTrust.path.at(-1)?.issuer : undefined;
  const name = forged ?? claimants(chain).find((certificate) => bearsKnownName(certificate, evidence))?.subject;
  if (name === undefined) return null;
  return {
    ...COPY,
    weight: isOnlyLearned(name, chain) ? 'hint' : 'witness',
    claim:
      forged === undefined
        ? `${called(name)} does not have the same key as the genuine authority with this name.`
        : `The certificate claims to be issued by ${called(name)}, but was not signed with that authority's key.`,
    fullNames: inFull(name),
  };
}

/**
 * If an authority was not sent, only certificates that signed another certificate are compared, because anyone can
 * append unrelated certificates.
 */
function claimants({ chainTrust, sent }: ChainCase): readonly Certificate[] {
  const last = chainTrust.path.at(-1);
  if (chainTrust.kind === 'foreign' && last !== undefined) return [last, ...sent.slice(1)];
  return chainTrust.kind === 'incomplete' ? chainTrust.path.slice(1) : [];
}

function bearsKnownName({ subject, pin }: Certificate, evidence: TlsEvidence): boolean {
  const namesakes = namesakesOf(subject, evidence);
  return namesakes.length > 0 && namesakes.every((namesake) => namesake.pin !== pin);
}

/** Returns whether a shipped, configured, public or learned authority has this name. */
export function isKnownAuthority(name: DistinguishedName, evidence: TlsEvidence): boolean {
  return namesakesOf(name, evidence).length > 0;
}

function namesakesOf(like: DistinguishedName, { trust, baseline }: TlsEvidence): readonly KnownName[] {
  return [...configuredNames(like, trust), ...(baseline?.authorities ?? []).map(asKnown)].filter(({ name }) =>
    isSameAuthority(name, like),
  );
}

/** A name that is known only from a learned chain raises a suspicion but does not confirm it. */
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

/** Only the organization and common name are compared, not fields such as the email address. */
function isSameAuthority(left: DistinguishedName, right: DistinguishedName): boolean {
  const telling = ({ attributes }: DistinguishedName): DistinguishedName => ({
    attributes: attributes.filter(({ type }) => type === 'O' || type === 'CN'),
  });
  return attributeValues(left, 'CN').length > 0 && isSameName(telling(left), telling(right));
}

function copiedLeaf({ leaf, evidence }: ChainCase): Signal | null {
  const referenceLeaves = evidence.references.flatMap(({ chain }) => chain.certificates.slice(0, 1));
  // Certificates from the same authority can have the same dates if they were issued together.
  const originals = [...(evidence.baseline?.leaves ?? []), ...referenceLeaves].filter(
    (known) => known.pin !== leaf.pin && !isSameName(known.issuer, leaf.issuer),
  );
  const original = originals.find(
    (known) => known.serial === leaf.serial || (known.notBefore === leaf.notBefore && known.notAfter === leaf.notAfter),
  );
  if (original === undefined || !isSameName(original.subject, leaf.subject)) return null;
  const what = original.serial === leaf.serial ? 'serial number' : 'dates';
  const claim = `The certificate has the same subject and ${what} as the genuine certificate, but a different key.`;
  return { ...COPY, weight: 'hint', claim };
}

/**
 * A vendor does not sign certificates for unrelated hosts. Control hosts whose chain ends at one of Mozilla's roots are
 * ignored.
 */
function atControlHost(chain: ChainCase): Signal | null {
  if (isBeyondComparison(chain)) return null;
  const { evidence, leaf } = chain;
  const controls = controlsOf(evidence);
  // Content delivery networks use one certificate for many names, but such a certificate contains the target's name.
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

/** A single host that does not send its intermediate certificate is common, but several such hosts are not. */
function isEverywhere(alike: readonly Control[], { controls }: TlsEvidence): boolean {
  const targets = new Set(controls.map(({ target }) => target));
  const found = new Set(alike.map(({ target }) => target));
  return [...found].some((target) => !targets.has(target)) || (targets.size > 1 && found.size === targets.size);
}

interface Control {
  readonly target: string;
  readonly shownBy: string;
  readonly host: string;
  readonly isElsewhere: boolean;
  readonly leaf: Certificate;
  readonly sent: SentChain;
}

/**
 * Includes the target itself if it presented a certificate for a control host's name. A server has no certificates for
 * unrelated names, but an intercepting device creates them on demand.
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

function seenAt({ target, shownBy, isElsewhere }: Control, { leaf, evidence }: ChainCase, what: string): Signal {
  return {
    rule: 'control-host-has-another-issuer',
    weight: 'witness',
    expected: `A different issuer on ${target}, which is unrelated to ${evidence.target}`,
    claim: `${visibleText(shownBy, 110)} presents ${what}: ${called(leaf.issuer)}.`,
    fullNames: inFull(leaf.issuer),
    ...(isElsewhere ? { witness: 'other-host' } : {}),
  };
}

/**
 * A host in the vendor's domain may use the vendor's private authority. Such a host counts only if the issuer is a
 * known inspection product or does not claim to be the vendor.
 */
function isUnrelated({ evidence, leaf }: ChainCase, control: Control): boolean {
  if (!areRelatedHosts(hostOf(evidence.target), control.host)) return true;
  if (findProduct(evidence.products, leaf.issuer) !== null) return true;
  return !claimsVendor(leaf.issuer, evidence.trust);
}

/**
 * The issuers' keys are compared if at least one host sent its issuer certificate. Otherwise, the leaves' issuer fields
 * are compared.
 */
function sharesIssuer(chain: ChainCase, control: Control): boolean {
  const target = issuersOf(chain.leaf, chain, control);
  const other = new Set(issuersOf(control.leaf, chain, control).map((issuer) => issuer.pin));
  if (target.length > 0 || other.size > 0) return target.some((issuer) => other.has(issuer.pin));
  return namesSameIssuer(chain.leaf, control.leaf);
}

function issuersOf(leaf: Certificate, chain: ChainCase, control: Control): readonly Certificate[] {
  const candidates = [...chain.sent, ...control.sent, ...chain.chainTrust.authorities];
  const steps = walkChain({
    leaf,
    candidates,
    lookUp: () => [],
    accepts: () => true,
    checks: chain.checks.forOneChain(),
  });
  return steps.slice(1).map((step) => step.certificate);
}

function namesSameIssuer(left: Certificate, right: Certificate): boolean {
  if (left.issuer.attributes.length === 0 || !isSameName(left.issuer, right.issuer)) return false;
  const [leftKey, rightKey] = [authorityKeyIdentifier(left), authorityKeyIdentifier(right)];
  return leftKey === null || rightKey === null || leftKey === rightKey;
}
