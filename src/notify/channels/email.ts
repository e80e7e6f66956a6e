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
    'Mail servers, tried in this order. As the last one, use a server that does not depend ' +
      'on the monitored path, such as localhost.',
  ),
  minSeverity,
});

type EmailConfig = z.output<typeof emailEntry>;
type MailRelay = EmailConfig['servers'][number];

const emailSection = optional(emailEntry).describe('Notifications by mail.');

/** For the whole session with one server, including name resolution. */
const SESSION_DEADLINE: Millis = 45_000;
const CONNECT_TIMEOUT: Millis = 10_000;
const REPLY_TIMEOUT: Millis = 20_000;

/** Servers are tried in order until each recipient has been accepted by one of them. */
function createEmailChannel(config: EmailConfig, deps: ChannelDeps): MessageChannel {
  // Loaded in advance, because there may be no free file descriptor during the first incident, but only if mail is
  // configured, to save memory. If loading fails, each delivery tries again.
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

/** If the server replied to a recipient, that recipient's outcome contains the reply. */
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
    // Keeps the documented case of header names, because some mail filters are case-sensitive.
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

/** `refused`: the server replied with a 5yz code. Other servers can still accept the mail. */
type RelayVerdict = 'sent' | 'deferred' | 'refused';

interface RelayOutcome {
  readonly recipient: string;
  readonly verdict: RelayVerdict;
  readonly detail: string;
}

/** An error that nodemailer throws, about one recipient or about a session with the errors for its recipients. */
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
 * Interprets the reply to RCPT TO: 4yz is temporary, 5yz permanent (RFC 5321 §4.2.1). Neither the code nor the enhanced
 * code (RFC 3463) shows whether the mailbox is missing or the server refuses to relay: exim replies `550 relay not
 * permitted`, and postfix `550 5.1.8 … Sender address rejected`.
 */
export function recipientVerdict({ responseCode }: SmtpError): RelayVerdict {
  return responseCode !== undefined && responseCode >= 500 ? 'refused' : 'deferred';
}

/**
 * Interprets the error that ended a session. If the server rejects the login or the connection, an administrator must
 * fix the server, so the mail counts as refused only if the reply is about the message itself.
 */
export function sessionVerdict({ responseCode, command }: SmtpError): RelayVerdict {
  const isAboutMessage = command === 'MAIL FROM' || command === 'DATA';
  return isAboutMessage && responseCode !== undefined && responseCode >= 500 ? 'refused' : 'deferred';
}

/** Secrets that were sent to the server must not appear in messages. */
interface RelayName {
  readonly name: string;
  readonly secrets: readonly string[];
}

/** Returns a single line, such as `mx.example.org:25: 450 4.2.1 …`. */
export function replyDetail({ name, secrets }: RelayName, error: SmtpError): string {
  const reply = withoutCodes(withoutSecrets(error.response ?? withoutAdvice(error.message), secrets));
  return visibleText(`${name}: ${reply.replaceAll(/\s*\n\s*/gu, ' ')}`, MAX_DETAIL);
}

/**
 * The mail is rejected only if all `servers` refused it. A server that was down or has not been tried could still
 * accept it.
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
