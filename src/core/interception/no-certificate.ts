import type { Finding } from '../finding.ts';
import type { FailureReason, TlsOutcome } from '../observation.ts';
import { visibleText } from '../visible-text.ts';
import { findProductOfPage } from './product.ts';
import type { TlsEvidence, TlsJudgement } from './tls-evidence.ts';

type Failed = Extract<TlsOutcome, { readonly kind: 'failed' }>;

/** Less than this share of the TCP round trip: the answer cannot have come from the server. */
const TOO_FAST = 0.6;
/** Below that, timers and scheduling are larger than what is measured. */
const MIN_ROUND_TRIP_MS = 4;

/** Words of block pages that no product is known for. */
const BLOCK_PAGE =
  /access (?:has been |is |was )?(?:denied|blocked)|web ?page (?:is )?blocked|blocked by|forbidden|url filter|content filter|captive portal/iu;

/**
 * Nothing to look at: the handshake ended before a certificate. Reset, silence, an alert or plain text block TLS; our own trouble is
 * `unknown`.
 */
export function judgeNoCertificate(outcome: Failed, evidence: TlsEvidence): TlsJudgement {
  if (!['timeout', 'reset', 'closed', 'tls', 'protocol', 'rejected'].includes(outcome.reason)) return ownTrouble(outcome, evidence);
  const page = blockPage(outcome, evidence);
  const proofs = [...(page === null ? [] : [page.finding]), ...tooFast(outcome, evidence)];
  const product = page?.product ?? null;
  const by = product === null ? '' : ` by ${product}`;
  return {
    verdict: 'blocked',
    confidence: proofs.length > 0 ? 'confirmed' : 'suspected',
    product,
    findings: [
      finding(evidence, 'tls-handshake-answered', { expected: 'A TLS handshake with a certificate', actual: describe(outcome) }),
      ...proofs,
    ],
    summary: `TLS to ${evidence.target} is blocked${by}: ${describe(outcome)}`,
    settle: null,
    authorities: [],
    accepted: null,
    verifiedBy: null,
  };
}

function ownTrouble(outcome: Failed, evidence: TlsEvidence): TlsJudgement {
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

function describe({ plaintext, alert, reason, message }: Failed): string {
  if (plaintext !== null) return `an answer that is not TLS, "${visibleText(plaintext, 80)}"`;
  if (alert !== null) return `the peer ended the handshake with the alert "${visibleText(alert, 40)}" before any certificate`;
  return ENDINGS.get(reason) ?? `the handshake failed before any certificate: ${visibleText(message, 160)}`;
}

interface Page {
  readonly product: string | null;
  readonly finding: Finding;
}

function blockPage({ plaintext }: Failed, evidence: TlsEvidence): Page | null {
  if (plaintext === null) return null;
  const product = findProductOfPage(evidence.products, plaintext)?.name ?? null;
  if (product === null && !BLOCK_PAGE.test(plaintext)) return null;
  const details = { expected: 'No block page', actual: `A block page${product === null ? '' : ` of ${product}`}`, product };
  return { product, finding: finding(evidence, 'no-block-page', details) };
}

function tooFast(outcome: Failed, evidence: TlsEvidence): readonly Finding[] {
  const { tcpMs } = evidence;
  const isCut = outcome.reason === 'reset' || outcome.reason === 'closed';
  if (!isCut || tcpMs === null || tcpMs < MIN_ROUND_TRIP_MS || outcome.durationMs >= tcpMs * TOO_FAST) return [];
  const expected = `No answer before a round trip of ${tcpMs.toFixed(1)} ms`;
  const actual = `Cut after ${outcome.durationMs.toFixed(1)} ms: by something nearer than the server`;
  return [finding(evidence, 'reset-takes-a-round-trip', { expected, actual })];
}

interface Details {
  readonly expected: string;
  readonly actual: string;
  readonly product?: string | null;
}

function finding(evidence: TlsEvidence, rule: string, { expected, actual, product = null }: Details): Finding {
  const facts = product === null ? {} : { facts: { product } };
  return { rule, subject: evidence.target, expected, actual, level: 'broken', suggests: 'tls-blocked', ...facts };
}
