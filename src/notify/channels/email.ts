import * as z from 'zod';
import type { createTransport } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';
import type { ChannelDefinition, ChannelDeps, MessageChannel, RecipientOutcome } from './channel.ts';
import { mailRelay } from '../../config/schema/secret.ts';
import {
  endpoint,
  unique,
  filledList,
  optional,
  section,
  minSeverity,
  mailAddress,
  namedMailAddress,
} from '../../config/schema/section.ts';
import { deadline } from '../../system/clock.ts';
import { authority } from '../../core/addresses.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { readAuthorities } from '../../network/tls/secure-context.ts';
import type { SecretReader } from '../../system/secret.ts';
import { composeMessage, type Message } from './email-content.ts';
import { visibleText, withoutSecrets } from '../../core/visible-text.ts';
import { withoutCodes } from '../../text/mask.ts';
import { withoutAdvice } from '../../text/message-of.ts';

const emailEntry = section({
  from: namedMailAddress.describe('Sender of the notifications.'),
  to: filledList(mailAddress, 'recipient').describe('Recipients.'),
  servers: unique(filledList(mailRelay, 'mail server'), endpoint).describe(
    'Mail servers, tried in this order. Put one that does not depend on the monitored path, such as ' +
      'localhost, last.',
  ),
  minSeverity,
});

type EmailConfig = z.output<typeof emailEntry>;
type MailRelay = EmailConfig['servers'][number];

const emailSection = optional(emailEntry).describe('Notifications by mail.');

/** Deadline for the whole session with one server, including name resolution. */
const SESSION_DEADLINE: Millis = 45_000;
const CONNECT_TIMEOUT: Millis = 10_000;
const REPLY_TIMEOUT: Millis = 20_000;

/**
 * Sends mail through the first server that accepts it. The servers are tried in order for the recipients still without
 * a delivery.
 */
function createEmailChannel(config: EmailConfig, deps: ChannelDeps): MessageChannel {
  // nodemailer is loaded now, because at the first incident no file descriptor may be free. If no mail is configured, it
  // is not loaded, which saves memory. If loading fails, each delivery tries again.
  void import('nodemailer').catch(() => undefined);
  return {
    kind: 'messages',
    id: 'email',
    recipients: config.to,
    minSeverity: config.minSeverity,
    async deliver(request, signal) {
      const { notification, firstFailedAt } = request;
      const delayed = firstFailedAt === null ? null : { firstFailedAt, now: deps.clock.now() };
      const message = composeMessage(notification, { ...deps, from: config.from, delayed });
      const outcomes: RelayOutcome[] = [];
      for (const relay of config.servers) {
        const waiting = request.recipients.filter((recipient) => isOpen(recipient, outcomes));
        if (waiting.length === 0 || signal.aborted) break;
        const mail = mailOf(message, config, waiting, deps.clock);
        outcomes.push(...(await handOver(mail, relay, waiting, deps, signal)));
      }
      return request.recipients.map((recipient) => combineVerdicts(recipient, outcomes, config.servers.length));
    },
  };
}

/** Reports whether no server has accepted the mail for the recipient yet. */
function isOpen(recipient: string, outcomes: readonly RelayOutcome[]): boolean {
  return !outcomes.some((outcome) => outcome.recipient === recipient && outcome.verdict === 'sent');
}

type Mail = Parameters<ReturnType<typeof createTransport>['sendMail']>[0];

async function handOver(
  mail: Mail,
  relay: MailRelay,
  recipients: readonly string[],
  deps: ChannelDeps,
  signal: AbortSignal,
): Promise<readonly RelayOutcome[]> {
  const name = authority(relay);
  let peer: RelayName = { name, secrets: [] };
  using limit = deadline(deps.clock, SESSION_DEADLINE, signal);
  try {
    const auth = await loginOf(relay, deps.readSecret);
    if (auth !== null) peer = { name, secrets: [auth.pass, `\0${auth.user}\0${auth.pass}`] };
    const { createTransport: openTransport } = await import('nodemailer');
    const transport = openTransport(await transportOptions(relay, auth));
    const info = await transport.sendMail({ ...mail, signal: limit.signal });
    const rejected = rejectedRecipients(info['rejectedErrors'], peer);
    const accepted = recipients.filter((recipient) => !rejected.some((outcome) => outcome.recipient === recipient));
    return [...rejected, ...accepted.map((recipient): RelayOutcome => ({ recipient, verdict: 'sent', detail: name }))];
  } catch (error) {
    return failedRecipients(error, recipients, peer);
  }
}

/** Returns an outcome for every recipient of a failed session, with the recipient's own reply if there is one. */
function failedRecipients(error: unknown, recipients: readonly string[], relay: RelayName): readonly RelayOutcome[] {
  const { rejectedErrors, ...failure } = smtpError.parse(error);
  const own = rejectedRecipients(rejectedErrors, relay);
  const all = { verdict: sessionVerdict(failure), detail: replyDetail(relay, failure) };
  return recipients.map((recipient) => own.find((outcome) => outcome.recipient === recipient) ?? { recipient, ...all });
}

function rejectedRecipients(errors: unknown, relay: RelayName): readonly RelayOutcome[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error: unknown): readonly RelayOutcome[] => {
    const { recipient, ...failure } = smtpError.parse(error);
    if (recipient === undefined) return [];
    return [{ recipient, verdict: recipientVerdict(failure), detail: replyDetail(relay, failure) }];
  });
}

interface Login {
  readonly user: string;
  readonly pass: string;
}

async function loginOf({ user, password }: MailRelay, readSecret: SecretReader): Promise<Login | null> {
  return user === null || password === null ? null : { user, pass: await readSecret(password) };
}

async function transportOptions(relay: MailRelay, auth: Login | null): Promise<SMTPTransportOptions> {
  const { host, port, security, caFile } = relay;
  return {
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { minVersion: 'TLSv1.2', ...(caFile === null ? {} : { ca: [...(await readAuthorities(caFile)).pems] }) },
    ...(auth === null ? {} : { auth, forceAuth: true }),
    connectionTimeout: CONNECT_TIMEOUT,
    dnsTimeout: CONNECT_TIMEOUT,
    greetingTimeout: REPLY_TIMEOUT,
    socketTimeout: REPLY_TIMEOUT,
    maxResponseSize: 64 * 1024,
    disableFileAccess: true,
    disableUrlAccess: true,
    // The documented spelling, for filters that are case-sensitive although RFC 5322 is not.
    normalizeHeaderKey: (key) => key.replace(/^X-Ftm-/u, 'X-FTM-'),
  };
}

function mailOf(message: Message, { from, to }: EmailConfig, recipients: readonly string[], clock: Clock): Mail {
  const last = message.references.at(-1);
  return {
    from,
    to: [...to],
    envelope: { from, to: [...recipients] },
    subject: message.subject,
    messageId: message.messageId,
    date: new Date(clock.now()),
    ...(last === undefined ? {} : { inReplyTo: last, references: [...message.references] }),
    headers: { ...message.headers },
    text: message.text,
    html: message.html,
  };
}

/**
 * Result of one mail server for one recipient. `refused`: the server replied 5yz, which does not bind other servers.
 */
type RelayVerdict = 'sent' | 'deferred' | 'refused';

interface RelayOutcome {
  readonly recipient: string;
  readonly verdict: RelayVerdict;
  readonly detail: string;
}

/** An error thrown by nodemailer: for a session, including errors of its recipients, or for one recipient. */
const smtpError = z
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
 * Interprets a reply to RCPT TO. 4yz is temporary, 5yz is permanent (RFC 5321 §4.2.1). Neither the code nor an enhanced
 * code (RFC 3463) distinguishes a missing mailbox from a server that refuses to relay: exim replies `550 relay not
 * permitted`, postfix `550 5.1.8 … Sender address rejected`.
 */
export function recipientVerdict({ responseCode }: SmtpError): RelayVerdict {
  return responseCode !== undefined && responseCode >= 500 ? 'refused' : 'deferred';
}

/**
 * Interprets the error that ended a whole session. A failed login or a refusing greeting is a problem of the server,
 * which its administrator must fix. Only a reply about the message itself rejects the mail.
 */
export function sessionVerdict({ responseCode, command }: SmtpError): RelayVerdict {
  const isAboutMessage = command === 'MAIL FROM' || command === 'DATA';
  return isAboutMessage && responseCode !== undefined && responseCode >= 500 ? 'refused' : 'deferred';
}

/** A mail server's name for messages, and the secrets sent to it, which messages must not contain. */
interface RelayName {
  readonly name: string;
  readonly secrets: readonly string[];
}

/** Returns the reply on one line of limited length: `mx.example.org:25: 450 4.2.1 …`. */
export function replyDetail({ name, secrets }: RelayName, error: SmtpError): string {
  const reply = withoutCodes(withoutSecrets(error.response ?? withoutAdvice(error.message), secrets));
  return visibleText(`${name}: ${reply.replaceAll(/\s*\n\s*/gu, ' ')}`, MAX_DETAIL);
}

/**
 * Combines the replies of the servers into one outcome. Delivery is given up only if each of the `servers` refuses,
 * because a server that was down or not asked may accept the mail.
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

/**
 * Sends one mail per notification to all recipients together. Many notifications at once are combined into a digest.
 */
export const email: ChannelDefinition<'email', 'email', EmailConfig | null> = {
  id: 'email',
  name: 'mail',
  kind: 'messages',
  recipients: 'mail-address',
  key: 'email',
  section: emailSection,
  isConfigured: (notify) => notify.email !== null,
  create: (notify, deps) => (notify.email === null ? [] : [createEmailChannel(notify.email, deps)]),
};
