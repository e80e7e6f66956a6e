import type { TlsCause } from './causes.ts';
import { unknownProduct } from '../../engine/words/wording.ts';
import { shortName } from '../../core/distinguished-name.ts';
import { type Finding, type FindingFacts, type FindingLevel, known, note, unknown } from '../../engine/finding.ts';
import type { ChainCase } from './chain-case.ts';
import type { Hypothesis } from './hypothesis.ts';
import { droppedFinding, type Expectation, gapFinding, weakerFinding } from './expectations.ts';
import type { Signal } from './signal.ts';
import type { Verdict } from './tls-evidence.ts';
import { toldChain } from './told-chain.ts';

/** How a verdict is told where its row does not say otherwise. */
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

export interface CaseReport {
  readonly findings: readonly Finding[];
  readonly summary: string;
  readonly wouldSettle: string | null;
}

/** What a person is told about a judged chain: what decided at the verdict's level, what else was seen as notes. */
export function reportCase(chain: ChainCase, row: Hypothesis, signals: readonly Signal[]): CaseReport {
  const subject = chain.evidence.target;
  const signer = signerOf(chain, signals);
  const inWords = (text: string): string => toldChain(text, chain, nameOf(signer));
  const summary = inWords(row.summary);
  const wouldSettle = row.wouldSettle === undefined ? null : inWords(row.wouldSettle);
  // What stays unknown is told, with what would settle it.
  const unknownAdvice =
    wouldSettle === null ? {} : { advice: { summary, remedy: [`This would settle it: ${wouldSettle}.`] } };
  const { level, suggests } = TOLD[row.verdict];
  const deciding = row.tells
    .flatMap((tell) => tell(chain, signals))
    // What a signal has beyond an expectation is no part of a finding.
    .map(
      ({ rule, claim, expected, actual, quote, witness, fullNames }): Finding => ({
        rule,
        claim,
        expected,
        actual,
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
  const open =
    row.open === undefined ? [] : [{ ...row.open, claim: inWords(row.open.claim), actual: inWords(row.open.actual) }];
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

/** Who issued the certificate, as far as it is known. */
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
