import { distinctCertificates, sentChain } from '../../core/certificate.ts';
import type { Finding } from '../../engine/finding.ts';
import { reportCase } from './case-report.ts';
import { type ChainCase, openCase } from './chain-case.ts';
import { judgeNoCertificate } from './no-certificate.ts';
import { signalsOf } from './signals.ts';
import { createSignatureChecks, type SignatureChecks } from './signature-checks.ts';
import { type TlsEvidence, type TlsJudgement, type Verdict, VERDICTS } from './tls-evidence.ts';
import { gatherFacts } from './verdict-facts.ts';
import { decide } from './verdict-rules.ts';

/**
 * Whether what one address showed is the server's own certificate, and if not, who stands in between. Pure; never
 * throws, whatever the peer sent; bounded in time by the bounds of the chain (16 certificates) and of the signatures
 * that are looked at.
 *
 * @param checks pass one in to remember verified signatures from round to round
 */
export function judgeTls(evidence: TlsEvidence, checks: SignatureChecks = createSignatureChecks()): TlsJudgement {
  const sent = sentChain(evidence.outcome.chain);
  return sent === null ? judgeNoCertificate(evidence) : judgeChain(openCase(sent, evidence, checks));
}

function judgeChain(chain: ChainCase): TlsJudgement {
  const signals = signalsOf(chain);
  const rule = decide(gatherFacts(chain, signals));
  const product = isInterception(rule.verdict)
    ? (signals.find(({ product }) => product !== undefined)?.product ?? null)
    : null;
  return {
    verdict: rule.verdict,
    confidence: rule.confidence,
    product,
    ...reportCase(chain, rule, signals),
    authorities: chain.chainTrust.authorities,
    accepted: chain.accepted,
    verifiedBy: isGenuine(rule.verdict) ? chain.chainTrust.configured : null,
  };
}

function isInterception(verdict: Verdict): boolean {
  return verdict === 'intercepted' || verdict === 'interception-suspected';
}

function isGenuine(verdict: Verdict): boolean {
  return verdict === 'genuine' || verdict === 'rotated';
}

/**
 * The judgement of a target with several addresses: the worst one, with the findings of all. Null when there is none to
 * combine.
 */
export function worstJudgement(judgements: readonly TlsJudgement[]): TlsJudgement | null {
  const ordered = judgements.toSorted((left, right) => rank(left) - rank(right));
  const [worst] = ordered;
  if (worst === undefined) return null;
  return {
    ...worst,
    product:
      worst.product ??
      ordered.find((judgement) => judgement.verdict === worst.verdict && judgement.product !== null)?.product ??
      null,
    findings: distinctFindings(ordered),
    authorities: distinctCertificates(ordered.flatMap((judgement) => judgement.authorities)),
  };
}

/** Within one verdict the confirmed one first. */
function rank({ verdict, confidence }: TlsJudgement): number {
  return VERDICTS.indexOf(verdict) * 2 + (confidence === 'confirmed' ? 0 : 1);
}

function distinctFindings(judgements: readonly TlsJudgement[]): readonly Finding[] {
  const keyed = judgements
    .flatMap(({ findings }) => findings)
    .map((finding): [string, Finding] => [JSON.stringify(finding), finding]);
  return [...new Map(keyed).values()];
}
