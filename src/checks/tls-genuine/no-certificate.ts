import type { CloserLook } from '../../core/closer-look.ts';
import type { Finding } from '../../engine/finding.ts';
import type { FailureReason } from '../../core/observation.ts';
import { endingOf, isBlocked, type BlockedOutcome } from '../../core/blocked-outcome.ts';
import { visibleText } from '../../core/visible-text.ts';
import { controlsAlike, decideBlock, isNearer, lookOf, roundTripOf, type BlockFacts } from './block-kind.ts';
import { findProductOfPage } from './product.ts';
import type { TlsEvidence, TlsJudgement } from './tls-evidence.ts';

/** Words of block pages that no product is known for. */
const BLOCK_PAGE =
  /access (?:has been |is |was )?(?:denied|blocked)|web ?page (?:is )?blocked|blocked by|forbidden|url filter|content filter|captive portal/iu;

/**
 * Nothing to look at: the handshake ended before a certificate. Reset, silence, an alert or plain text block TLS; our
 * own trouble is `unknown`.
 */
export function judgeNoCertificate(outcome: BlockedOutcome, evidence: TlsEvidence): TlsJudgement {
  if (!isBlocked(outcome)) return ownTrouble(outcome, evidence);
  const page = blockPage(outcome, evidence);
  const proofs = proofsOf(outcome, evidence);
  const { kind, confidence } = decideBlock({
    ...looksOf(outcome, evidence),
    page: page !== null,
    nearer: proofs.nearer.length > 0,
    smallAnswered: proofs.small.length > 0,
  });
  const product = page?.product ?? null;
  const by = product === null ? '' : ` by ${product}`;
  const answered = finding(evidence, 'tls-handshake-answered', 'A TLS handshake with a certificate', describe(outcome));
  return {
    verdict: 'blocked',
    confidence,
    product,
    // Each of them rests on the same decision: none may look surer than the others.
    findings: [
      answered,
      ...(page === null ? [] : [page.finding]),
      ...proofs.nearer,
      ...proofs.looks,
      ...(kind === 'large-answers-lost' ? proofs.small : []),
    ].map((told) => ({ ...told, confidence, ...(kind === null ? {} : { kind }) })),
    summary: `TLS to ${evidence.target} is blocked${by}: ${describe(outcome)}`,
    settle: null,
    authorities: [],
    accepted: null,
    verifiedBy: null,
  };
}

function looksOf(
  outcome: BlockedOutcome,
  { closer }: TlsEvidence,
): Omit<BlockFacts, 'page' | 'nearer' | 'smallAnswered'> {
  const ending = endingOf(outcome);
  return {
    ending,
    nameRefused: outcome.alert === 'unrecognized_name',
    again: lookOf(closer?.again),
    otherName: lookOf(closer?.otherName?.outcome),
    controlsAlike: closer === undefined ? 0 : controlsAlike(ending, closer),
  };
}

function ownTrouble(outcome: BlockedOutcome, evidence: TlsEvidence): TlsJudgement {
  const actual = `Not looked at: ${visibleText(outcome.message, 256)}`;
  return {
    verdict: 'unknown',
    confidence: 'suspected',
    product: null,
    findings: [
      {
        rule: 'certificate-captured',
        subject: evidence.target,
        expected: 'A certificate to judge',
        actual,
        level: 'unknown',
        suggests: null,
      },
    ],
    summary: `The certificate of ${evidence.target} could not be looked at: ${visibleText(outcome.message, 256)}`,
    settle: 'The next round; the trouble lies with this program or its machine',
    authorities: [],
    accepted: null,
    verifiedBy: null,
  };
}

const ENDINGS: ReadonlyMap<FailureReason, string> = new Map([
  ['reset', 'the connection was reset before any certificate'],
  ['closed', 'the connection was closed before any certificate'],
  ['timeout', 'no answer to the TLS hello'],
]);

function describe({ plaintext, alert, reason, message }: BlockedOutcome): string {
  if (plaintext !== null) return `an answer that is not TLS, "${visibleText(plaintext, 80)}"`;
  if (alert !== null)
    return `the peer ended the handshake with the alert "${visibleText(alert, 40)}" before any certificate`;
  return ENDINGS.get(reason) ?? `the handshake failed before any certificate: ${visibleText(message, 160)}`;
}

interface Page {
  readonly product: string | null;
  readonly finding: Finding;
}

function blockPage({ plaintext }: BlockedOutcome, evidence: TlsEvidence): Page | null {
  if (plaintext === null) return null;
  const product = findProductOfPage(evidence.products, plaintext)?.name ?? null;
  if (product === null && !BLOCK_PAGE.test(plaintext)) return null;
  const told = finding(
    evidence,
    'no-block-page',
    'No block page',
    `A block page${product === null ? '' : ` of ${product}`}`,
  );
  return { product, finding: { ...told, ...(product === null ? {} : { facts: { product } }) } };
}

interface Proofs {
  readonly nearer: readonly Finding[];
  readonly small: readonly Finding[];
  readonly looks: readonly Finding[];
}

/** What the closer look adds, each as a finding of its own. */
function proofsOf(outcome: BlockedOutcome, evidence: TlsEvidence): Proofs {
  const { closer } = evidence;
  if (closer === undefined) return { nearer: [], small: [], looks: [] };
  return {
    nearer: nearerThanServer(outcome, closer, evidence),
    small: smallAnswer(closer, evidence),
    looks: [
      ...sameHelloAgain(closer, evidence),
      ...otherServerName(closer, evidence),
      ...controlHosts(outcome, closer, evidence),
    ],
  };
}

function nearerThanServer(outcome: BlockedOutcome, closer: CloserLook, evidence: TlsEvidence): readonly Finding[] {
  const roundTrip = roundTripOf(closer);
  if (roundTrip === null || endingOf(outcome) === 'silence' || !isNearer(outcome.durationMs, roundTrip)) return [];
  const actual = `An answer after ${outcome.durationMs.toFixed(1)} ms: by something nearer than the server`;
  return [
    finding(
      evidence,
      'reset-takes-a-round-trip',
      `No answer before a round trip of ${roundTrip.toFixed(1)} ms`,
      actual,
    ),
  ];
}

function smallAnswer({ refusable }: CloserLook, evidence: TlsEvidence): readonly Finding[] {
  if (refusable?.kind !== 'failed' || refusable.alert === null) return [];
  const actual = `A hello that can only be refused was refused (${visibleText(refusable.alert, 40)}); no certificate ever came`;
  return [finding(evidence, 'large-answers-arrive', 'Answers of any size', actual)];
}

function sameHelloAgain({ again }: CloserLook, evidence: TlsEvidence): readonly Finding[] {
  if (lookOf(again) !== 'passes') return [];
  return [
    finding(
      evidence,
      'same-hello-fails-again',
      'The same when it is asked again',
      'A certificate a moment later: it comes and goes',
    ),
  ];
}

function otherServerName({ otherName }: CloserLook, evidence: TlsEvidence): readonly Finding[] {
  if (otherName === null || lookOf(otherName.outcome) !== 'passes') return [];
  const how =
    otherName.name === null ? 'without a server name' : `with the server name ${visibleText(otherName.name, 253)}`;
  return [
    finding(
      evidence,
      'server-name-makes-no-difference',
      'The same for any server name',
      `A certificate at the same address ${how}`,
    ),
  ];
}

function controlHosts(outcome: BlockedOutcome, closer: CloserLook, evidence: TlsEvidence): readonly Finding[] {
  const alike = controlsAlike(endingOf(outcome), closer);
  if (alike === 0) return [];
  const actual = `${alike === 1 ? 'The only one that could be asked' : `All ${String(alike)} of them`}: no certificate either`;
  return [finding(evidence, 'control-hosts-show-certificates', 'Certificates of control hosts', actual)];
}

function finding(evidence: TlsEvidence, rule: string, expected: string, actual: string): Finding {
  return { rule, subject: evidence.target, expected, actual, level: 'broken', suggests: 'tls-blocked' };
}
