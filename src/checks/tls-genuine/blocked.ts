import {
  type CloserLook,
  type FailureReason,
  endingOf,
  isBlocked,
  type BlockedOutcome,
  type Ending,
  type TlsOutcome,
} from '../../core/observation.ts';
import { type Confidence, type Finding, known, note, type FindingText } from '../../engine/model.ts';
import { blockPageText, recogniseBlockPage } from '../../core/block-page.ts';
import { spanText } from '../../core/time-text.ts';
import { inSentence } from '../../engine/words.ts';
import { visibleText } from '../../core/visible-text.ts';
import { FEWEST_NETWORKS, networksOf } from '../../core/outside.ts';
import { notAsked, otherNetworks } from '../outside.ts';
import type { TlsEvidence, TlsJudgement } from './chain-case.ts';
import type { BlockedTlsKind } from './causes.ts';

interface BlockFacts {
  readonly ending: Ending;
  readonly page: boolean;
  /** The answer arrived faster than the server could have sent it. */
  readonly nearer: boolean;
  /** The same ClientHello got a certificate a moment later. */
  readonly again: boolean;
  /** Only a different server name gets a certificate, and the peer did not report that it does not know this name. */
  readonly named: boolean;
  /** The server rejected a deliberately unacceptable ClientHello, but no server name gets a certificate. */
  readonly onlySmall: boolean;
  /** Number of control hosts if all their connections ended in the same way, otherwise 0. */
  readonly controlsAlike: number;
}

interface BlockRule {
  readonly when: string;
  readonly holds: (facts: BlockFacts) => boolean;
  readonly kind: BlockedTlsKind | null;
  readonly confidence: Confidence;
}

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
    holds: ({ named, nearer }) => named && nearer,
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
    holds: ({ again }) => again,
    kind: null,
    confidence: 'suspected',
  },
  {
    when: 'another server name works at the same address (but the server itself may refuse its name)',
    holds: ({ named }) => named,
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when:
      'no certificate is received for any server name or from unrelated hosts, but a TLS hello that no server ' +
      'accepts is refused',
    holds: ({ ending, onlySmall, controlsAlike: alike }) => ending === 'silence' && onlySmall && alike > 0,
    kind: 'large-answers-lost',
    confidence: 'suspected',
  },
  {
    when: 'connections to two or more unrelated hosts are closed in the same way',
    holds: (facts) => facts.ending === 'cut' && facts.controlsAlike >= 2,
    kind: 'all-tls-cut',
    confidence: 'confirmed',
  },
  {
    when:
      'a connection to one unrelated host is closed in the same way, or several unrelated hosts do not ' +
      'answer either',
    holds: ({ ending, controlsAlike }) => controlsAlike >= (ending === 'cut' ? 1 : 2),
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  UNKNOWN_BLOCK,
];

function hasCertificate(outcome: TlsOutcome | null | undefined): boolean {
  return (outcome?.chain ?? null) !== null;
}

/** Returns 0 unless all control hosts' connections end like the licence server's connection. */
function controlsAlike(ending: Ending, controls: CloserLook['controls']): number {
  return controls.every((outcome) => isBlocked(outcome) && endingOf(outcome) === ending) ? controls.length : 0;
}

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
    claim: 'The certificate could not be checked because of a problem on the ftm-watch machine.',
    quote: message,
    expected: 'A certificate that can be checked',
    summary: `The certificate of ${target} could not be checked: ${message}`,
    wouldSettle: 'wait for the next check, because the problem is in this program or on the ftm-watch machine',
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
  { summary, wouldSettle, ...expectation }: FindingText & Pick<TlsJudgement, 'summary' | 'wouldSettle'>,
): TlsJudgement {
  const findings = [{ ...expectation, subject, level: 'unknown', suggests: null } as const];
  return { ...NO_CHAIN, verdict: 'unknown', confidence: 'suspected', product: null, findings, summary, wouldSettle };
}

function judgeBlocked(outcome: BlockedOutcome, evidence: TlsEvidence): TlsJudgement {
  const { target, closer, outside } = evidence;
  const ending = endingOf(outcome);
  const alike = controlsAlike(ending, closer?.controls ?? []);
  const page = blockPage(outcome, evidence);
  const nearer = nearerThanServer(outcome, evidence);
  const smallAnswer = smallAnswerOf(closer);
  const again = hasCertificate(closer?.again);
  const other = closer?.otherName?.outcome ?? null;
  const { kind, confidence } =
    BLOCK_RULES.find(({ holds }) =>
      holds({
        ending,
        page: page !== null,
        nearer: nearer !== null,
        again,
        named: hasCertificate(other) && !again && outcome.alert !== 'unrecognized_name',
        onlySmall: smallAnswer !== null && isBlocked(other),
        controlsAlike: alike,
      }),
    ) ?? UNKNOWN_BLOCK;
  const product = page?.facts?.product ?? null;
  const handshake = handshakeTold(outcome);
  const told: readonly (FindingText | null)[] = [
    handshake,
    page,
    nearer,
    otherServerName(closer),
    controlHosts(alike),
    kind === 'large-answers-lost' ? smallAnswer : null,
    completedElsewhere(evidence),
  ];
  const quote = handshake.quote === undefined ? '' : `: "${handshake.quote}"`;
  const how = `${inSentence(handshake.claim.slice(0, -1))}${quote}`;
  return {
    ...NO_CHAIN,
    verdict: 'blocked',
    confidence,
    product,
    // All these findings have the same confidence, because they result from the same decision.
    findings: [
      ...told
        .filter((one) => one !== null)
        .map(
          (one): Finding => ({
            ...one,
            subject: target,
            level: 'broken',
            suggests: 'tls-blocked',
            confidence,
            ...(kind === null ? {} : { kind }),
          }),
        ),
      ...(outside === undefined ? [] : notAsked(outside, 'certificate')).map((one) =>
        note({ ...one, subject: target }),
      ),
    ],
    summary: `TLS to ${target} is blocked${product === null ? '' : ` by ${product}`}: ${how}`,
    wouldSettle: null,
  };
}

const ENDINGS: ReadonlyMap<FailureReason, string> = new Map([
  ['reset', 'The connection was reset before a certificate was received.'],
  ['closed', 'The connection was closed before a certificate was received.'],
  ['timeout', 'The TLS hello was not answered.'],
]);

function endingClaim({ reason, receivedBytes = 0, durationMs }: BlockedOutcome): string | null {
  if (reason !== 'timeout' || receivedBytes === 0) return ENDINGS.get(reason) ?? null;
  return (
    `The answer to the TLS hello was not complete after ${spanText(durationMs)} ` +
    `(${String(receivedBytes)} byte${receivedBytes === 1 ? '' : 's'} received).`
  );
}

function handshakeTold(outcome: BlockedOutcome): FindingText {
  const { plaintext, alert, message } = outcome;
  const told = { rule: 'tls-handshake-answered', expected: 'A TLS handshake with a certificate' };
  if (plaintext !== null) {
    const claim = 'The answer to the TLS hello is plain text, not TLS.';
    return { ...told, claim, quote: visibleText(plaintext, 80) };
  }
  if (alert !== null) {
    const claim = `The handshake ended with the alert "${visibleText(alert, 40)}" before a certificate was received.`;
    return { ...told, claim };
  }
  const claim = endingClaim(outcome);
  return claim === null
    ? {
        ...told,
        claim: 'The TLS handshake failed before a certificate was received.',
        quote: visibleText(message, 160),
      }
    : { ...told, claim };
}

function blockPage({ plaintext }: BlockedOutcome, { products }: TlsEvidence): FindingText | null {
  if (plaintext === null) return null;
  const page = recogniseBlockPage({ status: null, location: null, text: plaintext, words: plaintext }, products);
  if (page === null) return null;
  const claim = `The answer is ${blockPageText(page)}.`;
  return { rule: 'no-block-page', claim, expected: 'No block page', facts: known({ product: page.product }) };
}

function nearerThanServer(outcome: BlockedOutcome, { roundTrip }: TlsEvidence): FindingText | null {
  const { durationMs } = outcome;
  if (roundTrip === undefined || endingOf(outcome) === 'silence' || durationMs >= roundTrip * TOO_FAST) return null;
  return {
    rule: 'reset-takes-a-round-trip',
    claim:
      `The connection was closed after ${durationMs.toFixed(1)} ms by a device on the path, not by the server, which ` +
      `is ${roundTrip.toFixed(1)} ms away.`,
    expected: `No answer before a full round trip (${roundTrip.toFixed(1)} ms)`,
  };
}

function smallAnswerOf(closer: CloserLook | undefined): FindingText | null {
  const refusable = closer?.refusable;
  if (refusable?.kind !== 'failed' || refusable.alert === null) return null;
  const alert = visibleText(refusable.alert, 40);
  const claim = `Small answers such as the alert "${alert}" arrive, but certificates do not.`;
  return { rule: 'large-answers-arrive', claim, expected: 'Answers of any size' };
}

function otherServerName(closer: CloserLook | undefined): FindingText | null {
  const other = closer?.otherName ?? null;
  if (other === null || !hasCertificate(other.outcome)) return null;
  return {
    rule: 'server-name-makes-no-difference',
    claim:
      other.name === null
        ? 'The same address presents a certificate if no server name is sent.'
        : `The same address presents a certificate for the server name ${visibleText(other.name, 100)}.`,
    expected: 'The same answer for any server name',
  };
}

function controlHosts(alike: number): FindingText | null {
  if (alike === 0) return null;
  return {
    rule: 'control-hosts-show-certificates',
    claim:
      alike === 1
        ? 'The only reachable unrelated host did not present a certificate either.'
        : `None of the ${String(alike)} unrelated hosts presented a certificate either.`,
    expected: 'Certificates from unrelated hosts',
  };
}

/** A failed measurement proves nothing, because a server may demand a client certificate. */
function completedElsewhere({ target, outside }: TlsEvidence): FindingText | null {
  const results = outside?.certificate?.results ?? [];
  if (networksOf(results) < FEWEST_NETWORKS) return null;
  return {
    rule: 'other-networks-complete-tls',
    claim: `At the same time, ${otherNetworks(results)} complete TLS with ${target}.`,
    expected: 'The same answer as in other networks',
  };
}
