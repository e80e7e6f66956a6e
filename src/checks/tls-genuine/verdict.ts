import { shortName } from '../../tls/names.ts';
import { distinctCertificates, sentChain } from '../../tls/sent-chain.ts';
import {
  type Finding,
  type FindingFacts,
  type FindingLevel,
  isFault,
  known,
  note,
  type FindingText,
  unknown,
} from '../../engine/model.ts';
import {
  type ChainCase,
  openCase,
  type TlsEvidence,
  type TlsJudgement,
  type Verdict,
  VERDICTS,
  deviceOf,
} from './chain-case.ts';
import { judgeNoCertificate } from './blocked.ts';
import { isKnownAuthority, signalsOf, type Signal } from './signals.ts';
import { createSignatureChecks, type SignatureChecks } from '../../tls/chain.ts';
import { decide, decideEverywhere, decideLater, type Decision, gatherFacts, type VerdictFacts } from './decide.ts';
import { deviceFinding, elsewhereFinding, gapFinding, verificationFinding, weakerFinding } from './expectations.ts';
import { notAsked } from '../outside.ts';
import { tell } from './tell.ts';
import { ANOTHER_SERVER, type TlsCause } from './causes.ts';
import { productText } from '../../engine/remedy-words.ts';

/**
 * Never throws, whatever the peer sent. The number of certificates (16) and verified signatures is limited, so the
 * duration is limited as well.
 * @param checks cache of verified signatures, which can be kept between rounds
 */
export function judgeTls(evidence: TlsEvidence, checks: SignatureChecks = createSignatureChecks()): TlsJudgement {
  const sent = sentChain(evidence.outcome.chain);
  return sent === null ? judgeNoCertificate(evidence) : judgeChain(openCase(sent, evidence, checks));
}

function judgeChain(chain: ChainCase): TlsJudgement {
  const signals = signalsOf(chain);
  const facts = gatherFacts(chain, signals);
  const decision = decisionOn(chain, facts);
  const { verdict, confidence } = decision;
  return {
    verdict,
    confidence,
    product: isInterception(decision) ? productOf(chain, signals) : null,
    ...reportCase(chain, decision, signals),
    authorities: chain.chainTrust.authorities,
  };
}

function decisionOn(chain: ChainCase, facts: VerdictFacts): Decision {
  if (chain.elsewhere?.kind === 'same') return decideEverywhere(facts);
  const { pinned = null, outside } = chain.evidence;
  const isBeingCompared =
    pinned !== null && chain.elsewhere === null && outside?.asking.includes('certificate') === true;
  return isBeingCompared ? decideLater(facts) : decide(facts);
}

function isInterception({ verdict }: Decision): boolean {
  return verdict === 'intercepted' || verdict === 'interception-suspected';
}

function productOf({ identity, leaf }: ChainCase, signals: readonly Signal[]): string | null {
  const [catalogued] = signals.flatMap(({ facts }) => facts?.product ?? []);
  return catalogued ?? (identity === 'device' ? deviceOf(leaf) : null);
}

/** Includes the findings about all addresses. */
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

function rank({ verdict, confidence }: TlsJudgement): number {
  return VERDICTS.indexOf(verdict) * 2 + (confidence === 'confirmed' ? 0 : 1);
}

function distinctFindings(judgements: readonly TlsJudgement[]): readonly Finding[] {
  const keyed = judgements
    .flatMap(({ findings }) => findings)
    .map((finding): [string, Finding] => [JSON.stringify(finding), finding]);
  return [...new Map(keyed).values()];
}

/** The decision can replace the level. */
const DEFAULTS: Readonly<Record<Verdict, { readonly level: FindingLevel; readonly suggests: TlsCause | null }>> = {
  genuine: { level: 'note', suggests: null },
  rotated: { level: 'note', suggests: 'certificate-rotated' },
  'vendor-ca-changed': { level: 'warning', suggests: 'vendor-ca-changed' },
  intercepted: { level: 'broken', suggests: 'tls-intercepted' },
  'interception-suspected': { level: 'broken', suggests: 'tls-interception-suspected' },
  'certificate-broken': { level: 'broken', suggests: 'certificate-broken' },
  blocked: { level: 'broken', suggests: 'tls-blocked' },
  unknown: { level: 'unknown', suggests: null },
};

type CaseReport = Pick<TlsJudgement, 'findings' | 'summary' | 'wouldSettle'>;

function reportCase(chain: ChainCase, decision: Decision, signals: readonly Signal[]): CaseReport {
  const subject = chain.evidence.target;
  const signer = signerOf(chain, signals);
  const told = tell(decision, chain, productText(signer));
  const { summary, settle = null, open = [] } = told;
  // An unknown result includes advice on how to get a definite result.
  const unknownAdvice = settle === null ? {} : { advice: { summary, remedy: [`For a definite result, ${settle}.`] } };
  const { level, suggests } = DEFAULTS[decision.verdict];
  // Inspecting devices cannot use the authority, so there is no device that re-signs certificates.
  const isOtherServer = isInterception(decision) && signer.product === undefined && isConfirmed(chain);
  const advice = isOtherServer ? ANOTHER_SERVER : told.advice;
  const deciding = evidenceFor(decision, told.evidence ?? [], chain, signals).map(
    (found): Finding => ({
      ...found,
      subject,
      suggests,
      level: decision.level ?? level,
      confidence: decision.confidence,
      facts: { judgement: summary, ...signer },
      ...(level === 'unknown' ? unknownAdvice : {}),
      ...(decision.kind === undefined ? {} : { kind: decision.kind }),
      ...(advice === undefined ? {} : { advice }),
    }),
  );
  return {
    findings: [
      ...deciding,
      ...open.map((expectation) => unknown({ ...expectation, ...unknownAdvice, subject })),
      ...additionalFindings(chain, deciding).map((aside) => note({ ...aside, subject })),
    ],
    summary,
    wouldSettle: settle,
  };
}

/** @param own the evidence that belongs to the reason */
function evidenceFor(
  decision: Decision,
  own: readonly FindingText[],
  chain: ChainCase,
  signals: readonly Signal[],
): readonly FindingText[] {
  const { origin, reason } = decision;
  const isVerified = origin === 'accepted' || origin === 'weak' || reason === 'clock';
  const verified = isVerified ? [] : [verificationFinding(chain)];
  return [
    ...(reason === 'dates' || reason === 'cut' ? [...own, ...verified] : [...verified, ...own]),
    ...(isInterception(decision)
      ? [...deviceFinding(chain), ...signals.map(({ weight: _weight, ...told }) => told)]
      : []),
  ];
}

function signerOf(chain: ChainCase, signals: readonly Signal[]): Pick<FindingFacts, 'product' | 'issuer'> {
  const product = productOf(chain, signals);
  return known({ product, issuer: product === null ? deviceNameOf(chain) : shortName(chain.leaf.issuer) });
}

/**
 * Returns the issuer's name if it can be the name of an intercepting device. A device has no key of a genuine
 * authority, and may have copied the name of such an authority.
 */
function deviceNameOf(chain: ChainCase): string | null {
  const { leaf, claim, evidence } = chain;
  const isOwnName = claim === 'other' && !isKnownAuthority(leaf.issuer, evidence);
  return isOwnName && !isConfirmed(chain) ? shortName(leaf.issuer) : null;
}

/** Returns whether a key confirms the authority that issued the certificate. */
function isConfirmed({ chainTrust: { kind } }: ChainCase): boolean {
  return kind === 'trusted' || kind === 'weak' || kind === 'public' || kind === 'vendor';
}

function additionalFindings(chain: ChainCase, told: readonly Finding[]): readonly FindingText[] {
  const rules = new Set(told.map((finding) => finding.rule));
  const { outside } = chain.evidence;
  return [
    ...gapFinding(chain),
    ...weakerFinding(chain),
    ...elsewhereFinding(chain),
    ...(outside !== undefined && told.some(isFault) ? notAsked(outside, 'certificate') : []),
    ...droppedFinding(chain),
  ].filter((aside) => !rules.has(aside.rule));
}

function droppedFinding({ evidence }: ChainCase): readonly FindingText[] {
  const dropped = evidence.outcome.chain?.dropped ?? 0;
  if (dropped === 0) return [];
  const claim = `The chain contains ${String(dropped)} additional certificates, which were ignored.`;
  return [{ rule: 'chain-is-readable', claim, expected: 'At most 16 certificates, all of them readable' }];
}
