import { visibleText } from '../core/visible-text.ts';
import { withoutSecrets } from '../core/without-secrets.ts';
import type { RecipientOutcome } from './channel.ts';

/** What one mail server made of one recipient. `refused` is its own policy: another server may take the mail. */
export type RelayVerdict = 'sent' | 'deferred' | 'refused' | 'no-mailbox';

export interface RelayOutcome {
  readonly recipient: string;
  readonly verdict: RelayVerdict;
  readonly detail: string;
}

/** What is known of an error by nodemailer. */
export interface SmtpError {
  readonly message: string;
  readonly responseCode?: number | undefined;
  readonly response?: string | undefined;
  readonly command?: string | undefined;
}

const MAX_DETAIL = 300;

/**
 * Reads a reply to RCPT TO. 4yz is for now, 5yz for good (RFC 5321 §4.2.1). An enhanced code (RFC 3463) tells whether the
 * mailbox does not exist (X.1, X.2) or this server does not want to carry the mail (X.7: relaying denied); without one, 550,
 * 551 and 553 mean the mailbox.
 */
export function recipientVerdict({ responseCode, response }: SmtpError): RelayVerdict {
  if (responseCode === undefined || responseCode < 500) return 'deferred';
  const subject = /^\d{3}[ -]5\.(\d{1,3})\.\d{1,3}/u.exec(response ?? '')?.[1];
  if (subject !== undefined) return subject === '1' || subject === '2' ? 'no-mailbox' : 'refused';
  return [550, 551, 553].includes(responseCode) ? 'no-mailbox' : 'refused';
}

/**
 * Reads what ended a whole session. A login that fails, a greeting that refuses and the like are trouble of this server, to
 * be mended by its administrator: not the end of the mail. Only what is said about the message itself is.
 */
export function sessionVerdict({ responseCode, command }: SmtpError): RelayVerdict {
  const isAboutMessage = command === 'MAIL FROM' || command === 'DATA';
  return isAboutMessage && responseCode !== undefined && responseCode >= 500 ? 'refused' : 'deferred';
}

/** A mail server as messages name it, and what was sent to it that they must not show. */
export interface RelayName {
  readonly name: string;
  readonly secrets: readonly string[];
}

/** `mx.example.org:25: 450 4.2.1 …`, on one line and bounded. */
export function replyDetail({ name, secrets }: RelayName, error: SmtpError): string {
  return visibleText(`${name}: ${withoutSecrets(error.response ?? error.message, secrets)}`, MAX_DETAIL);
}

/**
 * One outcome from what the servers said in turn. Given up only when the mailbox does not exist, or when every server
 * refuses: one that is merely down today may be the one that takes the mail tomorrow.
 */
export function combineVerdicts(recipient: string, outcomes: readonly RelayOutcome[]): RecipientOutcome {
  const own = outcomes.filter((outcome) => outcome.recipient === recipient);
  const sent = own.find(({ verdict }) => verdict === 'sent');
  if (sent !== undefined) return { recipient, kind: 'sent', detail: sent.detail };
  const detail = visibleText(own.map((outcome) => outcome.detail).join('; '), 2 * MAX_DETAIL);
  const isFinal =
    own.some(({ verdict }) => verdict === 'no-mailbox') || (own.length > 0 && own.every(({ verdict }) => verdict === 'refused'));
  return { recipient, kind: isFinal ? 'rejected' : 'deferred', detail };
}
