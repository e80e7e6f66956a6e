import type { Certificate, DistinguishedName } from '../../core/certificate.ts';
import { isSameName } from '../../core/distinguished-name.ts';
import type { SignatureChecks } from './signature-checks.ts';

/** One certificate that the walk came to, and the one below it that it signed; null for the leaf. */
export interface ChainLink {
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
