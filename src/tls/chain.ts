import { X509Certificate } from 'node:crypto';
import type { Certificate, DistinguishedName, SentChain } from '../core/certificate.ts';
import { isSameName } from './names.ts';
import { isInDate } from './sent-chain.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { oncePer } from '../core/once-per.ts';
import {
  type Baseline,
  hasStrongSignature,
  type PinnedCertificate,
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
 * - `unfinished`: the limits for one chain were reached before the chain led to a key that anything confirms.
 * - `incomplete`: the chain leads to an authority that was not sent and whose key is unknown.
 */
export interface ChainTrust {
  readonly kind: 'trusted' | 'weak' | 'public' | 'vendor' | 'foreign' | 'forged' | 'unfinished' | 'incomplete';
  readonly path: readonly Certificate[];
  /** Null for `foreign`, `forged`, `unfinished` and `incomplete`. */
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
  /** Absent if other networks were not asked when the certificate was learned. */
  readonly pinned?: PinnedCertificate | null;
  /** Certificates that fill gaps in the chain. They are trusted no more than the certificates that the peer sent. */
  readonly helpers: readonly Certificate[];
  readonly host: string;
}

const MOZILLA = "one of Mozilla's roots";

export function findChainTrust(sent: SentChain, options: ChainTrustOptions): ChainTrust {
  const { pinned = null } = options;
  if (pinned?.fingerprint === sent[0].fingerprint) {
    const label = `the certificate that ${pinned.seenBy} received as well`;
    return { kind: 'trusted', path: [sent[0]], label, authorities: [] };
  }
  const trust = trustUnder(options.profile, options.trust);
  const keys = confirmedKeys(trust, options.baseline);
  const vendorKeys = configuredKeys(options.trust);
  const checks = options.checks.forOneChain();
  const { all, strong } = bothWalks(sent, trust, options, checks);
  const isRoot = (step: ChainLink): boolean => isPublicRoot(step, trust, options.host);
  const isTrusted = (step: ChainLink): boolean => keys.has(step.certificate.pin) || isRoot(step);
  const leads = (authority: Certificate): boolean =>
    walk([authority, ...sent], trust, options, { checks, accepts: isStrongLink }).some(isTrusted);
  const known: readonly (readonly [ChainTrust['kind'], ChainLink | undefined])[] = [
    ['trusted', strong.find(({ certificate }) => keys.has(certificate.pin))],
    ['public', isForServers(sent[0]) ? strong.find(isRoot) : undefined],
    ['vendor', strong.find(({ certificate }) => vendorKeys.has(certificate.pin))],
    ['weak', all.find(isTrusted)],
  ];
  const found = known.find((ending): ending is Ending => ending[1] !== undefined);
  const [kind, step] = found ?? unknownEnd(all, { trust, options, sent, leads, checks });
  // A confirmed key is proof even if other certificates were not checked. Every other result depends on all of them.
  if (checks.areCut() && kind !== 'trusted' && kind !== 'public') return unfinished(sent, all);
  return {
    kind,
    path: pathTo(step),
    label:
      found === undefined ? null : (keys.get(step.certificate.pin) ?? vendorKeys.get(step.certificate.pin) ?? MOZILLA),
    authorities: all.slice(1).map(({ certificate }) => certificate),
  };
}

function unfinished(sent: SentChain, all: readonly ChainLink[]): ChainTrust {
  const last = all.at(-1);
  return {
    kind: 'unfinished',
    path: last === undefined ? [sent[0]] : pathTo(last),
    label: null,
    authorities: all.slice(1).map(({ certificate }) => certificate),
  };
}

function bothWalks(
  sent: SentChain,
  trust: Trust,
  options: ChainTrustOptions,
  checks: ChainChecks,
): { readonly all: readonly ChainLink[]; readonly strong: readonly ChainLink[] } {
  let weakLinks = 0;
  const accepts: WalkRules['accepts'] = (issuer, subject) => {
    if (!isStrongLink(issuer, subject)) weakLinks += 1;
    return true;
  };
  const all = walk(sent, trust, options, { checks, accepts });
  if (!isStrongKey(sent[0].key)) return { all, strong: [] };
  // If there are no weak links, a second walk would have the same result.
  return { all, strong: weakLinks === 0 ? all : walk(sent, trust, options, { checks, accepts: isStrongLink }) };
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

function walk(sent: SentChain, trust: Trust, options: ChainTrustOptions, rules: WalkRules): readonly ChainLink[] {
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
    ...rules,
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
  readonly checks: ChainChecks;
}

function unknownEnd(all: readonly ChainLink[], doubt: Doubt): Ending {
  const root = all.find(({ certificate }) => isSelfSigned(certificate, doubt.checks));
  if (root !== undefined) return ['foreign', root];
  const tops = all.filter(({ certificate }) => !all.some((other) => other.below?.certificate === certificate));
  const forged = tops.find(({ certificate }) => isForgedName(certificate.issuer, doubt));
  return forged === undefined
    ? ['incomplete', tops.at(-1) ?? { certificate: doubt.sent[0], below: null }]
    : ['forged', forged];
}

function isSelfSigned(certificate: Certificate, checks: ChainChecks): boolean {
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

interface WalkRules {
  /** Returns whether the walk may continue from `subject` to `issuer`. The signature has already been verified. */
  readonly accepts: (issuer: Certificate, subject: Certificate) => boolean;
  readonly checks: ChainChecks;
}

interface WalkOptions extends WalkRules {
  readonly leaf: Certificate;
  readonly candidates: readonly Certificate[];
  readonly lookUp: (name: DistinguishedName) => readonly Certificate[];
}

/**
 * Returns every certificate that can be reached from the leaf through signatures alone, breadth first, starting with
 * the leaf. Names affect only the order, never the result. Issuers must have CA:TRUE. Each certificate is visited only
 * once, so cycles are harmless.
 */
export function walkChain(options: WalkOptions): readonly ChainLink[] {
  const steps: ChainLink[] = [{ certificate: options.leaf, below: null }];
  const seen = new Set([options.leaf.fingerprint]);
  // `steps` is used as a queue, because an array can grow during `for…of`.
  for (const step of steps) {
    for (const issuer of findIssuers(step.certificate, options)) {
      if (seen.has(issuer.fingerprint)) continue;
      seen.add(issuer.fingerprint);
      steps.push({ certificate: issuer, below: step });
    }
  }
  return steps;
}

function findIssuers(subject: Certificate, options: WalkOptions): readonly Certificate[] {
  const isNamed = (candidate: Certificate): boolean => isSameName(candidate.subject, subject.issuer);
  const named = [...options.candidates.filter(isNamed), ...options.lookUp(subject.issuer)];
  const signed = named.filter((candidate) => isIssuer(candidate, subject, options));
  if (signed.length > 0) return signed;
  return options.candidates.filter((candidate) => !isNamed(candidate) && isIssuer(candidate, subject, options));
}

function isIssuer(candidate: Certificate, subject: Certificate, { checks, accepts }: WalkRules): boolean {
  if (!candidate.isAuthority || candidate.fingerprint === subject.fingerprint) return false;
  return checks.signs(candidate, subject) && accepts(candidate, subject);
}

function pathTo(step: ChainLink): readonly Certificate[] {
  return step.below === null ? [step.certificate] : [...pathTo(step.below), step.certificate];
}

/** Results are cached, because a server usually sends the same chain every time. */
export interface SignatureChecks {
  /** Starts the limits for one chain, which protect against peers that send chains in order to cause load. */
  forOneChain(): ChainChecks;
  /** `key` must contain everything on which the result depends. A result of null is not cached and counts as false. */
  once(key: string, answer: () => boolean | null): boolean;
}

interface ChainChecks {
  /**
   * Returns whether the key of `issuer` signed `subject`. Does not check names, dates, strength or CA:TRUE. After a
   * limit is reached, only cached results are returned, otherwise false.
   */
  signs(issuer: Certificate, subject: Certificate): boolean;
  /** Returns whether a limit prevented a check. */
  areCut(): boolean;
}

/** A real chain needs fewer than ten. With inspection and other paths for comparison, a chain needs about 30. */
const MAX_CHECKS = 64;
/** A check takes 0.1 to 2 ms. */
const MAX_DURATION: Millis = 250;
/** Checks that are made even if the time is over, because this process may have had to wait for the processor. */
const FEWEST_CHECKS = 10;

/**
 * @param capacity the maximum number of cached results; the oldest results are removed first
 * @param elapsed without a clock, only the number of checks for each chain is limited
 */
export function createSignatureChecks(capacity = 2048, elapsed: Clock['elapsed'] = () => 0): SignatureChecks {
  const known = new Map<string, boolean>();

  function once(key: string, answer: () => boolean | null): boolean {
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const found = answer();
    if (found === null) return false;
    const oldest = known.keys().next();
    if (known.size >= capacity && oldest.done !== true) known.delete(oldest.value);
    known.set(key, found);
    return found;
  }

  function forOneChain(): ChainChecks {
    const end = elapsed() + MAX_DURATION;
    let left = MAX_CHECKS;
    let cut = false;
    return {
      signs: (issuer, subject) =>
        once(`${issuer.fingerprint} ${subject.fingerprint}`, () => {
          cut ||= left === 0 || (left <= MAX_CHECKS - FEWEST_CHECKS && elapsed() > end);
          if (cut) return null;
          left -= 1;
          return verify(issuer, subject);
        }),
      areCut: () => cut,
    };
  }

  return { once, forOneChain };
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
