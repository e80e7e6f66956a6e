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
import { type Confidence, type Finding, known, type Told } from '../../engine/model.ts';
import { blockPageText, recogniseBlockPage } from '../../core/block-page.ts';
import { spanText } from '../../core/time-text.ts';
import { capital } from '../../engine/words.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { Seen } from './signals.ts';
import type { TlsEvidence, TlsJudgement } from './chain-case.ts';
import type { BlockedTlsKind } from './causes.ts';

interface BlockFacts {
  readonly ending: Ending;
  readonly page: boolean;
  /** The answer arrived faster than the server could have sent it. */
  readonly nearer: boolean;
  /** The peer reported an unknown server name, which a filter would not do. */
  readonly nameRefused: boolean;
  readonly again: ProbeResult;
  readonly otherName: ProbeResult;
  /** The server rejected a deliberately unacceptable ClientHello, so small answers do arrive. */
  readonly smallAnswered: boolean;
  /** Number of control hosts if all their connections ended in the same way, otherwise 0. */
  readonly controlsAlike: number;
}

/** `open`: not tried, or prevented by a problem on this machine. */
type ProbeResult = 'passes' | 'blocked' | 'open';

interface BlockRule {
  readonly when: string;
  readonly holds: (facts: BlockFacts) => boolean;
  readonly kind: BlockedTlsKind | null;
  readonly confidence: Confidence;
}

const isNamed = ({ otherName, again, nameRefused }: BlockFacts): boolean =>
  otherName === 'passes' && again !== 'passes' && !nameRefused;

const UNKNOWN_BLOCK: BlockRule = {
  when: 'otherwise (the reason is a device on the path, or the server itself)',
  holds: () => true,
  kind: null,
  confidence: 'suspected',
};

/**
 * The first matching rule applies.
 * @internal
 */
export const BLOCK_RULES: readonly BlockRule[] = [
  {
    when: 'a block page was received instead of TLS',
    holds: ({ page }) => page,
    kind: 'page-in-plain-text',
    confidence: 'confirmed',
  },
  {
    when:
      'another server name works at the same address, and the answer arrived faster than the server could have sent ' +
      'it',
    holds: (facts) => isNamed(facts) && facts.nearer,
    kind: 'name-filtered',
    confidence: 'confirmed',
  },
  {
    when: 'the answer arrived faster than the server could have sent it',
    holds: ({ nearer }) => nearer,
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'the same TLS hello gets a certificate a moment later',
    holds: ({ again }) => again === 'passes',
    kind: null,
    confidence: 'suspected',
  },
  {
    when: 'another server name works at the same address (but the server itself may refuse its name)',
    holds: isNamed,
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when:
      'no certificate is received for any server name or from control hosts, but a TLS hello that no server ' +
      'accepts is refused',
    holds: (facts) =>
      facts.ending === 'silence' && facts.otherName === 'blocked' && facts.smallAnswered && facts.controlsAlike > 0,
    kind: 'large-answers-lost',
    confidence: 'suspected',
  },
  {
    when: 'connections to two or more control hosts are closed in the same way',
    holds: (facts) => facts.ending === 'cut' && facts.controlsAlike >= 2,
    kind: 'all-tls-cut',
    confidence: 'confirmed',
  },
  {
    when: 'a connection to one control host is closed in the same way, or several control hosts do not answer either',
    holds: ({ ending, controlsAlike }) => controlsAlike >= (ending === 'cut' ? 1 : 2),
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  UNKNOWN_BLOCK,
];

function probeResultOf(outcome: TlsOutcome | null | undefined): ProbeResult {
  if (outcome === null || outcome === undefined) return 'open';
  if (outcome.chain !== null) return 'passes';
  return isBlocked(outcome) ? 'blocked' : 'open';
}

/** Returns 0 unless all control hosts' connections end like the licence server's connection. */
function controlsAlike(ending: Ending, { controls }: Pick<CloserLook, 'controls'>): number {
  return controls.every((outcome) => isBlocked(outcome) && endingOf(outcome) === ending) ? controls.length : 0;
}

/** Load on this machine can distort individual connect times. */
const FEWEST_CONNECTS = 4;
/** An answer within this share of the round-trip time did not come from the server. */
const TOO_FAST = 0.6;

const NO_CHAIN = { authorities: [] };

/**
 * A reset, a timeout, an alert or plain text instead of a certificate means that TLS is blocked. If there is a problem
 * on this machine or a chain is unreadable, the verdict is `unknown`.
 */
export function judgeNoCertificate(evidence: TlsEvidence): TlsJudgement {
  const { outcome, target } = evidence;
  if (outcome.kind !== 'failed') return judgeUnreadable(outcome.chain.dropped, target);
  const message = visibleText(outcome.message, 256);
  if (isBlocked(outcome)) return judgeBlocked(outcome, evidence);
  return unknown(target, {
    rule: 'certificate-captured',
    claim: 'The certificate could not be checked because of a problem on this machine.',
    quote: message,
    expected: 'A certificate that can be checked',
    summary: `The certificate of ${target} could not be checked: ${message}`,
    wouldSettle: 'wait for the next round, because the problem is in this program or on this machine',
  });
}

function judgeUnreadable(dropped: number, target: string): TlsJudgement {
  const sent = dropped === 0 ? 'no certificate was sent' : `${String(dropped)} certificates cannot be read`;
  return unknown(target, {
    rule: 'chain-is-readable',
    claim: dropped === 0 ? 'The server did not send a certificate.' : 'The server did not send a readable certificate.',
    expected: 'A readable certificate',
    summary: `The certificate of ${target} cannot be checked, because ${sent}`,
    wouldSettle: 'check the same connection from a path that is known to be clean',
  });
}

function unknown(
  subject: string,
  { summary, wouldSettle, ...expectation }: Told & Pick<TlsJudgement, 'summary' | 'wouldSettle'>,
): TlsJudgement {
  const findings = [{ ...expectation, subject, level: 'unknown', suggests: null } as const];
  return { ...NO_CHAIN, verdict: 'unknown', confidence: 'suspected', product: null, findings, summary, wouldSettle };
}

function judgeBlocked(outcome: BlockedOutcome, evidence: TlsEvidence): TlsJudgement {
  const { target, closer } = evidence;
  const how = describe(outcome);
  const page = blockPage(outcome, evidence);
  const proofs =
    closer === undefined
      ? []
      : PROOFS.flatMap(([rule, see]) => {
          const seen = see(closer, outcome);
          return seen === null ? [] : [{ rule, ...seen }];
        });
  const isProven = (wanted: string): boolean => proofs.some(({ rule }) => rule === wanted);
  const ending = endingOf(outcome);
  const facts: BlockFacts = {
    ending,
    nameRefused: outcome.alert === 'unrecognized_name',
    again: probeResultOf(closer?.again),
    otherName: probeResultOf(closer?.otherName?.outcome),
    controlsAlike: closer === undefined ? 0 : controlsAlike(ending, closer),
    page: page !== null,
    nearer: isProven('reset-takes-a-round-trip'),
    smallAnswered: isProven(SMALL_ANSWER),
  };
  const { kind, confidence } = BLOCK_RULES.find(({ holds }) => holds(facts)) ?? UNKNOWN_BLOCK;
  const product = page?.facts?.product ?? null;
  const told: readonly (Told & Pick<Finding, 'facts'>)[] = [
    { rule: 'tls-handshake-answered', expected: 'A TLS handshake with a certificate', ...claimOf(outcome) },
    ...(page === null ? [] : [page]),
    ...proofs.filter(({ rule }) => rule !== SMALL_ANSWER || kind === 'large-answers-lost'),
  ];
  return {
    ...NO_CHAIN,
    verdict: 'blocked',
    confidence,
    product,
    // All these findings have the same confidence, because they result from the same decision.
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
  ['reset', 'the connection was reset before a certificate was received'],
  ['closed', 'the connection was closed before a certificate was received'],
  ['timeout', 'the TLS hello was not answered'],
]);

function endingText({ reason, receivedBytes = 0, durationMs }: BlockedOutcome): string | null {
  if (reason !== 'timeout' || receivedBytes === 0) return ENDINGS.get(reason) ?? null;
  return (
    `the answer to the TLS hello was not complete after ${spanText(durationMs)} ` +
    `(${String(receivedBytes)} byte${receivedBytes === 1 ? '' : 's'} received)`
  );
}

function describe(outcome: BlockedOutcome): string {
  const { plaintext, alert, message } = outcome;
  if (plaintext !== null) return `the answer is not TLS, but "${visibleText(plaintext, 80)}"`;
  if (alert !== null)
    return `the peer ended the handshake with the alert "${visibleText(alert, 40)}" before it sent a certificate`;
  return endingText(outcome) ?? `the handshake failed before a certificate was received: ${visibleText(message, 160)}`;
}

function claimOf(outcome: BlockedOutcome): Pick<Told, 'claim' | 'quote'> {
  const { plaintext, alert, message } = outcome;
  if (plaintext !== null)
    return { claim: 'The answer to the TLS hello is plain text, not TLS.', quote: visibleText(plaintext, 80) };
  if (alert !== null) {
    const claim = `The handshake ended with the alert "${visibleText(alert, 40)}" before a certificate was received.`;
    return { claim };
  }
  const ending = endingText(outcome);
  return ending === null
    ? { claim: 'The TLS handshake failed before a certificate was received.', quote: visibleText(message, 160) }
    : { claim: `${capital(ending)}.` };
}

function blockPage({ plaintext }: BlockedOutcome, { products }: TlsEvidence): (Told & Pick<Finding, 'facts'>) | null {
  if (plaintext === null) return null;
  const page = recogniseBlockPage({ status: null, location: null, text: plaintext, words: plaintext }, products);
  if (page === null) return null;
  const claim = `The answer is ${blockPageText(page)}.`;
  return { rule: 'no-block-page', claim, expected: 'No block page', facts: known({ product: page.product }) };
}

const SMALL_ANSWER = 'large-answers-arrive';

const PROOFS: readonly (readonly [rule: string, see: (closer: CloserLook, outcome: BlockedOutcome) => Seen | null])[] =
  [
    ['reset-takes-a-round-trip', nearerThanServer],
    ['same-hello-fails-again', sameHelloAgain],
    ['server-name-makes-no-difference', otherServerName],
    ['control-hosts-show-certificates', controlHosts],
    [SMALL_ANSWER, smallAnswer],
  ];

function nearerThanServer(closer: CloserLook, outcome: BlockedOutcome): Seen | null {
  const roundTrip = leastRoundTrip(closer.connects, closer.stalledMs, FEWEST_CONNECTS);
  if (roundTrip === null || endingOf(outcome) === 'silence' || outcome.durationMs >= roundTrip * TOO_FAST) return null;
  return {
    claim:
      `The connection was closed after ${outcome.durationMs.toFixed(1)} ms by a device on the path, not by the ` +
      `server, which is ${roundTrip.toFixed(1)} ms away.`,
    expected: `No answer before a full round trip (${roundTrip.toFixed(1)} ms)`,
  };
}

function smallAnswer({ refusable }: CloserLook): Seen | null {
  if (refusable?.kind !== 'failed' || refusable.alert === null) return null;
  const alert = visibleText(refusable.alert, 40);
  const claim = `Small answers such as the alert "${alert}" arrive, but certificates do not.`;
  return { claim, expected: 'Answers of any size' };
}

function sameHelloAgain({ again }: CloserLook): Seen | null {
  if (probeResultOf(again) !== 'passes') return null;
  return {
    claim: 'A certificate was received a moment later, so the block is intermittent.',
    expected: 'The same answer on the next connection',
  };
}

function otherServerName({ otherName }: CloserLook): Seen | null {
  if (otherName === null || probeResultOf(otherName.outcome) !== 'passes') return null;
  return {
    claim:
      otherName.name === null
        ? 'The same address presents a certificate if no server name is sent.'
        : `The same address presents a certificate for the server name ${visibleText(otherName.name, 100)}.`,
    expected: 'The same answer for any server name',
  };
}

function controlHosts(closer: CloserLook, outcome: BlockedOutcome): Seen | null {
  const alike = controlsAlike(endingOf(outcome), closer);
  if (alike === 0) return null;
  return {
    claim:
      alike === 1
        ? 'The only reachable control host did not present a certificate either.'
        : `None of the ${String(alike)} control hosts presented a certificate either.`,
    expected: 'Certificates from control hosts',
  };
}
