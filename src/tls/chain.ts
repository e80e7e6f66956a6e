import { X509Certificate } from 'node:crypto';
import { type Certificate, type DistinguishedName, isInDate, type SentChain, isSameName } from '../core/certificate.ts';
import type { EpochMs } from '../core/clock.ts';
import { oncePer } from '../core/once-per.ts';
import {
  type Baseline,
  hasStrongSignature,
  isStrongKey,
  type Trust,
  type TrustProfile,
  trustUnder,
  keyStrength,
} from './trust.ts';
import { isForServers, maySignFor } from './extensions.ts';

/**
 * Result of following a chain from the leaf by signatures only.
 * - `trusted`: the chain leads to a key that the profile, the configuration or the baseline confirms.
 * - `weak`: the chain leads to a confirmed key, but clients should not accept it. A key or signature can be forged, or
 *   the certificate is not intended for servers.
 * - `public`: the chain leads to one of Mozilla's roots.
 * - `vendor`: the chain leads to one of Fortinet's keys, which this profile does not accept.
 * - `foreign`: the chain leads to an unknown root that nothing confirms.
 * - `forged`: the chain claims to be signed by a known authority, but that authority's key did not sign it. An
 *   authority that was sent and verified counts as known.
 * - `incomplete`: the chain leads to an authority that was not sent and whose key is unknown.
 */
export interface ChainTrust {
  readonly kind: 'trusted' | 'weak' | 'public' | 'vendor' | 'foreign' | 'forged' | 'incomplete';
  readonly path: readonly Certificate[];
  /** Null for `foreign`, `forged` and `incomplete`. */
  readonly label: string | null;
  /** Authorities found by verifying signatures, on this path or on another path through the chain. */
  readonly authorities: readonly Certificate[];
}

export interface TrustOptions {
  readonly profile: TrustProfile;
  readonly trust: Trust;
  readonly now: EpochMs;
  readonly checks: SignatureChecks;
}

export interface ChainTrustOptions extends TrustOptions {
  readonly baseline: Baseline | null;
  /** Certificates that fill gaps in the chain. They are trusted no more than the certificates that the peer sent. */
  readonly helpers: readonly Certificate[];
  readonly host: string;
}

const MOZILLA = "one of Mozilla's roots";

export function findChainTrust(sent: SentChain, options: ChainTrustOptions): ChainTrust {
  const trust = trustUnder(options.profile, options.trust);
  const keys = confirmedKeys(trust, options.baseline);
  const vendorKeys = configuredKeys(options.trust);
  const { all, strong } = bothWalks(sent, trust, options);
  const isRoot = (step: ChainLink): boolean => isPublicRoot(step, trust, options.host);
  const isTrusted = (step: ChainLink): boolean => keys.has(step.certificate.pin) || isRoot(step);
  const leads = (authority: Certificate): boolean =>
    walk([authority, ...sent], trust, options, isStrongLink).some(isTrusted);
  const known: readonly (readonly [ChainTrust['kind'], ChainLink | undefined])[] = [
    ['trusted', strong.find(({ certificate }) => keys.has(certificate.pin))],
    ['public', isForServers(sent[0]) ? strong.find(isRoot) : undefined],
    ['vendor', strong.find(({ certificate }) => vendorKeys.has(certificate.pin))],
    ['weak', all.find(isTrusted)],
  ];
  const found = known.find((ending): ending is Ending => ending[1] !== undefined);
  const [kind, step] = found ?? unknownEnd(all, { trust, options, sent, leads });
  return {
    kind,
    path: pathTo(step),
    label:
      found === undefined ? null : (keys.get(step.certificate.pin) ?? vendorKeys.get(step.certificate.pin) ?? MOZILLA),
    authorities: all.slice(1).map(({ certificate }) => certificate),
  };
}

function bothWalks(
  sent: SentChain,
  trust: Trust,
  options: ChainTrustOptions,
): { readonly all: readonly ChainLink[]; readonly strong: readonly ChainLink[] } {
  let weakLinks = 0;
  const all = walk(sent, trust, options, (issuer, subject) => {
    if (!isStrongLink(issuer, subject)) weakLinks += 1;
    return true;
  });
  if (!isStrongKey(sent[0].key)) return { all, strong: [] };
  // If there are no weak links, a second walk would have the same result.
  return { all, strong: weakLinks === 0 ? all : walk(sent, trust, options, isStrongLink) };
}

function confirmedKeys(trust: Trust, baseline: Baseline | null): ReadonlyMap<string, string> {
  if (baseline === null) return configuredKeys(trust);
  const learned = [...baseline.leaves, ...baseline.authorities];
  return new Map([
    ...learned.map((certificate): [string, string] => [certificate.pin, 'the learned baseline']),
    ...configuredKeys(trust),
  ]);
}

const configuredKeys = oncePer(
  ({ pins, anchors }: Trust): ReadonlyMap<string, string> =>
    new Map([
      ...pins.map((pin): [string, string] => [pin.pin, pin.label]),
      ...anchors.map((anchor): [string, string] => [anchor.certificate.pin, anchor.label]),
    ]),
);

function isStrongLink(issuer: Certificate, subject: Certificate): boolean {
  return isStrongKey(issuer.key) && hasStrongSignature(subject);
}

function walk(
  sent: SentChain,
  trust: Trust,
  options: ChainTrustOptions,
  accepts: (issuer: Certificate, subject: Certificate) => boolean,
): readonly ChainLink[] {
  const learned = options.baseline?.authorities ?? [];
  const isCurrent = (certificate: Certificate): boolean => isInDate(certificate, options.now);
  // Fortinet's keys are included under every profile, because they help to identify the chain. Being in this list does
  // not make them trusted.
  const availableAuthorities = [
    ...options.trust.anchors.map((anchor) => anchor.certificate),
    ...sent.slice(1),
    ...learned,
    ...options.helpers,
  ];
  return walkChain({
    leaf: sent[0],
    // If two certificates have the same key, the one that has not expired is tried first.
    candidates: [
      ...availableAuthorities.filter(isCurrent),
      ...availableAuthorities.filter((certificate) => !isCurrent(certificate)),
    ],
    lookUp: (name) => trust.publicRoots.bySubject(name),
    accepts,
    checks: options.checks,
  });
}

/** Every authority on the path to the root must be allowed to sign for this host. */
function isPublicRoot(step: ChainLink, trust: Trust, host: string): boolean {
  const { certificate } = step;
  if (step.below === null || !certificate.isAuthority) return false;
  const isRoot = trust.publicRoots.bySubject(certificate.subject).some((root) => root.pin === certificate.pin);
  return (
    isRoot &&
    pathTo(step)
      .slice(1)
      .every((authority) => maySignFor(authority, host))
  );
}

type Ending = readonly [kind: ChainTrust['kind'], step: ChainLink];

interface Doubt {
  readonly trust: Trust;
  readonly options: ChainTrustOptions;
  readonly sent: SentChain;
  /** Returns whether the authority itself leads to a trusted key. The leaf does not lead to this authority. */
  readonly leads: (authority: Certificate) => boolean;
}

function unknownEnd(all: readonly ChainLink[], doubt: Doubt): Ending {
  const root = all.find(({ certificate }) => isSelfSigned(certificate, doubt.options.checks));
  if (root !== undefined) return ['foreign', root];
  const tops = all.filter(({ certificate }) => !all.some((other) => other.below?.certificate === certificate));
  const forged = tops.find(({ certificate }) => isForgedName(certificate.issuer, doubt));
  return forged === undefined
    ? ['incomplete', tops.at(-1) ?? { certificate: doubt.sent[0], below: null }]
    : ['forged', forged];
}

function isSelfSigned(certificate: Certificate, checks: SignatureChecks): boolean {
  return isSameName(certificate.subject, certificate.issuer) && checks.signs(certificate, certificate);
}

/** Limits the load that a peer can cause. */
const MOST_NAMESAKES = 3;

/**
 * A name is considered forged if all authorities with this name are available and none of them signed the certificate.
 */
function isForgedName(name: DistinguishedName, { trust, options, sent, leads }: Doubt): boolean {
  const hasName = (authority: Certificate): boolean => isSameName(authority.subject, name);
  if (name.attributes.length === 0) return false;
  const namesakes = sent.slice(1).filter((certificate) => certificate.isAuthority && hasName(certificate));
  if (namesakes.slice(0, MOST_NAMESAKES).some(leads)) return true;
  // A signature can be checked only with the signer's certificate. The signer may be a key for which only the pin is
  // known.
  if (trust.pins.some((pin) => pin.name === null)) return false;
  const held = [...trust.anchors.map((anchor) => anchor.certificate), ...(options.baseline?.authorities ?? [])];
  return [...held, ...trust.publicRoots.bySubject(name)].some(hasName);
}

/** `below` is the link whose certificate this one signed, or null for the leaf. */
interface ChainLink {
  readonly certificate: Certificate;
  readonly below: ChainLink | null;
}

interface WalkOptions {
  readonly leaf: Certificate;
  readonly candidates: readonly Certificate[];
  readonly lookUp: (name: DistinguishedName) => readonly Certificate[];
  /** Returns whether the walk may continue from `subject` to `issuer`. The signature has already been verified. */
  readonly accepts: (issuer: Certificate, subject: Certificate) => boolean;
  readonly checks: SignatureChecks;
}

/**
 * A real chain needs fewer than ten. The limit protects against peers that send many certificates in order to cause
 * load.
 */
const MAX_CHECKS = 96;

/**
 * Returns every certificate that can be reached from the leaf through signatures alone, breadth first, starting with
 * the leaf. Names affect only the order, never the result. Issuers must have CA:TRUE. Each certificate is visited only
 * once, so cycles are harmless.
 */
export function walkChain(options: WalkOptions): readonly ChainLink[] {
  const steps: ChainLink[] = [{ certificate: options.leaf, below: null }];
  const seen = new Set([options.leaf.fingerprint]);
  const budget = { checks: MAX_CHECKS };
  // `steps` is used as a queue, because an array can grow during `for…of`.
  for (const step of steps) {
    for (const issuer of findIssuers(step.certificate, options, budget)) {
      if (seen.has(issuer.fingerprint)) continue;
      seen.add(issuer.fingerprint);
      steps.push({ certificate: issuer, below: step });
    }
  }
  return steps;
}

function findIssuers(subject: Certificate, options: WalkOptions, budget: { checks: number }): readonly Certificate[] {
  const isNamed = (candidate: Certificate): boolean => isSameName(candidate.subject, subject.issuer);
  const named = [...options.candidates.filter(isNamed), ...options.lookUp(subject.issuer)];
  const signed = named.filter((candidate) => isIssuer(candidate, subject, options, budget));
  if (signed.length > 0) return signed;
  return options.candidates.filter((candidate) => !isNamed(candidate) && isIssuer(candidate, subject, options, budget));
}

function isIssuer(
  candidate: Certificate,
  subject: Certificate,
  options: WalkOptions,
  budget: { checks: number },
): boolean {
  if (!candidate.isAuthority || candidate.fingerprint === subject.fingerprint || budget.checks === 0) return false;
  budget.checks -= 1;
  return options.checks.signs(candidate, subject) && options.accepts(candidate, subject);
}

function pathTo(step: ChainLink): readonly Certificate[] {
  return step.below === null ? [step.certificate] : [...pathTo(step.below), step.certificate];
}

/** Results are cached, because a server usually sends the same chain every time. */
export interface SignatureChecks {
  /** Returns whether the key of `issuer` signed `subject`. Does not check names, dates, strength or CA:TRUE. */
  signs(issuer: Certificate, subject: Certificate): boolean;
  /** `key` must contain everything on which the result depends. */
  once(key: string, answer: () => boolean): boolean;
}

/** @param capacity the maximum number of cached results; the oldest results are removed first */
export function createSignatureChecks(capacity = 2048): SignatureChecks {
  const known = new Map<string, boolean>();

  function once(key: string, answer: () => boolean): boolean {
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const found = answer();
    const oldest = known.keys().next();
    if (known.size >= capacity && oldest.done !== true) known.delete(oldest.value);
    known.set(key, found);
    return found;
  }

  return {
    once,
    signs: (issuer, subject) => once(`${issuer.fingerprint} ${subject.fingerprint}`, () => verify(issuer, subject)),
  };
}

function verify(issuer: Certificate, subject: Certificate): boolean {
  if (keyStrength(issuer.key) === null) return false;
  try {
    return new X509Certificate(subject.der).verify(new X509Certificate(issuer.der).publicKey);
  } catch {
    // Node throws if the key and the signature have different types, or if OpenSSL does not support the algorithm.
    return false;
  }
}
