import * as z from 'zod';
import type { createTransport } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';
import type { Channel, ChannelDeps, MessageChannel, RecipientOutcome } from './channel.ts';
import type { ChannelsConfig } from '../../config/schema/channels.ts';
import { deadline } from '../../system/clock.ts';
import { authority } from '../../core/addresses.ts';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import { readAuthorities } from '../../network/tls/secure-context.ts';
import type { SecretReader } from '../../system/secret.ts';
import { visibleText, withoutSecrets, counted } from '../../core/visible-text.ts';
import { withoutCodes } from '../../text/mask.ts';
import { withoutNodeAdditions } from '../../text/message-of.ts';
import {
  eventOf,
  incidentsOf,
  type Notification,
  sameCause,
  type IncidentNotification,
  type DigestItem,
  type DigestNotification,
  type OpenCause,
} from '../../engine/incident/incident.ts';
import { type Fact, firstLines, type Link, type LinkedLine, type Section, sectionOf } from '../../document/document.ts';
import {
  evidenceSection,
  faultEvents,
  faultSection,
  impactSection,
  incidentFacts,
  remedySection,
  timelinePart,
} from '../../document/incident-story.ts';
import { type MailDocument, mailHtml, mailText } from '../../document/mail.ts';
import { spanText, zonedText } from '../../core/time-text.ts';
import { blocksOf, sentenceStep } from '../../engine/model.ts';
import {
  PAGE_TITLES,
  TEST_MESSAGE,
  type Links,
  type MessageContext,
  notificationText,
  type NotificationText,
  incidentLinks,
  occurrenceText,
} from '../../document/notification.ts';
import { headline } from '../../checks/headline.ts';

type EmailConfig = NonNullable<ChannelsConfig['email']>;
type MailRelay = EmailConfig['servers'][number];

/** Time limit for the whole session with one server, including name resolution. */
const SESSION_DEADLINE: Millis = 45_000;
const CONNECT_TIMEOUT: Millis = 10_000;
const REPLY_TIMEOUT: Millis = 20_000;

/** Servers are tried in order until each recipient has been accepted by one of them. */
function createEmailChannel(config: EmailConfig, deps: ChannelDeps): MessageChannel {
  // To save memory, loaded only if mail is configured. Loaded in advance, because there may be no free file descriptor
  // during the first incident. If loading fails, each delivery tries again.
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
      const outcomes: RecipientOutcome[] = [];
      for (const relay of config.servers) {
        const waiting = request.recipients.filter((recipient) => isUndelivered(recipient, outcomes));
        if (waiting.length === 0 || signal.aborted) break;
        const mail = mailOf(message, config, waiting, deps.clock);
        outcomes.push(...(await handOver(mail, relay, waiting, deps, signal)));
      }
      return request.recipients.map((recipient) => combineVerdicts(recipient, outcomes, config.servers.length));
    },
  };
}

function isUndelivered(recipient: string, outcomes: readonly RecipientOutcome[]): boolean {
  return !outcomes.some((outcome) => outcome.recipient === recipient && outcome.kind === 'sent');
}

type Mail = Parameters<ReturnType<typeof createTransport>['sendMail']>[0];

async function handOver(
  mail: Mail,
  relay: MailRelay,
  recipients: readonly string[],
  deps: ChannelDeps,
  signal: AbortSignal,
): Promise<readonly RecipientOutcome[]> {
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
    return [...rejected, ...accepted.map((recipient): RecipientOutcome => ({ recipient, kind: 'sent', detail: name }))];
  } catch (error) {
    return failedRecipients(error, recipients, peer);
  }
}

/** If the server sent a separate reply for a recipient, that recipient's outcome contains it. */
export function failedRecipients(
  error: unknown,
  recipients: readonly string[],
  relay: RelayName,
): readonly RecipientOutcome[] {
  const { rejectedErrors, ...failure } = smtpError.parse(error);
  const own = rejectedRecipients(rejectedErrors, relay);
  const all = { kind: sessionVerdict(failure), detail: replyDetail(relay, failure) };
  return recipients.map((recipient) => own.find((outcome) => outcome.recipient === recipient) ?? { recipient, ...all });
}

function rejectedRecipients(errors: unknown, relay: RelayName): readonly RecipientOutcome[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error: unknown): readonly RecipientOutcome[] => {
    const { recipient, ...failure } = smtpError.parse(error);
    if (recipient === undefined) return [];
    return [{ recipient, kind: recipientVerdict(failure), detail: replyDetail(relay, failure) }];
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
    // Keeps the documented case of header names. RFC 5322 ignores case, but some mail filters do not.
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

/** An error that nodemailer throws. An error about a session contains the errors for its recipients. */
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
 * code (RFC 3463) indicates whether the mailbox is missing or the server refuses to relay. For example, exim replies
 * `550 relay not permitted`, and postfix `550 5.1.8 … Sender address rejected`.
 */
function recipientVerdict({ responseCode }: SmtpError): RecipientOutcome['kind'] {
  return responseCode !== undefined && responseCode >= 500 ? 'rejected' : 'deferred';
}

/**
 * Interprets the error that ended a session. If the server rejects the login or the connection, an administrator must
 * fix the server, so the mail counts as rejected only if the reply is about the message itself.
 */
function sessionVerdict({ responseCode, command }: SmtpError): RecipientOutcome['kind'] {
  const isAboutMessage = command === 'MAIL FROM' || command === 'DATA';
  return isAboutMessage && responseCode !== undefined && responseCode >= 500 ? 'rejected' : 'deferred';
}

/** Secrets that were sent to the server must not appear in messages. */
interface RelayName {
  readonly name: string;
  readonly secrets: readonly string[];
}

/** Returns a single line, such as `mx.example.org:25: 450 4.2.1 …`. */
function replyDetail({ name, secrets }: RelayName, error: SmtpError): string {
  const reply = withoutCodes(withoutSecrets(error.response ?? withoutNodeAdditions(error.message), secrets));
  return visibleText(`${name}: ${reply.replaceAll(/\s*\n\s*/gu, ' ')}`, MAX_DETAIL);
}

/**
 * The mail is rejected only if all `servers` rejected it. A server that was down or has not been tried could still
 * accept it.
 */
export function combineVerdicts(
  recipient: string,
  outcomes: readonly RecipientOutcome[],
  servers: number,
): RecipientOutcome {
  const own = outcomes.filter((outcome) => outcome.recipient === recipient);
  const sent = own.find(({ kind }) => kind === 'sent');
  if (sent !== undefined) return sent;
  const detail = visibleText(own.map((outcome) => outcome.detail).join('; '), 2 * MAX_DETAIL);
  const isRejected = own.length >= servers && own.every(({ kind }) => kind === 'rejected');
  return { recipient, kind: isRejected ? 'rejected' : 'deferred', detail };
}

export function createEmail({ email }: Pick<ChannelsConfig, 'email'>, deps: ChannelDeps): readonly Channel[] {
  return email === null ? [] : [createEmailChannel(email, deps)];
}

/** Header values do not contain line breaks. */
interface Message {
  readonly subject: string;
  readonly messageId: string;
  /** Message-IDs of earlier mails about the incident, oldest first. */
  readonly references: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

const MAX_SITE = 100;

export function composeMessage(
  notification: Notification,
  context: ContentContext & {
    /** The domain makes the Message-ID unique. */
    readonly from: string;
  },
): Message {
  const site = visibleText(context.site, MAX_SITE) || '-';
  const content = emailContentOf(notification, { ...context, site });
  const causes = [...new Set(incidentsOf(notification).map(({ cause }) => cause.id))];
  return {
    subject: content.subject,
    messageId: messageIdOf(notification.id, context.from),
    references: threadOf(notification).map((id) => messageIdOf(id, context.from)),
    headers: {
      'X-FTM-Watch-Event': eventOf(notification),
      ...(causes.length === 0 ? {} : { 'X-FTM-Watch-Cause': causes.join(', ') }),
      'X-FTM-Watch-Site': site,
      // Prevents automatic replies (RFC 3834). Exchange uses the next header instead.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
    text: mailText(content),
    html: mailHtml(content),
  };
}

function threadOf(notification: Notification): readonly string[] {
  if (notification.kind !== 'incident') return [];
  const { first, last } = notification.incident.thread;
  return [...new Set([first, last])].filter((id) => id !== null);
}

/** The ID is the same for all attempts, so that mail servers can detect duplicates. */
function messageIdOf(id: string, from: string): string {
  const domain = /@([\w.-]+)/u.exec(from)?.[1] ?? 'localhost';
  return `<ftm-watch.${id.replaceAll(/[^\w.-]/gu, '-')}@${domain}>`;
}

interface ContentContext extends MessageContext {
  /** Null if no attempt has failed. */
  readonly delayed: { readonly firstFailedAt: EpochMs; readonly now: EpochMs } | null;
}

function emailContentOf(notification: Notification, context: ContentContext): MailDocument {
  const text = notificationText(notification, context);
  const { subject, tone, links } = text;
  const body = bodyOf(notification, text, context);
  return {
    subject,
    tone,
    links: linksOf(links, PAGE_TITLES[notification.kind]),
    commands: [],
    ...body,
    facts: [...body.facts, ...delayFacts(context, notification.at)],
  };
}

type Body = Pick<MailDocument, 'lead' | 'sections' | 'facts'> & Partial<Pick<MailDocument, 'commands'>>;

function bodyOf(notification: Notification, text: NotificationText, context: ContentContext): Body {
  const { lead } = text;
  switch (notification.kind) {
    case 'incident':
      return {
        lead,
        ...(notification.event === 'resolved' ? allClear(notification, context) : alarm(notification, context)),
      };
    case 'digest':
      return { lead, ...digest(notification, context) };
    case 'note':
      return {
        lead,
        sections: [
          ...sectionOf('What happened', { kind: 'text', lines: [notification.summary] }),
          ...notification.sections.flatMap(({ title, lines }) => sectionOf(title, { kind: 'list', lines })),
        ],
        facts: [
          ['Site', context.site],
          ['Sent', zonedText(notification.at, context.timezone)],
        ],
      };
    case 'test':
      return {
        lead,
        sections: sectionOf('What this is', { kind: 'text', lines: [TEST_MESSAGE] }),
        facts: [['Sent', zonedText(notification.at, context.timezone)]],
      };
  }
}

function alarm(notification: IncidentNotification, context: ContentContext): Omit<Body, 'lead'> {
  const { event, incident } = notification;
  const { cause } = incident;
  const facts = [...factsOf(notification, context), ...reminderFacts(notification, context)];
  if (event === 'reminder' && context.publicUrl !== null) {
    const remedySteps = cause.remedySteps.map(({ text }) => sentenceStep(text));
    const elsewhere = { kind: 'text', lines: ["They are on the incident's page."] } as const;
    return { sections: [...remedySection({ remedySteps }), ...sectionOf('Evidence and commands', elsewhere)], facts };
  }
  const steps = cause.remedySteps.map((step, index) =>
    sentenceStep(blocksOf(step).length === 0 ? step.text : `${step.text} See "${commandsTitle(index)}" below.`),
  );
  return {
    sections: [
      ...changeSection(notification, context),
      ...remedySection({ remedySteps: steps }),
      ...evidenceSection(cause),
    ],
    commands: cause.remedySteps.flatMap((step, index) =>
      sectionOf(commandsTitle(index), { kind: 'commands', lines: blocksOf(step) }),
    ),
    facts,
  };
}

function commandsTitle(index: number): string {
  return `Commands for step ${String(index + 1)}`;
}

function factsOf({ incident, at }: IncidentNotification, { site, timezone }: MessageContext): readonly Fact[] {
  return incidentFacts(incident, site, at, (time) => zonedText(time, timezone));
}

function changeSection({ event, incident }: IncidentNotification, { timezone }: ContentContext): readonly Section[] {
  const { formerCauses, cause } = incident;
  const former = formerCauses.at(-1);
  if (event !== 'changed' || former === undefined) return [];
  const before = `${former.id} (${former.severity}, ${former.subject})`;
  const [since, until] = [zonedText(former.since, timezone), zonedText(former.until, timezone)];
  const isBack = formerCauses.some((one) => sameCause(one, cause)) && !sameCause(former, cause);
  const line = isBack
    ? `This cause has returned. From ${since} to ${until}, the cause was ${before}. Both causes belong to one incident.`
    : `Until ${until}, the cause was ${before}. This email replaces earlier ones.`;
  return sectionOf('What changed', { kind: 'text', lines: [line] });
}

function reminderFacts({ nextReminder }: IncidentNotification, { timezone }: ContentContext): readonly Fact[] {
  if (nextReminder === null) return [];
  return [['Next reminder', `${zonedText(nextReminder, timezone)}, unless resolved by then`]];
}

function delayFacts({ delayed, timezone }: ContentContext, at: EpochMs): readonly Fact[] {
  if (delayed === null) return [];
  const { firstFailedAt, now } = delayed;
  const first = zonedText(firstFailedAt, timezone);
  return [['Delivery', `first failed at ${first}, delayed by ${spanText(now - at)}`]];
}

function digest(
  { items, omitted, stillOpen, at }: DigestNotification,
  context: MessageContext,
): Pick<MailDocument, 'sections' | 'facts'> {
  const open = items.filter(({ incident }) => incident.status === 'open');
  const over = items.filter(({ incident }) => incident.status === 'closed');
  const lineOf = (item: DigestItem): LinkedLine => digestLine(item, context);
  return {
    sections: [
      ...sectionOf('Open', { kind: 'list', lines: open.map(lineOf) }),
      ...sectionOf('Resolved', { kind: 'list', lines: over.map(lineOf) }),
      ...sectionOf('Also open', { kind: 'list', lines: openLines(stillOpen, context) }),
      ...sectionOf('Not listed', { kind: 'text', lines: omitted === 0 ? [] : [counted(omitted, 'more incident')] }),
    ],
    facts: [
      ['Site', context.site],
      ['As of', zonedText(at, context.timezone)],
    ],
  };
}

function digestLine({ event, incident }: DigestItem, context: MessageContext): LinkedLine {
  const { cause, causeSince, status } = incident;
  const { timezone } = context;
  const times = status === 'open' ? `since ${zonedText(causeSince, timezone)}` : occurrenceText(incident, timezone);
  const again = event === 'reminder' ? 'still ' : '';
  const what = `${headline(cause)} (${cause.id}, ${cause.subject})`;
  return {
    text: `${again}${cause.severity}: ${what}, ${times}`,
    links: linksOf(incidentLinks(incident, context), 'Incident'),
  };
}

const MAX_OPEN = 20;

function allClear(
  notification: IncidentNotification,
  context: MessageContext,
): Pick<MailDocument, 'sections' | 'facts'> {
  const { incident, stillOpen } = notification;
  const times = (at: EpochMs): string => zonedText(at, context.timezone);
  return {
    sections: [
      ...sectionOf('Still open', { kind: 'list', lines: openLines(stillOpen, context) }),
      ...faultSection(incident.cause, true),
      ...impactSection(incident.cause, true),
      ...sectionOf('Timeline', timelinePart(faultEvents(incident), times)),
    ],
    facts: factsOf(notification, context),
  };
}

function openLines(causes: readonly OpenCause[], { timezone }: MessageContext): readonly string[] {
  const lines = causes.map((cause) => {
    const since = zonedText(cause.since, timezone);
    return `${cause.severity}: ${headline(cause)} (${cause.id}, ${cause.subject}), since ${since}`;
  });
  return firstLines(lines, MAX_OPEN);
}

function linksOf({ page, runbook }: Links, pageTitle: string): readonly Link[] {
  return [
    ...(page === null ? [] : [[pageTitle, page] as const]),
    ...(runbook === null ? [] : [['Runbook', runbook] as const]),
  ];
}
