import {
  type CloserLook,
  type FailureReason,
  endingOf,
  isBlocked,
  type BlockedOutcome,
  leastRoundTrip,
  type Ending,
  type TlsOutcome,
} from '../../core/observation.ts';
import { type Finding, known, type Confidence } from '../../engine/model.ts';
import { blockPageText, recogniseBlockPage } from '../../core/block-page.ts';
import { spanText } from '../../core/time-text.ts';
import { capital } from '../../engine/words.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { Expectation } from './expectations.ts';
import type { Seen } from './signals.ts';
import type { TlsEvidence, TlsJudgement } from './chain-case.ts';
import type { Millis } from '../../core/clock.ts';
import type { BlockedTlsKind } from './blocked-tls.ts';

/** Facts about a handshake that ended before any certificate. */
interface BlockFacts {
  readonly ending: Ending;
  /** A block page arrived in plain text. */
  readonly page: boolean;
  /** The answer arrived faster than the server could have sent it. */
  readonly nearer: boolean;
  /** The peer itself reports that it does not know the name. A filter does not report that. */
  readonly nameRefused: boolean;
  readonly again: Look;
  readonly otherName: Look;
  /** A hello that can only be refused was refused. */
  readonly smallAnswered: boolean;
  /** Number of control hosts that ended in the same way; 0 if at least one of them did not. */
  readonly controlsAlike: number;
}

/** `open`: not tried, or prevented by a problem of our own. */
type Look = 'passes' | 'blocked' | 'open';

interface BlockRule {
  readonly when: string;
  readonly holds: (facts: BlockFacts) => boolean;
  /** Null if the kind is unknown. */
  readonly kind: BlockedTlsKind | null;
  readonly confidence: Confidence;
}

const isNamed = ({ otherName, again, nameRefused }: BlockFacts): boolean =>
  otherName === 'passes' && again !== 'passes' && !nameRefused;

/** Rules for the kind of a block. The first match applies. @internal */
export const BLOCK_RULES: readonly BlockRule[] = [
  {
    when: 'a block page came instead of TLS',
    holds: ({ page }) => page,
    kind: 'page-in-plain-text',
    confidence: 'confirmed',
  },
  {
    when:
      'another server name passes at the same address, and the answer came faster than the server could have sent ' +
      'it',
    holds: (facts) => isNamed(facts) && facts.nearer,
    kind: 'name-filtered',
    confidence: 'confirmed',
  },
  {
    when: 'the answer came faster than the server could have sent it',
    holds: ({ nearer }) => nearer,
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'the same hello passes a moment later',
    holds: ({ again }) => again === 'passes',
    kind: null,
    confidence: 'suspected',
  },
  {
    when: 'another server name passes at the same address; a server may refuse its own name as well',
    holds: isNamed,
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when:
      'no certificate comes for any name, and none of control hosts, but a hello that can only be refused is ' +
      'refused',
    holds: (facts) =>
      facts.ending === 'silence' && facts.otherName === 'blocked' && facts.smallAnswered && facts.controlsAlike > 0,
    kind: 'large-answers-lost',
    confidence: 'suspected',
  },
  {
    when: 'two or more control hosts are cut in the same way',
    holds: (facts) => facts.ending === 'cut' && facts.controlsAlike >= 2,
    kind: 'all-tls-cut',
    confidence: 'confirmed',
  },
  {
    when: 'a control host is cut in the same way, or several are silent as well',
    holds: ({ ending, controlsAlike }) => controlsAlike >= (ending === 'cut' ? 1 : 2),
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'anything else: something on the way, or the server itself',
    holds: () => true,
    kind: null,
    confidence: 'suspected',
  },
];

/** Returns the result of the first matching rule. The last rule always matches. */
function decideBlock(facts: BlockFacts): Pick<BlockRule, 'kind' | 'confidence'> {
  return BLOCK_RULES.find((rule) => rule.holds(facts)) ?? { kind: null, confidence: 'suspected' };
}

function lookOf(outcome: TlsOutcome | null | undefined): Look {
  if (outcome === null || outcome === undefined) return 'open';
  if (outcome.chain !== null) return 'passes';
  return isBlocked(outcome) ? 'blocked' : 'open';
}

/** Returns the number of control hosts that end like the licence server; 0 if at least one does not. */
function controlsAlike(ending: Ending, { controls }: Pick<CloserLook, 'controls'>): number {
  return controls.every((outcome) => isBlocked(outcome) && endingOf(outcome) === ending) ? controls.length : 0;
}

/** A single measurement may have been disturbed by anything on this machine. */
const FEWEST_CONNECTS = 4;
/** Share of the round trip. A faster answer cannot have come from the server. */
const TOO_FAST = 0.6;

/** Returns the shortest round trip to the address; null if it is not known well enough for a conclusion. */
function roundTripOf({ connects, stalledMs }: Pick<CloserLook, 'connects' | 'stalledMs'>): Millis | null {
  return leastRoundTrip(connects, stalledMs, FEWEST_CONNECTS);
}

/** Reports whether an answer after `durationMs` came from a device closer than a full round trip. */
function isNearer(durationMs: number, roundTrip: number | null): boolean {
  return roundTrip !== null && durationMs < roundTrip * TOO_FAST;
}

const NO_CHAIN = { authorities: [], accepted: null, verifiedBy: null };

/**
 * Judges a connection without a certificate. If the handshake ended before the certificate, a reset, silence, an alert
 * or plain text mean that TLS is blocked. Our own problems and unreadable chains are `unknown`.
 */
export function judgeNoCertificate(evidence: TlsEvidence): TlsJudgement {
  const { outcome, target } = evidence;
  if (outcome.kind !== 'failed') return judgeUnreadable(outcome.chain.dropped, target);
  const message = visibleText(outcome.message, 256);
  if (isBlocked(outcome)) return judgeBlocked(outcome, evidence);
  return unknown(target, {
    rule: 'certificate-captured',
    claim: 'The certificate could not be looked at, for a reason on this machine.',
    quote: message,
    expected: 'A certificate to judge',
    summary: `The certificate of ${target} could not be looked at: ${message}`,
    wouldSettle: 'The next round; the trouble lies with this program or its machine',
  });
}

function judgeUnreadable(dropped: number, target: string): TlsJudgement {
  const sent = dropped === 0 ? 'none was sent' : `${String(dropped)} that cannot be read`;
  return unknown(target, {
    rule: 'chain-is-readable',
    claim: dropped === 0 ? 'The server sent no certificate.' : 'The server sent no certificate that can be read.',
    expected: 'A certificate that can be read',
    summary: `The certificate of ${target} cannot be judged: ${sent}`,
    wouldSettle: 'The same connection looked at from a path known to be clean',
  });
}

function unknown(
  subject: string,
  { summary, wouldSettle, ...expectation }: Expectation & Pick<TlsJudgement, 'summary' | 'wouldSettle'>,
): TlsJudgement {
  const findings = [{ ...expectation, subject, level: 'unknown', suggests: null } as const];
  return { ...NO_CHAIN, verdict: 'unknown', confidence: 'suspected', product: null, findings, summary, wouldSettle };
}

function judgeBlocked(outcome: BlockedOutcome, evidence: TlsEvidence): TlsJudgement {
  const { target, closer } = evidence;
  const how = describe(outcome);
  const page = blockPage(outcome, evidence);
  const proofs = closer === undefined ? [] : proofsOf(outcome, closer);
  const isProven = (wanted: string): boolean => proofs.some(({ rule }) => rule === wanted);
  const ending = endingOf(outcome);
  const { kind, confidence } = decideBlock({
    ending,
    nameRefused: outcome.alert === 'unrecognized_name',
    again: lookOf(closer?.again),
    otherName: lookOf(closer?.otherName?.outcome),
    controlsAlike: closer === undefined ? 0 : controlsAlike(ending, closer),
    page: page !== null,
    nearer: isProven('reset-takes-a-round-trip'),
    smallAnswered: isProven(SMALL_ANSWER),
  });
  const product = page?.product ?? null;
  const told: readonly (Expectation & Pick<Finding, 'facts'>)[] = [
    { rule: 'tls-handshake-answered', expected: 'A TLS handshake with a certificate', ...claimOf(outcome) },
    ...(page === null ? [] : [page.told]),
    ...proofs.filter(({ rule }) => rule !== SMALL_ANSWER || kind === 'large-answers-lost'),
  ];
  return {
    ...NO_CHAIN,
    verdict: 'blocked',
    confidence,
    product,
    // All findings rest on the same decision, so they have the same confidence.
    findings: told.map((expectation) => ({
      ...expectation,
      subject: target,
      level: 'broken',
      suggests: 'tls-blocked',
      confidence,
      ...(kind === null ? {} : { kind }),
    })),
    summary: `TLS to ${target} is blocked${product === null ? '' : ` by ${product}`}: ${how}`,
    wouldSettle: null,
  };
}

const ENDINGS: ReadonlyMap<FailureReason, string> = new Map([
  ['reset', 'the connection was reset before any certificate'],
  ['closed', 'the connection was closed before any certificate'],
  ['timeout', 'no answer to the TLS hello'],
]);

/** Returns null if the reason does not show how it ended. */
function endingText({ reason, receivedBytes = 0, durationMs }: BlockedOutcome): string | null {
  if (reason !== 'timeout' || receivedBytes === 0) return ENDINGS.get(reason) ?? null;
  return (
    `the answer to the TLS hello was not finished within ${spanText(durationMs)} ` +
    `(${String(receivedBytes)} byte${receivedBytes === 1 ? '' : 's'} came)`
  );
}

function describe(outcome: BlockedOutcome): string {
  const { plaintext, alert, message } = outcome;
  if (plaintext !== null) return `an answer that is not TLS, "${visibleText(plaintext, 80)}"`;
  if (alert !== null)
    return `the peer ended the handshake with the alert "${visibleText(alert, 40)}" before any certificate`;
  return endingText(outcome) ?? `the handshake failed before any certificate: ${visibleText(message, 160)}`;
}

function claimOf(outcome: BlockedOutcome): Pick<Expectation, 'claim' | 'quote'> {
  const { plaintext, alert, message } = outcome;
  if (plaintext !== null)
    return { claim: 'The answer to the TLS hello is plain text, not TLS.', quote: visibleText(plaintext, 80) };
  if (alert !== null) {
    const claim = `The handshake ended with the alert "${visibleText(alert, 40)}" before any certificate.`;
    return { claim };
  }
  const ending = endingText(outcome);
  return ending === null
    ? { claim: 'The TLS handshake failed before any certificate.', quote: visibleText(message, 160) }
    : { claim: `${capital(ending)}.` };
}

interface Page {
  readonly product: string | null;
  readonly told: Expectation & Pick<Finding, 'facts'>;
}

function blockPage({ plaintext }: BlockedOutcome, { products }: TlsEvidence): Page | null {
  if (plaintext === null) return null;
  const page = recogniseBlockPage({ status: null, location: null, text: plaintext, words: plaintext }, products);
  if (page === null) return null;
  const claim = `The answer is ${blockPageText(page)}.`;
  const told = { rule: 'no-block-page', claim, expected: 'No block page', facts: known({ product: page.product }) };
  return { product: page.product, told };
}

const SMALL_ANSWER = 'large-answers-arrive';

/** Additional evidence from the closer look, each as a separate expectation. */
const PROOFS: readonly (readonly [rule: string, see: (closer: CloserLook, outcome: BlockedOutcome) => Seen | null])[] =
  [
    ['reset-takes-a-round-trip', nearerThanServer],
    ['same-hello-fails-again', sameHelloAgain],
    ['server-name-makes-no-difference', otherServerName],
    ['control-hosts-show-certificates', controlHosts],
    [SMALL_ANSWER, smallAnswer],
  ];

function proofsOf(outcome: BlockedOutcome, closer: CloserLook): readonly Expectation[] {
  return PROOFS.flatMap(([rule, see]) => {
    const seen = see(closer, outcome);
    return seen === null ? [] : [{ rule, ...seen }];
  });
}

function nearerThanServer(closer: CloserLook, outcome: BlockedOutcome): Seen | null {
  const roundTrip = roundTripOf(closer);
  if (roundTrip === null || endingOf(outcome) === 'silence' || !isNearer(outcome.durationMs, roundTrip)) return null;
  return {
    claim:
      `The connection was ended after ${outcome.durationMs.toFixed(1)} ms, by something nearer than the server, which ` +
      `is ${roundTrip.toFixed(1)} ms away.`,
    expected: `No answer before a round trip of ${roundTrip.toFixed(1)} ms`,
  };
}

function smallAnswer({ refusable }: CloserLook): Seen | null {
  if (refusable?.kind !== 'failed' || refusable.alert === null) return null;
  const alert = visibleText(refusable.alert, 40);
  const claim = `Small answers arrive (the alert "${alert}"), but never a certificate.`;
  return { claim, expected: 'Answers of any size' };
}

function sameHelloAgain({ again }: CloserLook): Seen | null {
  if (lookOf(again) !== 'passes') return null;
  return {
    claim: 'A certificate came a moment later: the block comes and goes.',
    expected: 'The same when it is asked again',
  };
}

function otherServerName({ otherName }: CloserLook): Seen | null {
  if (otherName === null || lookOf(otherName.outcome) !== 'passes') return null;
  return {
    claim:
      otherName.name === null
        ? 'The same address shows a certificate when no server name is asked for.'
        : `The same address shows a certificate for the server name ${visibleText(otherName.name, 100)}.`,
    expected: 'The same for any server name',
  };
}

function controlHosts(closer: CloserLook, outcome: BlockedOutcome): Seen | null {
  const alike = controlsAlike(endingOf(outcome), closer);
  if (alike === 0) return null;
  return {
    claim:
      alike === 1
        ? 'The one control host that could be asked showed no certificate either.'
        : `None of ${String(alike)} control hosts showed a certificate either.`,
    expected: 'Certificates of control hosts',
  };
}
