import * as z from 'zod';
import { visibleText } from '../../../core/visible-text.ts';
import { withoutSecrets } from '../../../core/without-secrets.ts';
import { withoutCodes } from '../../../text/mask.ts';
import { withoutAdvice } from '../../../text/message-of.ts';
import type { RecipientOutcome } from '../channel.ts';

/** What one mail server made of one recipient. `refused`: it said 5yz, which binds no other server. */
export type RelayVerdict = 'sent' | 'deferred' | 'refused';

export interface RelayOutcome {
  readonly recipient: string;
  readonly verdict: RelayVerdict;
  readonly detail: string;
}

/** An error as nodemailer throws it: of a session, with those of its recipients, or of one recipient. */
export const smtpError = z
  .object({
    message: z.string(),
    responseCode: z.number().optional().catch(undefined),
    response: z.string().optional().catch(undefined),
    command: z.string().optional().catch(undefined),
    recipient: z.string().optional().catch(undefined),
    rejectedErrors: z.unknown().optional(),
  })
  .catch({ message: 'unknown error' });

type SmtpError = z.infer<typeof smtpError>;

const MAX_DETAIL = 300;

/**
 * Reads a reply to RCPT TO. 4yz is for now, 5yz is not (RFC 5321 §4.2.1). Neither the code nor an enhanced one (RFC
 * 3463) tells a mailbox that does not exist from a server that does not want to carry the mail: exim says `550 relay
 * not permitted`, postfix `550 5.1.8 … Sender address rejected`.
 */
export function recipientVerdict({ responseCode }: SmtpError): RelayVerdict {
  return responseCode !== undefined && responseCode >= 500 ? 'refused' : 'deferred';
}

/**
 * Reads what ended a whole session. A login that fails, a greeting that refuses and the like are trouble of this
 * server, to be repaired by its administrator: no answer to the mail. Only what is said about the message itself is
 * one.
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
  const reply = withoutCodes(withoutSecrets(error.response ?? withoutAdvice(error.message), secrets));
  return visibleText(`${name}: ${reply.replaceAll(/\s*\n\s*/gu, ' ')}`, MAX_DETAIL);
}

/**
 * One outcome from what the servers said in turn. Given up only when each of the `servers` refuses: one that was down
 * or was not asked may be the one that takes the mail.
 */
export function combineVerdicts(
  recipient: string,
  outcomes: readonly RelayOutcome[],
  servers: number,
): RecipientOutcome {
  const own = outcomes.filter((outcome) => outcome.recipient === recipient);
  const sent = own.find(({ verdict }) => verdict === 'sent');
  if (sent !== undefined) return { recipient, kind: 'sent', detail: sent.detail };
  const detail = visibleText(own.map((outcome) => outcome.detail).join('; '), 2 * MAX_DETAIL);
  const isRefused = own.length >= servers && own.every(({ verdict }) => verdict === 'refused');
  return { recipient, kind: isRefused ? 'rejected' : 'deferred', detail };
}
