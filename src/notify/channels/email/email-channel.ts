import type { createTransport } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';
import { deadline } from '../../../system/clock.ts';
import type { MailRelay } from '../../../config/schema/mail-relay.ts';
import { authority } from '../../../core/authority.ts';
import type { Clock, Millis } from '../../../core/clock.ts';
import { readAuthorities } from '../../../network/tls/authorities.ts';
import type { SecretReader } from '../../../system/secret.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel, DeliveryRequest } from '../channel.ts';
import type { ContentContext } from './email-content.ts';
import { composeMessage, type Message } from './message.ts';
import type { EmailConfig } from './section.ts';
import { combineVerdicts, recipientVerdict, replyDetail, sessionVerdict, smtpError } from './smtp-reply.ts';
import type { RelayName, RelayOutcome } from './smtp-reply.ts';

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
