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
 * Where a chain ends, by signatures alone.
 * - `trusted`: at a key that the profile, the configuration or the baseline confirms.
 * - `weak`: there too, but no client should take it: a key or signature can be forged, or the certificate is not for
 *   servers.
 * - `public`: at one of Mozilla's roots.
 * - `vendor`: at one of Fortinet's keys, which this profile does not accept.
 * - `foreign`: at a root of its own, which nobody confirms.
 * - `forged`: it claims the name of a known authority (one that is sent along and verifies is known too) whose key did
 *   not sign it.
 * - `incomplete`: at an authority that was not sent and whose key is not known.
 */
export interface ChainTrust {
  readonly kind: 'trusted' | 'weak' | 'public' | 'vendor' | 'foreign' | 'forged' | 'incomplete';
  /** From the leaf to where it ends. */
  readonly path: readonly Certificate[];
  /** The trusted key's label, for `trusted`, `weak`, `public` and `vendor`. */
  readonly label: string | null;
  /**
   * Pin of the configured key that it leads to, for `trusted`; null where only the baseline confirms it, and for the
   * others.
   */
  readonly configured: string | null;
  /** Authorities above the leaf found by signature, on this path or another. */
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
  /** More certificates that may fill a gap in the chain; they are trusted no more than those that were sent. */
  readonly helpers: readonly Certificate[];
  /** The host name that the certificate is wanted for. */
  readonly host: string;
}

const MOZILLA = "one of Mozilla's roots";

export function findChainTrust(sent: SentChain, options: ChainTrustOptions): ChainTrust {
  const trust = trustUnder(options.profile, options.trust);
  const configured = configuredKeys(trust);
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
  const [kind, step] = found ?? strangeEnd(all, { trust, options, sent, leads });
  const confirming = strong.find(({ certificate }) => configured.has(certificate.pin));
  return {
    kind,
    path: pathTo(step),
    label:
      found === undefined ? null : (keys.get(step.certificate.pin) ?? vendorKeys.get(step.certificate.pin) ?? MOZILLA),
    configured: kind === 'trusted' ? (confirming?.certificate.pin ?? null) : null,
    authorities: all.slice(1).map(({ certificate }) => certificate),
  };
}

/** Over all links, and over those alone that prove something. */
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
  // Without a weak link the second walk would go the same way.
  return { all, strong: weakLinks === 0 ? all : walk(sent, trust, options, isStrongLink) };
}

/** Pin of every key that is confirmed, and in whose words. */
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
  // Fortinet's own too, whatever the profile: they confirm nothing here, but tell whose chain it is.
  const atHand = [
    ...options.trust.anchors.map((anchor) => anchor.certificate),
    ...sent.slice(1),
    ...learned,
    ...options.helpers,
  ];
  return walkChain({
    leaf: sent[0],
    // Where two certificates carry the same key, the one that has not expired makes the better path.
    candidates: [...atHand.filter(isCurrent), ...atHand.filter((certificate) => !isCurrent(certificate))],
    lookUp: (name) => trust.publicRoots.bySubject(name),
    accepts,
    checks: options.checks,
  });
}

/** Whether the step is a root of Mozilla's, over authorities that may sign for this host. */
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
  /** Whether such a certificate leads to a trusted key, though the leaf does not lead to it. */
  readonly leads: (authority: Certificate) => boolean;
}

/** Tells apart why a chain reaches nothing that is known. */
function strangeEnd(all: readonly ChainLink[], doubt: Doubt): Ending {
  const root = all.find(({ certificate }) => isSelfSigned(certificate, doubt.options.checks));
  if (root !== undefined) return ['foreign', root];
  const tops = all.filter(({ certificate }) => !all.some((other) => other.below?.certificate === certificate));
  const forged = tops.find(({ certificate }) => isDisowned(certificate.issuer, doubt));
  return forged === undefined
    ? ['incomplete', tops.at(-1) ?? { certificate: doubt.sent[0], below: null }]
    : ['forged', forged];
}

function isSelfSigned(certificate: Certificate, checks: SignatureChecks): boolean {
  return isSameName(certificate.subject, certificate.issuer) && checks.signs(certificate, certificate);
}

/** A peer that sends a tangle of them keeps us busy with no more. */
const MOST_NAMESAKES = 3;

/** Whether every authority that may carry this name is at hand, so that it was asked and has not signed. */
function isDisowned(name: DistinguishedName, { trust, options, sent, leads }: Doubt): boolean {
  const hasName = (authority: Certificate): boolean => isSameName(authority.subject, name);
  if (name.attributes.length === 0) return false;
  const namesakes = sent.slice(1).filter((certificate) => certificate.isAuthority && hasName(certificate));
  if (namesakes.slice(0, MOST_NAMESAKES).some(leads)) return true;
  // Only a certificate can be asked whether it signed; the key behind a pin without a name may be the one that did.
  if (trust.pins.some((pin) => pin.name === null)) return false;
  const held = [...trust.anchors.map((anchor) => anchor.certificate), ...(options.baseline?.authorities ?? [])];
  return [...held, ...trust.publicRoots.bySubject(name)].some(hasName);
}

/** One certificate that the walk came to, and the one below it that it signed; null for the leaf. */
interface ChainLink {
  readonly certificate: Certificate;
  readonly below: ChainLink | null;
}

export interface WalkOptions {
  readonly leaf: Certificate;
  /** Certificates at hand that may have signed something, in the order in which they are tried. */
  readonly candidates: readonly Certificate[];
  /** More of them, looked up by the issuer's name. */
  readonly lookUp: (name: DistinguishedName) => readonly Certificate[];
  /** Whether to go on from `subject` to `issuer`, whose signature was found to be right. */
  readonly accepts: (issuer: Certificate, subject: Certificate) => boolean;
  readonly checks: SignatureChecks;
}

/**
 * Verifications for one walk. A real chain takes fewer than ten; the rest is for a peer that sends a tangle to keep us
 * busy.
 */
const MAX_CHECKS = 96;

/**
 * Every certificate that can be reached from the leaf by signatures alone, breadth first, the leaf itself first. Names
 * decide only the order of trying, never the outcome; issuers must have CA:TRUE; each certificate is visited once, so
 * that cycles end.
 */
export function walkChain(options: WalkOptions): readonly ChainLink[] {
  const steps: ChainLink[] = [{ certificate: options.leaf, below: null }];
  const seen = new Set([options.leaf.fingerprint]);
  const budget = { checks: MAX_CHECKS };
  // An array grows while `of` goes over it: a queue.
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

/** The certificates from the leaf up to this step. */
export function pathTo(step: ChainLink): readonly Certificate[] {
  return step.below === null ? [step.certificate] : [...pathTo(step.below), step.certificate];
}

/** Answers who signed what, and remembers it: a server sends the same chain every time. */
export interface SignatureChecks {
  /**
   * Whether the key of `issuer` made the signature on `subject`. Says nothing about names, dates, strength or CA:TRUE.
   */
  signs(issuer: Certificate, subject: Certificate): boolean;
  /** The answer to a question about certificates that is always the same; `key` says all that it depends on. */
  once(key: string, answer: () => boolean): boolean;
}

/** @param capacity how many answers are remembered; the oldest go first */
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
    // key and signature of different kinds, or a signature algorithm that this OpenSSL does not know
    return false;
  }
}
