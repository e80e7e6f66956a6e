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
 * Judges whether one address showed the server's own certificate and, if not, who intercepts it. Pure. Never throws,
 * whatever the peer sent. The time is bounded by the limits on the chain (16 certificates) and on the checked
 * signatures.
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

/** Returns the worst judgement of a target with several addresses, with the findings of all. Null if there are none. */
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

/** Returns the sort order. Within one verdict, confirmed comes before suspected. */
function rank({ verdict, confidence }: TlsJudgement): number {
  return VERDICTS.indexOf(verdict) * 2 + (confidence === 'confirmed' ? 0 : 1);
}

function distinctFindings(judgements: readonly TlsJudgement[]): readonly Finding[] {
  const keyed = judgements
    .flatMap(({ findings }) => findings)
    .map((finding): [string, Finding] => [JSON.stringify(finding), finding]);
  return [...new Map(keyed).values()];
}

/**
 * The remaining case: a party that does not even claim to be the vendor or a public authority, or that claims a name
 * that its key does not confirm.
 */
const UNVERIFIED: Hypothesis = {
  id: 'unverified',
  when:
    'anything else: an authority that claims to be neither the vendor nor a public one, or a root that nobody ' +
    'knows',
  holds: always,
  ...suspected('interception-suspected'),
  tells: [verificationFinding, signs],
  summary: 'TLS to {target} seems to be intercepted: its certificate is issued by {by}',
  wouldSettle: '{view}',
};

/**
 * The table that turns a chain into a verdict. For a chain that is not accepted, a witness in this round makes it an
 * interception. Without a witness, it depends on whether the vendor may have changed its authority or failed to send
 * one. @internal
 */
export const HYPOTHESES: readonly Hypothesis[] = [
  ...where(({ accepted }) => accepted, HYPOTHESES_ACCEPTED),
  {
    id: 'weak',
    when:
      'leads to a trusted key, but over a key or signature that can be forged or a certificate not for servers, ' +
      'and no witness of interception',
    holds: ({ chainTrust, witnessed }) => chainTrust === 'weak' && !witnessed,
    ...suspected('certificate-broken'),
    kind: 'weak',
    tells: [strengthFinding],
    summary: 'The certificate of {target} rests on a key, signature or use that no client should accept',
  },
  ...where(isElsewhere, HYPOTHESES_ELSEWHERE),
  {
    id: 'witnessed',
    when: 'not accepted, and a witness of interception',
    holds: ({ witnessed }) => witnessed,
    ...confirmed('intercepted'),
    tells: [verificationFinding, signs],
    summary: 'TLS to {target} is intercepted: its certificate is issued by {by}',
  },
  {
    id: 'untrusting',
    when: 'nothing at all is trusted: the profile pinned without a key',
    holds: ({ trusting }) => !trusting,
    ...suspected('unknown'),
    tells: [verificationFinding],
    summary: 'Whether the certificate of {target} is genuine is not known: nothing is trusted to compare it with',
    wouldSettle: `Something to trust: trust.pins or trust.caFiles, or ${LEARN}`,
  },
  ...where(isClaimed, HYPOTHESES_CLAIMED),
  {
    id: 'strange-device',
    when: "not accepted, and a device's factory certificate",
    holds: ({ identity }) => identity === 'device',
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary: "{device} seems to answer in place of {target}: the certificate is a device's, not the server's",
    wouldSettle: '{view}',
  },
  {
    id: 'stranger',
    when: 'not accepted, and for another name',
    holds: (facts) => !isNamed(facts),
    ...suspected('interception-suspected'),
    tells: [verificationFinding, nameFinding, signs],
    summary:
      'Something else seems to answer in place of {target}: the certificate is for another name, issued by {issuer}',
    wouldSettle: '{view}',
  },
  UNVERIFIED,
];

/** Returns rows that additionally require this condition. */
function where(condition: Hypothesis['holds'], rows: readonly Hypothesis[]): readonly Hypothesis[] {
  return rows.map((row) => ({ ...row, holds: (facts) => condition(facts) && row.holds(facts) }));
}

export function decide(facts: VerdictFacts): Hypothesis {
  return HYPOTHESES.find(({ holds }) => holds(facts)) ?? UNVERIFIED;
}

/** Default level and cause of a verdict, which a row can override. */
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

/** Returns the report on a judged chain: the deciding findings at the level of the verdict, and all others as notes. */
function reportCase(chain: ChainCase, row: Hypothesis, signals: readonly Signal[]): CaseReport {
  const subject = chain.evidence.target;
  const signer = signerOf(chain, signals);
  const inWords = (text: string): string => toldChain(text, chain, nameOf(signer));
  const summary = inWords(row.summary);
  const wouldSettle = row.wouldSettle === undefined ? null : inWords(row.wouldSettle);
  // An unknown result is reported with what would settle it.
  const unknownAdvice =
    wouldSettle === null ? {} : { advice: { summary, remedy: [`This would settle it: ${wouldSettle}.`] } };
  const { level, suggests } = TOLD[row.verdict];
  const deciding = row.tells
    .flatMap((tell) => tell(chain, signals))
    // A finding does not contain the additional fields of a signal.
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
      ...asidesOf(chain, deciding).map((aside) => note({ ...aside, subject })),
    ],
    summary,
    wouldSettle,
  };
}

/** Returns who issued the certificate, if known. */
function signerOf({ leaf }: ChainCase, signals: readonly Signal[]): Pick<FindingFacts, 'product' | 'issuer'> {
  const product = signals.find((signal) => signal.product !== undefined)?.product;
  return known({ product, issuer: shortName(leaf.issuer) });
}

function nameOf({ product, issuer }: ReturnType<typeof signerOf>): string {
  return product ?? (issuer === undefined ? 'an authority without a name' : unknownProduct(issuer));
}

function asidesOf(chain: ChainCase, told: readonly Finding[]): readonly Expectation[] {
  const rules = new Set(told.map((finding) => finding.rule));
  return [...gapFinding(chain), ...weakerFinding(chain), ...droppedFinding(chain)].filter(
    (aside) => !rules.has(aside.rule),
  );
}

/** Fills the placeholders of a row. @param by the intercepting party, if known */
function toldChain(text: string, chain: ChainCase, by: string): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => WORDS.get(name)?.(chain, by) ?? whole);
}

type Word = (chain: ChainCase, by: string) => string;

/** The placeholders for the texts in the table. @internal */
export const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['by', (_, by) => by],
  ['target', ({ evidence }) => evidence.target],
  ['issuer', ({ leaf }) => called(leaf.issuer)],
  ['end', missingName],
  ['label', ({ chainTrust }) => chainTrust.label ?? 'a trusted key'],
  ['flaw', ({ accepted }) => accepted?.flaws[0]?.claim.replace(/\.$/u, '') ?? 'of an unknown flaw'],
  ['device', ({ leaf }) => deviceOf(leaf) ?? 'A device'],
  ['dates', ({ dates }) => (dates === 'expired' ? 'has expired' : 'is not yet valid')],
  [
    'kind',
    ({ chainTrust }) => (chainTrust.kind === 'vendor' ? 'the private Fortinet authority' : 'a public authority'),
  ],
  ['view', otherView],
  ['authority', knownAuthority],
]);

/** Returns the human-readable name that the chain ends at. */
function missingName({ chainTrust, leaf }: ChainCase): string {
  return called((chainTrust.path.at(-1) ?? leaf).issuer);
}

function otherView({ evidence }: ChainCase): string {
  return evidence.controls.length === 0
    ? 'A control host that can be reached: the same issuer there proves inspection'
    : `The firewall policy that matches this traffic, or ${LEARN}`;
}

function knownAuthority(chain: ChainCase): string {
  const { pins, anchors } = trustUnder(chain.evidence.profile, chain.evidence.trust);
  if (pins.length + anchors.length === 0) return `Something to trust: trust.pins or trust.caFiles, or ${LEARN}`;
  return (
    `The certificate of ${missingName(chain)} as a FortiGate with current firmware has it, then in ` +
    `trust.caFiles; or ${LEARN}`
  );
}
