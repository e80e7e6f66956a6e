import type { CapturedChain, Certificate } from '../../core/certificate.ts';
import type { Finding } from '../../engine/finding.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import { reportCase } from './case-report.ts';
import { catalogueSignal } from './catalogue-signal.ts';
import { type ChainCase, openCase } from './chain-case.ts';
import { controlSignal } from './control-signal.ts';
import { copySignals } from './copy-signal.ts';
import { deviceSignal, identitySignal, mintedSignals, strengthSignal } from './leaf-signals.ts';
import { locationSignal } from './location-signal.ts';
import { memorySignals } from './memory-signal.ts';
import { judgeNoCertificate } from './no-certificate.ts';
import { referenceSignals } from './reference-signal.ts';
import type { Signal } from './signal.ts';
import { createSignatureChecks, type SignatureChecks } from './signature-checks.ts';
import { type TlsEvidence, type TlsJudgement, type Verdict, VERDICTS } from './tls-evidence.ts';
import { traceSignal } from './trace-signal.ts';
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
  const { outcome } = evidence;
  const [leaf, ...rest] = chainOf(outcome)?.certificates ?? [];
  if (leaf !== undefined) return judgeChain(openCase([leaf, ...rest], evidence, checks));
  return outcome.kind === 'failed' ? judgeNoCertificate(outcome, evidence) : judgeUnreadable(outcome.chain, evidence);
}

function chainOf(outcome: TlsOutcome): CapturedChain | null {
  return outcome.chain;
}

/** Every expectation about a chain, in the order in which their failures are told. Add one here. */
const SIGNALS: readonly ((chain: ChainCase) => readonly Signal[])[] = [
  catalogueSignal,
  controlSignal,
  deviceSignal,
  identitySignal,
  copySignals,
  referenceSignals,
  traceSignal,
  locationSignal,
  mintedSignals,
  strengthSignal,
  memorySignals,
];

function judgeChain(chain: ChainCase): TlsJudgement {
  const signals = SIGNALS.flatMap((find) => find(chain));
  const rule = decide(gatherFacts(chain, signals));
  const product = isInterception(rule.verdict)
    ? (signals.find((signal) => signal.product !== null)?.product ?? null)
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

function judgeUnreadable(chain: CapturedChain, { target }: TlsEvidence): TlsJudgement {
  const actual = chain.dropped === 0 ? 'None was sent' : `${String(chain.dropped)} that cannot be read`;
  return {
    verdict: 'unknown',
    confidence: 'suspected',
    product: null,
    findings: [
      {
        rule: 'chain-is-readable',
        subject: target,
        expected: 'A certificate that can be read',
        actual,
        level: 'unknown',
        suggests: null,
      },
    ],
    summary: `The certificate of ${target} cannot be judged: ${actual.toLowerCase()}`,
    wouldSettle: 'The same connection looked at from a path known to be clean',
    authorities: [],
    accepted: null,
    verifiedBy: null,
  };
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

function distinctCertificates(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}
