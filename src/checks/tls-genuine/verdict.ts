import { distinctCertificates, sentChain, shortName } from '../../core/certificate.ts';
import {
  type Finding,
  type FindingFacts,
  type FindingLevel,
  GENERAL_FACTS,
  known,
  note,
  type Told,
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
import { gapFinding, weakerFinding } from './expectations.ts';
import { decide, gatherFacts, type Hypothesis, LEARN } from './hypotheses.ts';
import { ANOTHER_SERVER, type TlsCause } from './causes.ts';
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
  const named = signals.find(({ product }) => product !== undefined)?.product ?? null;
  return {
    verdict: rule.verdict,
    confidence: rule.confidence,
    product: isInterception(rule) ? named : null,
    ...reportCase(chain, rule, signals),
    authorities: chain.chainTrust.authorities,
    accepted: chain.accepted,
  };
}

function isInterception({ verdict }: Hypothesis): boolean {
  return verdict === 'intercepted' || verdict === 'interception-suspected';
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

/** Defaults that a row can override. */
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

function reportCase(chain: ChainCase, row: Hypothesis, signals: readonly Signal[]): CaseReport {
  const subject = chain.evidence.target;
  const signer = signerOf(chain, signals);
  const inWords = (text: string): string => fillPlaceholders(text, chain, nameOf(signer));
  const summary = inWords(row.summary);
  const wouldSettle = row.wouldSettle === undefined ? null : inWords(row.wouldSettle);
  // An unknown result includes advice on how to get a definite result.
  const unknownAdvice =
    wouldSettle === null ? {} : { advice: { summary, remedy: [`For a definite result, ${wouldSettle}.`] } };
  const { level, suggests } = DEFAULTS[row.verdict];
  // Inspecting devices cannot use the authority, so there is no device that re-signs certificates.
  const isOtherServer = isInterception(row) && signer.product === undefined && isConfirmed(chain);
  const deciding = row.tells
    .flatMap((tell) => tell(chain, signals))
    .map(
      (told): Finding => ({
        ...told,
        subject,
        suggests,
        level: row.level ?? level,
        confidence: row.confidence,
        facts: { judgement: summary, ...signer },
        ...(level === 'unknown' ? unknownAdvice : {}),
        ...(row.kind === undefined ? {} : { kind: row.kind }),
        ...(row.advice === undefined ? {} : { advice: row.advice }),
        ...(isOtherServer ? { advice: ANOTHER_SERVER } : {}),
      }),
    );
  const open = (row.open?.(chain) ?? []).map((told) => ({ ...told, claim: inWords(told.claim) }));
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

function signerOf(chain: ChainCase, signals: readonly Signal[]): Pick<FindingFacts, 'product' | 'issuer'> {
  const product = signals.find((signal) => signal.product !== undefined)?.product;
  return known({ product, issuer: product === undefined ? deviceNameOf(chain) : shortName(chain.leaf.issuer) });
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

function nameOf({ product, issuer }: ReturnType<typeof signerOf>): string {
  return product ?? (issuer === undefined ? GENERAL_FACTS.product : unknownProduct(issuer));
}

function additionalFindings(chain: ChainCase, told: readonly Finding[]): readonly Told[] {
  const rules = new Set(told.map((finding) => finding.rule));
  return [...gapFinding(chain), ...weakerFinding(chain), ...droppedFinding(chain)].filter(
    (aside) => !rules.has(aside.rule),
  );
}

function droppedFinding({ evidence }: ChainCase): readonly Told[] {
  const dropped = evidence.outcome.chain?.dropped ?? 0;
  if (dropped === 0) return [];
  const claim = `The chain contains ${String(dropped)} additional certificates, which were ignored.`;
  return [{ rule: 'chain-is-readable', claim, expected: 'At most 16 certificates, all of them readable' }];
}

/** @param by the intercepting party, if known */
function fillPlaceholders(text: string, chain: ChainCase, by: string): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => WORDS.get(name)?.(chain, by) ?? whole);
}

type Word = (chain: ChainCase, by: string) => string;

/** Placeholders in the verdict table. */
const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['by', (_, by) => by],
  ['target', ({ evidence }) => evidence.target],
  ['issuer', ({ leaf }) => called(leaf.issuer)],
  ['end', missingName],
  ['outdated', outdatedName],
  ['label', ({ chainTrust }) => chainTrust.label ?? 'a trusted key'],
  ['flaw', ({ accepted }) => accepted?.flaws[0]?.claim.replace(/\.$/u, '') ?? 'it has an unknown flaw'],
  ['device', ({ leaf }) => deviceOf(leaf) ?? 'A device'],
  ['dates', ({ dates }) => (dates === 'expired' ? 'has expired' : 'is not yet valid')],
  ['kind', ({ chainTrust }) => (chainTrust.kind === 'vendor' ? 'a Fortinet authority' : 'a public authority')],
  ['view', otherView],
  ['authority', knownAuthority],
]);

function outdatedName({ outdated, leaf, evidence: { target } }: ChainCase): string {
  return outdated === null || outdated === leaf
    ? `The certificate of ${target}`
    : `The intermediate certificate ${called(outdated.subject)} of ${target}`;
}

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
