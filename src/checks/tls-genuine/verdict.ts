import { distinctCertificates, sentChain, shortName } from '../../core/certificate.ts';
import { type Finding, type FindingFacts, type FindingLevel, known, note, unknown } from '../../engine/model.ts';
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
import { signalsOf, type Signal } from './signals.ts';
import { createSignatureChecks, type SignatureChecks } from '../../tls/chain.ts';
import {
  gatherFacts,
  always,
  confirmed,
  type Hypothesis,
  LEARN,
  signs,
  suspected,
  isClaimed,
  isElsewhere,
  isNamed,
  type VerdictFacts,
} from './hypothesis.ts';
import {
  nameFinding,
  strengthFinding,
  verificationFinding,
  droppedFinding,
  type Expectation,
  gapFinding,
  weakerFinding,
} from './expectations.ts';
import { HYPOTHESES_ACCEPTED, HYPOTHESES_CLAIMED, HYPOTHESES_ELSEWHERE } from './hypotheses.ts';
import type { TlsCause } from './causes.ts';
import { unknownProduct } from '../../engine/remedy-words.ts';
import { called } from '../../tls/flaws.ts';
import { trustUnder } from '../../tls/trust.ts';

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
  };
}

function isInterception(verdict: Verdict): boolean {
  return verdict === 'intercepted' || verdict === 'interception-suspected';
}

/** Keeps the findings about all addresses. */
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

/** Matches chains that claim to be from another party, and chains whose key does not confirm the claimed name. */
const UNVERIFIED: Hypothesis = {
  id: 'unverified',
  when: 'otherwise (the authority claims to be neither the vendor nor a public authority, or the root is unknown)',
  holds: always,
  ...suspected('interception-suspected'),
  tells: [verificationFinding, signs],
  summary: 'TLS to {target} is probably intercepted by {by}',
  wouldSettle: '{view}',
};

/**
 * The table that determines the verdict. If a chain is not accepted, a witness in this round confirms an interception.
 * Without a witness, the verdict depends on whether a change at the vendor, such as a new authority or a missing
 * intermediate certificate, can explain the chain.
 * @internal
 */
export const HYPOTHESES: readonly Hypothesis[] = [
  ...where(({ accepted }) => accepted, HYPOTHESES_ACCEPTED),
  {
    id: 'weak',
    when:
      'the chain leads to a trusted key, but contains a weak key, a weak signature or a certificate that is not for ' +
      'servers, and there is no witness',
    holds: ({ chainTrust, witnessed }) => chainTrust === 'weak' && !witnessed,
    ...suspected('certificate-broken'),
    kind: 'weak',
    tells: [strengthFinding],
    summary: 'The certificate of {target} has a key, signature or usage that is not acceptable',
  },
  ...where(isElsewhere, HYPOTHESES_ELSEWHERE),
  {
    id: 'witnessed',
    when: 'not accepted, and there is a witness',
    holds: ({ witnessed }) => witnessed,
    ...confirmed('intercepted'),
    tells: [verificationFinding, signs],
    summary: 'TLS to {target} is intercepted by {by}',
  },
  {
    id: 'untrusting',
    when: 'no authority is trusted (the profile `pinned` without a pin)',
    holds: ({ trusting }) => !trusting,
    ...suspected('unknown'),
    tells: [verificationFinding],
    summary: 'It is unknown whether the certificate of {target} is genuine, because no trusted authority is configured',
    wouldSettle: `configure trust.pins or trust.caFiles, or ${LEARN}`,
  },
  ...where(isClaimed, HYPOTHESES_CLAIMED),
  {
    id: 'strange-device',
    when: "not accepted, and the certificate is a device's factory certificate",
    holds: ({ identity }) => identity === 'device',
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary: "{device} probably answers instead of {target}, because the certificate is a device's, not the server's",
    wouldSettle: '{view}',
  },
  {
    id: 'stranger',
    when: 'not accepted, and the certificate is for another name',
    holds: (facts) => !isNamed(facts),
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary:
      'Another server probably answers instead of {target}, because the certificate from {issuer} is for another name',
    wouldSettle: '{view}',
  },
  UNVERIFIED,
];

function where(condition: Hypothesis['holds'], rows: readonly Hypothesis[]): readonly Hypothesis[] {
  return rows.map((row) => ({ ...row, holds: (facts) => condition(facts) && row.holds(facts) }));
}

export function decide(facts: VerdictFacts): Hypothesis {
  return HYPOTHESES.find(({ holds }) => holds(facts)) ?? UNVERIFIED;
}

/** Defaults that a row can override. */
const TOLD: Readonly<Record<Verdict, { readonly level: FindingLevel; readonly suggests: TlsCause | null }>> = {
  genuine: { level: 'note', suggests: null },
  rotated: { level: 'note', suggests: 'certificate-rotated' },
  'vendor-ca-changed': { level: 'warning', suggests: 'vendor-ca-changed' },
  intercepted: { level: 'broken', suggests: 'tls-intercepted' },
  'interception-suspected': { level: 'broken', suggests: 'tls-interception-suspected' },
  'certificate-broken': { level: 'broken', suggests: 'certificate-broken' },
  blocked: { level: 'broken', suggests: 'tls-blocked' },
  unknown: { level: 'unknown', suggests: null },
};

interface CaseReport {
  readonly findings: readonly Finding[];
  readonly summary: string;
  readonly wouldSettle: string | null;
}

function reportCase(chain: ChainCase, row: Hypothesis, signals: readonly Signal[]): CaseReport {
  const subject = chain.evidence.target;
  const signer = signerOf(chain, signals);
  const inWords = (text: string): string => fillPlaceholders(text, chain, nameOf(signer));
  const summary = inWords(row.summary);
  const wouldSettle = row.wouldSettle === undefined ? null : inWords(row.wouldSettle);
  // An unknown result includes advice on how to get a definite result.
  const unknownAdvice =
    wouldSettle === null ? {} : { advice: { summary, remedy: [`For a definite result, ${wouldSettle}.`] } };
  const { level, suggests } = TOLD[row.verdict];
  const deciding = row.tells
    .flatMap((tell) => tell(chain, signals))
    // Removes the fields of a signal that are not part of a finding.
    .map(
      ({ rule, claim, expected, actual, quote, witness, fullNames }): Finding => ({
        rule,
        claim,
        expected,
        ...(actual === undefined ? {} : { actual }),
        ...(quote === undefined ? {} : { quote }),
        ...(fullNames === undefined ? {} : { fullNames }),
        ...(witness === undefined ? {} : { witness }),
        subject,
        suggests,
        level: row.level ?? level,
        confidence: row.confidence,
        facts: { judgement: summary, ...signer },
        ...(level === 'unknown' ? unknownAdvice : {}),
        ...(row.kind === undefined ? {} : { kind: row.kind }),
        ...(row.advice === undefined ? {} : { advice: row.advice }),
      }),
    );
  const open = row.open === undefined ? [] : [{ ...row.open, claim: inWords(row.open.claim) }];
  return {
    findings: [
      ...deciding,
      ...open.map((expectation) => unknown({ ...expectation, ...unknownAdvice, subject })),
      ...additionalFindings(chain, deciding).map((aside) => note({ ...aside, subject })),
    ],
    summary,
    wouldSettle,
  };
}

function signerOf({ leaf }: ChainCase, signals: readonly Signal[]): Pick<FindingFacts, 'product' | 'issuer'> {
  const product = signals.find((signal) => signal.product !== undefined)?.product;
  return known({ product, issuer: shortName(leaf.issuer) });
}

function nameOf({ product, issuer }: ReturnType<typeof signerOf>): string {
  return product ?? (issuer === undefined ? 'an authority without a name' : unknownProduct(issuer));
}

function additionalFindings(chain: ChainCase, told: readonly Finding[]): readonly Expectation[] {
  const rules = new Set(told.map((finding) => finding.rule));
  return [...gapFinding(chain), ...weakerFinding(chain), ...droppedFinding(chain)].filter(
    (aside) => !rules.has(aside.rule),
  );
}

/** @param by the intercepting party, if known */
function fillPlaceholders(text: string, chain: ChainCase, by: string): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => WORDS.get(name)?.(chain, by) ?? whole);
}

type Word = (chain: ChainCase, by: string) => string;

/**
 * Placeholders in the verdict table.
 * @internal
 */
export const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['by', (_, by) => by],
  ['target', ({ evidence }) => evidence.target],
  ['issuer', ({ leaf }) => called(leaf.issuer)],
  ['end', missingName],
  ['label', ({ chainTrust }) => chainTrust.label ?? 'a trusted key'],
  ['flaw', ({ accepted }) => accepted?.flaws[0]?.claim.replace(/\.$/u, '') ?? 'it has an unknown flaw'],
  ['device', ({ leaf }) => deviceOf(leaf) ?? 'A device'],
  ['dates', ({ dates }) => (dates === 'expired' ? 'has expired' : 'is not yet valid')],
  [
    'kind',
    ({ chainTrust }) => (chainTrust.kind === 'vendor' ? 'the private Fortinet authority' : 'a public authority'),
  ],
  ['view', otherView],
  ['authority', knownAuthority],
]);

function missingName({ chainTrust, leaf }: ChainCase): string {
  return called((chainTrust.path.at(-1) ?? leaf).issuer);
}

function otherView({ evidence }: ChainCase): string {
  return evidence.controls.length === 0
    ? 'configure a control host that can be reached, because the same issuer there would prove inspection'
    : `check the firewall policy that matches this traffic, or ${LEARN}`;
}

function knownAuthority(chain: ChainCase): string {
  const { pins, anchors } = trustUnder(chain.evidence.profile, chain.evidence.trust);
  if (pins.length + anchors.length === 0) return `configure trust.pins or trust.caFiles, or ${LEARN}`;
  return (
    `add the certificate of ${missingName(chain)} from a FortiGate with current firmware to trust.caFiles, or ` + LEARN
  );
}
