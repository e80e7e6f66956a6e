import type { MailCause } from './causes.ts';
import { type Finding, type FindingLevel, unknown } from '../../engine/finding.ts';
import {
  isOfThisMachine,
  isOwnTrouble,
  type MailObservation,
  type MailOutcome,
  type MailStage,
} from '../../core/observation.ts';
import { withMore } from '../../engine/words/claim.ts';
import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/duration.ts';
import type { MailView } from './mail-view.ts';
import { isRelayRefusal } from './relay-refusal.ts';

type MailFailure = Extract<MailOutcome, { kind: 'failed' }>;

interface Expectation {
  readonly rule: string;
  readonly claim: string;
  readonly expected: string;
  readonly suggests: MailCause;
  readonly kind?: string;
}

const RESOLVES: Expectation = {
  rule: 'mail-server-resolves',
  claim: 'The name of the mail server has no address.',
  expected: 'an address for the name of the mail server',
  suggests: 'mail-unreachable',
};

const ANSWERS: Expectation = {
  rule: 'mail-server-answers',
  claim: 'The mail server does not answer.',
  expected: 'a mail server that answers',
  suggests: 'mail-unreachable',
};

const EXPECTATIONS: Readonly<Record<MailStage, Expectation>> = {
  connect: ANSWERS,
  greeting: ANSWERS,
  ehlo: ANSWERS,
  tls: {
    rule: 'mail-tls-verifies',
    claim: 'TLS to the mail server fails.',
    expected: 'TLS with a certificate that verifies',
    suggests: 'mail-tls-broken',
  },
  login: {
    rule: 'mail-login-accepted',
    claim: 'The mail server rejects the user name or the password.',
    expected: 'the user name and password are accepted',
    suggests: 'mail-login-rejected',
  },
  sender: {
    rule: 'mail-sender-accepted',
    claim: 'The mail server rejects the sender.',
    expected: 'the sender is accepted',
    suggests: 'mail-recipient-rejected',
  },
  recipient: {
    rule: 'mail-recipient-accepted',
    claim: 'The mail server rejects the recipient.',
    expected: 'the recipient is accepted',
    suggests: 'mail-recipient-rejected',
  },
};

const RELAYS: Expectation = {
  rule: 'mail-relay-permitted',
  claim: 'The mail server does not pass on messages from this address.',
  expected: 'messages from this address are passed on',
  suggests: 'mail-relay-denied',
};

/** Judges how far one mail server went. */
export function judgeMail(
  { server, security, patience, outcome }: MailObservation,
  view: MailView,
): readonly Finding<MailCause>[] {
  if (outcome.kind === 'accepted') return outcome.slowestMs > patience ? [tooSlow(server, patience, outcome)] : [];
  const { suggests, ...expectation } = expectationOf(outcome, view);
  const level = levelOf(outcome, expectation);
  const told = {
    ...expectation,
    ...claimOf(outcome, expectation, level),
    subject: server,
    actual: describe(outcome),
    quote: outcome.message,
    facts: { security },
  };
  return [level === 'unknown' ? unknown(told) : { ...told, level, suggests }];
}

/** It delivers in the end, for who waits: postscreen lets everybody wait for 6 s. */
function tooSlow(server: string, patience: Millis, { slowestMs }: { readonly slowestMs: Millis }): Finding<MailCause> {
  return {
    rule: 'mail-server-answers-in-time',
    subject: server,
    claim: `The mail server took ${spanText(slowestMs)} for one answer; FortiAuthenticator waits ${spanText(patience)}.`,
    expected: `each answer within ${spanText(patience)}, as long as FortiAuthenticator waits`,
    actual: `one took ${spanText(slowestMs)}`,
    level: 'warning',
    suggests: 'mail-slow',
  };
}

function expectationOf(outcome: MailFailure, { fromAppliance }: MailView): Expectation {
  if (outcome.reason === 'name-not-resolved') return RESOLVES;
  if (refusesClient(outcome)) return fromAppliance ? RELAYS : { ...RELAYS, kind: 'this-machine' };
  return outcome.stage === 'tls' || wasAnswered(outcome) ? EXPECTATIONS[outcome.stage] : ANSWERS;
}

function refusesClient({ stage, reason, message }: MailFailure): boolean {
  return reason === 'rejected' && (stage === 'sender' || stage === 'recipient') && isRelayRefusal(message);
}

/** A server that dies in the middle of a session has not rejected anything. */
function wasAnswered({ reason }: MailFailure): boolean {
  return reason === 'rejected' || isOwnTrouble(reason);
}

/**
 * RFC 5321 §4.2.1: 4yz asks to come back later. For a sender or a recipient that is everyday life (greylisting, 450 and
 * 451), and FortiAuthenticator's queue does come back.
 */
function levelOf({ stage, reason, code }: MailFailure, { kind }: Pick<Expectation, 'kind'>): FindingLevel {
  if (isOfThisMachine(reason)) return 'unknown';
  if (kind === 'this-machine') return 'warning';
  const later = code !== null && code >= 400 && code < 500;
  return later && (stage === 'login' || stage === 'sender' || stage === 'recipient') ? 'warning' : 'broken';
}

function claimOf(
  { stage, reason, tlsError }: MailFailure,
  { rule, claim }: Pick<Expectation, 'rule' | 'claim'>,
  level: FindingLevel,
): Pick<Expectation, 'claim'> {
  if (level === 'unknown') return { claim: 'The mail server could not be asked from this machine.' };
  if (tlsError === 'NO_STARTTLS') return { claim: 'The mail server does not offer STARTTLS.' };
  return { claim: rule === ANSWERS.rule ? withMore(claim, ': ', `${reason} (${stage})`) : claim };
}

function describe({ stage, reason, tlsError, message }: MailFailure): string {
  if (tlsError === 'NO_STARTTLS') return `STARTTLS is not offered: ${message}`;
  const at = stage === 'tls' && tlsError !== null ? `${stage}, ${tlsError}` : stage;
  return `${reason} (${at}): ${message}`;
}
