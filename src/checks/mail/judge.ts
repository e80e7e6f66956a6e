import type { MailCause } from './causes.ts';
import { type Finding, type FindingLevel, note, unknown } from '../../engine/finding.ts';
import {
  type FailureReason,
  isOfThisMachine,
  isOwnTrouble,
  type MailObservation,
  type MailOutcome,
  type MailStage,
} from '../../core/observation.ts';
import { formatDistinguishedName, shortName } from '../../core/distinguished-name.ts';
import { withMore } from '../../engine/words/claim.ts';
import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/duration.ts';
import type { MailView } from './mail-view.ts';
import {
  ANSWERS,
  type Expectation,
  GOES_ON,
  GREYLISTED,
  RECIPIENT,
  REFUSED,
  RESOLVES,
  SENDER,
  TLS,
} from './expectations.ts';
import { isTemporary, refusalOf, type RefusingReply } from './refusal.ts';

type MailFailure = Extract<MailOutcome, { kind: 'failed' }>;

/** Judges how far one mail server went. */
export function judgeMail(seen: MailObservation, view: MailView): readonly Finding<MailCause>[] {
  const { server, security, patience, outcome } = seen;
  if (outcome.kind === 'accepted') return outcome.slowestMs > patience ? [tooSlow(server, patience, outcome)] : [];
  const { suggests, confidence, ...expectation } = expectationOf(seen, outcome, view);
  const level = levelOf(outcome, expectation);
  const issuer = outcome.issuer === undefined ? null : shortName(outcome.issuer);
  const told = {
    ...expectation,
    ...claimOf(outcome, expectation, level),
    subject: server,
    actual: describe(outcome),
    quote: outcome.message,
    ...(outcome.issuer === undefined ? {} : { fullNames: [formatDistinguishedName(outcome.issuer)] }),
    facts: { security, ...(issuer === null ? {} : { issuer }) },
  };
  if (level === 'unknown') return [unknown(told)];
  // Its API does not tell how FortiAuthenticator logs in: a server that asks for it is a good one.
  if (seen.isLoginUnknown === true && expectation.kind === 'login') return [note(told)];
  return [{ ...told, level, suggests, ...(confidence === undefined ? {} : { confidence }) }];
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

function expectationOf({ security }: MailObservation, outcome: MailFailure, view: MailView): Expectation {
  const { stage, reason, code } = outcome;
  if (reason === 'name-not-resolved') return RESOLVES;
  if (stage === 'connect') return ANSWERS;
  if (stage === 'tls') return refusesTlsForNow(outcome) ? REFUSED.unavailable : tlsOf(outcome);
  if (isOwnTrouble(reason)) return stage === 'greeting' || stage === 'ehlo' ? ANSWERS : OWN[stage];
  if (reason === 'rejected') return refusedOf({ stage, code: code ?? 0, text: outcome.message }, view);
  return stage === 'greeting' ? silent(outcome, security) : GOES_ON;
}

/** What could not be asked, by how far it came. */
const OWN = { login: REFUSED.credentials, sender: SENDER, recipient: RECIPIENT } as const;

function refusedOf(reply: RefusingReply, { fromAppliance }: MailView): Expectation {
  const refusal = refusalOf(reply);
  const message = reply.stage === 'sender' ? SENDER : RECIPIENT;
  switch (refusal) {
    case 'greylisted':
      return { ...message, ...GREYLISTED };
    case 'policy':
      // It may be one for the address of this machine alone.
      return fromAppliance ? message : { ...message, confidence: 'suspected' };
    case 'other':
      return message;
    case 'relaying':
    case 'client':
      return fromAppliance ? REFUSED[refusal] : { ...REFUSED[refusal], kind: 'this-machine' };
    case 'credentials':
    case 'encryption-required':
    case 'login-not-offered':
    case 'login-required':
    case 'turned-away':
    case 'unavailable':
      return REFUSED[refusal];
  }
}

/** RFC 3207 §4: 454, TLS not available due to temporary reason. */
function refusesTlsForNow({ reason, code }: MailFailure): boolean {
  return reason === 'rejected' && isTemporary(code ?? 0);
}

/** The certificate does not lead to an authority that is trusted here. */
const UNTRUSTED: readonly (string | null)[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

function tlsOf({ tlsError, issuer }: MailFailure): Expectation {
  return issuer !== undefined && UNTRUSTED.includes(tlsError) ? { ...TLS, kind: 'untrusted' } : TLS;
}

/** A port that speaks TLS from the start waits for the client, which waits for the greeting. */
function silent({ reason }: MailFailure, security: MailObservation['security']): Expectation {
  return reason === 'timeout' && security !== 'tls' ? { ...ANSWERS, kind: 'silent' } : ANSWERS;
}

/**
 * RFC 5321 §4.2.1: 4yz asks to come back later. For a sender or a recipient that is everyday life (greylisting, 450 and
 * 451), and FortiAuthenticator's queue does come back.
 */
function levelOf({ stage, reason, code }: MailFailure, { kind }: Pick<Expectation, 'kind'>): FindingLevel {
  if (isOfThisMachine(reason)) return 'unknown';
  if (kind === 'this-machine') return 'warning';
  return isTemporary(code ?? 0) && (stage === 'login' || stage === 'sender' || stage === 'recipient')
    ? 'warning'
    : 'broken';
}

/** After the greeting. */
const COMMANDS: Readonly<Partial<Record<MailStage, string>>> = {
  ehlo: 'EHLO or STARTTLS',
  login: 'the login (AUTH)',
  sender: 'MAIL FROM',
  recipient: 'RCPT TO',
};

function claimOf(
  outcome: MailFailure,
  { rule, claim }: Pick<Expectation, 'rule' | 'claim'>,
  level: FindingLevel,
): Pick<Expectation, 'claim'> {
  const { stage, reason, tlsError } = outcome;
  if (level === 'unknown') return { claim: 'The mail server could not be asked from this machine.' };
  if (tlsError === 'NO_STARTTLS') return { claim: 'The mail server does not offer STARTTLS.' };
  if (tlsError === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return { claim: 'The mail server answers in plain text where TLS is expected from the start.' };
  if (rule === TLS.rule) return { claim: tlsClaim(outcome, claim) };
  if (rule === GOES_ON.rule)
    return { claim: `The mail server greeted, then ${endedBy(reason)} ${COMMANDS[stage] ?? stage}.` };
  return { claim: rule === ANSWERS.rule ? withMore(claim, ': ', `${reason} (${stage})`) : claim };
}

function tlsClaim({ issuer }: MailFailure, claim: string): string {
  if (issuer === undefined) return claim;
  const name = shortName(issuer);
  const by = name === null ? 'an authority without a name' : `"${name}"`;
  return withMore(claim, ': ', `its certificate is issued by ${by}`);
}

function endedBy(reason: FailureReason): string {
  if (reason === 'timeout') return 'did not answer';
  return reason === 'protocol' ? 'gave no SMTP reply to' : 'ended the connection at';
}

function describe({ stage, reason, tlsError, message }: MailFailure): string {
  if (tlsError === 'NO_STARTTLS') return `STARTTLS is not offered: ${message}`;
  const at = stage === 'tls' && tlsError !== null ? `${stage}, ${tlsError}` : stage;
  return `${reason} (${at}): ${message}`;
}
