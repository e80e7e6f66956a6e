import * as z from 'zod';
import type { createTransport } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';
import type { ChannelDefinition, ChannelDeps, MessageChannel, DeliveryRequest, RecipientOutcome } from './channel.ts';
import { mailRelay, type MailRelay } from '../../config/schema/secret.ts';
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
import { type ContentContext, composeMessage, type Message } from './email-content.ts';
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

export type EmailConfig = z.output<typeof emailEntry>;

const emailSection = optional(emailEntry).describe('Notifications by mail.');

/** For the whole session with one server, from the look-up of its name on. */
const SESSION_DEADLINE: Millis = 45_000;
const CONNECT_TIMEOUT: Millis = 10_000;
const REPLY_TIMEOUT: Millis = 20_000;

/**
 * Mail through the first server that takes it; the servers are tried in order, for those recipients that are still
 * without it.
 */
export function createEmailChannel(config: EmailConfig, deps: ChannelDeps): MessageChannel {
  // Now, and not at the first incident, when there may be no file left to open. Who sends no mail is spared its memory.
  // Where it cannot be loaded now, each delivery tries again.
  void import('nodemailer').catch(() => undefined);
  return {
    kind: 'messages',
    id: 'email',
    recipients: config.to,
    minSeverity: config.minSeverity,
    async deliver(request, signal) {
      const message = composeMessage(request.notification, {
        ...deps,
        from: config.from,
        delayed: delayOf(request, deps.clock),
      });
      const outcomes: RelayOutcome[] = [];
      for (const relay of config.servers) {
        const waiting = request.recipients.filter((recipient) => isOpen(recipient, outcomes));
        if (waiting.length === 0 || signal.aborted) break;
        outcomes.push(...(await handOver({ config, relay, message, recipients: waiting }, deps, signal)));
      }
      return request.recipients.map((recipient) => combineVerdicts(recipient, outcomes, config.servers.length));
    },
  };
}

function delayOf({ firstFailedAt }: DeliveryRequest, clock: Clock): ContentContext['delayed'] {
  return firstFailedAt === null ? null : { firstFailedAt, now: clock.now() };
}

/** No server has accepted it yet. */
function isOpen(recipient: string, outcomes: readonly RelayOutcome[]): boolean {
  return !outcomes.some((outcome) => outcome.recipient === recipient && outcome.verdict === 'sent');
}

interface HandOver {
  readonly config: EmailConfig;
  readonly relay: MailRelay;
  readonly message: Message;
  readonly recipients: readonly string[];
}

async function handOver(order: HandOver, deps: ChannelDeps, signal: AbortSignal): Promise<readonly RelayOutcome[]> {
  const name = authority(order.relay);
  let relay: RelayName = { name, secrets: [] };
  using limit = deadline(deps.clock, SESSION_DEADLINE, signal);
  try {
    const auth = await loginOf(order.relay, deps.readSecret);
    if (auth !== null) relay = { name, secrets: [auth.pass, `\0${auth.user}\0${auth.pass}`] };
    const { createTransport: openTransport } = await import('nodemailer');
    const transport = openTransport(await transportOptions(order.relay, auth));
    const info = await transport.sendMail({ ...mailOf(order, deps.clock), signal: limit.signal });
    const rejected = rejectedRecipients(info['rejectedErrors'], relay);
    const accepted = order.recipients.filter(
      (recipient) => !rejected.some((outcome) => outcome.recipient === recipient),
    );
    return [...rejected, ...accepted.map((recipient): RelayOutcome => ({ recipient, verdict: 'sent', detail: name }))];
  } catch (error) {
    return failedRecipients(error, order.recipients, relay);
  }
}

/** Every recipient of a session that ended with an error: with its own reply where it got one. */
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
    // The documented spelling, for filters that are picky about case although RFC 5322 is not.
    normalizeHeaderKey: (key) => key.replace(/^X-Ftm-/u, 'X-FTM-'),
  };
}

function mailOf(
  { config, message, recipients }: HandOver,
  clock: Clock,
): Parameters<ReturnType<typeof createTransport>['sendMail']>[0] {
  const last = message.references.at(-1);
  return {
    from: config.from,
    to: [...config.to],
    envelope: { from: config.from, to: [...recipients] },
    subject: message.subject,
    messageId: message.messageId,
    date: new Date(clock.now()),
    ...(last === undefined ? {} : { inReplyTo: last, references: [...message.references] }),
    headers: { ...message.headers },
    text: message.text,
    html: message.html,
  };
}

/** What one mail server made of one recipient. `refused`: it said 5yz, which binds no other server. */
export type RelayVerdict = 'sent' | 'deferred' | 'refused';

export interface RelayOutcome {
  readonly recipient: string;
  readonly verdict: RelayVerdict;
  readonly detail: string;
}

/** An error as nodemailer throws it: of a session, with those of its recipients, or of one recipient. */
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
interface RelayName {
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

/** A message for each notification, to all recipients at once; many at once come as a digest. */
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
