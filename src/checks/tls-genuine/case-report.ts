import type { TlsCause } from './causes.ts';
import { unknownProduct } from '../../engine/words/wording.ts';
import { shortName } from '../../core/distinguished-name.ts';
import type { Finding, FindingFacts, FindingLevel } from '../../engine/finding.ts';
import type { ChainCase } from './chain-case.ts';
import { VERDICT_WORDINGS } from './verdict-wording.ts';
import { droppedFinding, type Expectation, gapFinding, weakerFinding } from './expectations.ts';
import type { Signal } from './signal.ts';
import type { Verdict } from './tls-evidence.ts';
import type { VerdictRule } from './verdict-rules.ts';

const LEVELS: Readonly<Record<Verdict, FindingLevel>> = {
  genuine: 'note',
  rotated: 'note',
  'vendor-ca-changed': 'warning',
  intercepted: 'broken',
  'interception-suspected': 'broken',
  'certificate-broken': 'broken',
  blocked: 'broken',
  unknown: 'unknown',
};

const CAUSES: Readonly<Record<Verdict, TlsCause | null>> = {
  genuine: null,
  rotated: 'certificate-rotated',
  'vendor-ca-changed': 'vendor-ca-changed',
  intercepted: 'tls-intercepted',
  'interception-suspected': 'tls-interception-suspected',
  'certificate-broken': 'certificate-broken',
  blocked: 'tls-blocked',
  unknown: null,
};

export interface CaseReport {
  readonly findings: readonly Finding[];
  readonly summary: string;
  readonly wouldSettle: string | null;
}

/** What a person is told about a judged chain: what decided at the verdict's level, what else was seen as notes. */
export function reportCase(
  chain: ChainCase,
  rule: Pick<VerdictRule, 'id' | 'verdict' | 'confidence'>,
  signals: readonly Signal[],
): CaseReport {
  const telling = VERDICT_WORDINGS[rule.id];
  const subject = chain.evidence.target;
  const signer = signerOf(chain, signals);
  const summary = telling.summary(chain, nameOf(signer));
  const wouldSettle = telling.wouldSettle?.(chain) ?? null;
  // What stays unknown is told, with what would settle it.
  const advised =
    wouldSettle === null ? {} : { advice: { summary, remedy: [`This would settle it: ${wouldSettle}.`] } };
  const level = {
    subject,
    level: telling.level ?? LEVELS[rule.verdict],
    suggests: CAUSES[rule.verdict],
    confidence: rule.confidence,
    facts: { judgement: summary, ...signer },
    ...(LEVELS[rule.verdict] === 'unknown' ? advised : {}),
    ...(telling.advice === undefined ? {} : { advice: telling.advice }),
  };
  const deciding = telling.findings(chain, signals).map((found): Finding => ({ ...withoutSignal(found), ...level }));
  const open = telling.open === undefined ? [] : [telling.open(chain)];
  return {
    findings: [
      ...deciding,
      ...open.map(
        (expectation): Finding => ({ ...expectation, ...advised, subject, level: 'unknown', suggests: null }),
      ),
      ...asidesOf(chain, deciding).map((aside): Finding => ({ ...aside, subject, level: 'note', suggests: null })),
    ],
    summary,
    wouldSettle,
  };
}

/** Who issued the certificate, as far as it is known. */
function signerOf({ leaf }: ChainCase, signals: readonly Signal[]): Pick<FindingFacts, 'product' | 'issuer'> {
  const product = signals.find((signal) => signal.product !== null)?.product ?? null;
  const issuer = shortName(leaf.issuer);
  return { ...(product === null ? {} : { product }), ...(issuer === null ? {} : { issuer }) };
}

function nameOf({ product, issuer }: ReturnType<typeof signerOf>): string {
  return product ?? (issuer === undefined ? 'an authority without a name' : unknownProduct(issuer));
}

/** What a signal has beyond an expectation is no part of a finding. */
function withoutSignal({ rule, expected, actual }: Expectation): Expectation {
  return { rule, expected, actual };
}

function asidesOf(chain: ChainCase, told: readonly Finding[]): readonly Expectation[] {
  const rules = new Set(told.map((finding) => finding.rule));
  return [...gapFinding(chain), ...weakerFinding(chain), ...droppedFinding(chain)].filter(
    (aside) => !rules.has(aside.rule),
  );
}
