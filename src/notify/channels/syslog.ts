import { hostname } from 'node:os';
import { once } from 'node:events';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Channel, ChannelDeps, MessageChannel, RecipientOutcome } from './channel.ts';
import type { ChannelsConfig } from '../../config/schema/channels.ts';
import { headline } from '../../checks/headline.ts';
import { eventOf, type Notification } from '../../engine/incident/incident.ts';
import { capital } from '../../engine/words.ts';
import { messageOf } from '../../text/message-of.ts';
import { digestItems, type MessageContext, notificationText, subjectOf } from '../../document/notification.ts';
import { cefLine } from './cef.ts';
import type { EpochMs, Clock, Millis } from '../../core/clock.ts';
import { cutToBytes, visibleText } from '../../core/visible-text.ts';
import { isoTime } from '../../core/time-text.ts';
import { OWN_PROGRAM } from '../../core/polling/log-event.ts';
import { deadline, sleep } from '../../system/clock.ts';
import { readAuthorities } from '../../network/tls/secure-context.ts';

type SyslogConfig = ChannelsConfig['syslog'][number];

interface SyslogHeader {
  readonly at: EpochMs;
  /** RFC 5424 §6.2.1. */
  readonly severity: 2 | 4 | 5 | 6;
  readonly host: string;
  readonly messageId: string;
}

interface SyslogEvent extends SyslogHeader {
  readonly parameters: Readonly<Record<string, string>>;
  readonly message: string;
}

/** RFC 5424 §6.2.1, table 1. */
const FACILITY_DAEMON = 3;
/** Receivers should accept messages of this size (RFC 5424 §6.1). */
const MAX_BYTES = 2048;
const MAX_VALUE = 200;

/** Returns one line of at most 2048 bytes. */
export function syslogLine({ parameters, message, ...header }: SyslogEvent, enterpriseNumber: number): string {
  const data = Object.entries(parameters).map(([name, value]) => ` ${name}="${parameterValue(value)}"`);
  const head = `${headerOf(header)} [${OWN_PROGRAM}@${String(enterpriseNumber)}${data.join('')}]`;
  const text = visibleText(message, MAX_BYTES);
  // Text with non-ASCII characters starts with a UTF-8 byte order mark (RFC 5424 §6.4).
  return cutToBytes(`${head} ${/^[ -~]*$/u.test(text) ? '' : '\u{FEFF}'}${text}`, MAX_BYTES);
}

function headerOf({ at, severity, host, messageId }: SyslogHeader): string {
  const priority = String(FACILITY_DAEMON * 8 + severity);
  return `<${priority}>1 ${isoTime(at)} ${hostField(host)} ${OWN_PROGRAM} - ${messageId}`;
}

/** RFC 5424 §6.3.3. */
function parameterValue(value: string): string {
  return visibleText(value, MAX_VALUE).replaceAll(/["\\\]]/gu, String.raw`\$&`);
}

/** RFC 5424 §6.2.4. */
function hostField(host: string): string {
  const printable = host.replaceAll(/[^!-~]/gu, '').slice(0, 255);
  return printable === '' ? '-' : printable;
}

type Receiver = Pick<SyslogConfig, 'host' | 'port' | 'transport' | 'caFile'>;

/** Includes name resolution. */
const SEND_DEADLINE: Millis = 15_000;
/** The time to wait for an ICMP error after a UDP message. Not every host sends one. */
const REFUSAL: Millis = 250;
/** The time to wait for the receiver to close the connection. Afterwards, the messages count as accepted. */
const CLOSING: Millis = 3_000;

/** @throws {Error} if the receiver cannot be reached or closes the connection before it has accepted all messages */
export async function sendLines(
  lines: readonly string[],
  receiver: Receiver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  using limit = deadline(clock, SEND_DEADLINE, signal);
  if (receiver.transport === 'udp') await sendDatagrams(lines, receiver, clock, limit.signal);
  else await sendStream(lines, receiver, clock, limit.signal);
}

async function sendDatagrams(
  lines: readonly string[],
  { host, port }: Receiver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', signal });
  const failed = once(socket, 'error', { signal }).then(([error]) => {
    throw error instanceof Error ? error : new Error('The datagram could not be sent');
  });
  // Each datagram can cause a further error, which would terminate the process without this listener.
  socket.on('error', () => undefined);
  try {
    socket.connect(port, host);
    await Promise.race([once(socket, 'connect', { signal }), failed]);
    for (const line of lines) await Promise.race([sendDatagram(socket, line), failed]);
    await Promise.race([sleep(clock, REFUSAL, signal), failed]);
  } finally {
    // The messages were sent, so later errors are ignored.
    failed.catch(() => undefined);
    if (!signal.aborted) socket.close();
  }
}

/** Without the callback, Node would discard the error. */
function sendDatagram(socket: UdpSocket, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(line, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

async function sendStream(
  lines: readonly string[],
  receiver: Receiver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { transport, caFile } = receiver;
  const authorities = transport === 'tls' && caFile !== null ? (await readAuthorities(caFile)).pems : null;
  const socket = openStream(receiver, authorities);
  // Never removed, because the socket can fail before other listeners are added or after they are removed.
  socket.on('error', () => undefined);
  try {
    await once(socket, transport === 'tls' ? 'secureConnect' : 'connect', { signal });
    // Each message is preceded by its length in bytes (RFC 6587 §3.4.1, RFC 5425 §4.3).
    socket.resume().end(lines.map((line) => `${String(Buffer.byteLength(line))} ${line}`).join(''));
    await once(socket, 'finish', { signal });
    await closed(socket, clock, signal);
  } finally {
    socket.destroy();
  }
}

/** @throws {Error} if the receiver resets the connection */
async function closed(socket: Socket, clock: Clock, signal: AbortSignal): Promise<void> {
  using limit = deadline(clock, CLOSING, signal);
  try {
    if (!socket.closed) await once(socket, 'close', { signal: limit.signal });
  } catch (error) {
    if (!limit.expired()) throw error;
  }
  if (socket.errored !== null) throw socket.errored;
}

function openStream({ host, port, transport }: Receiver, authorities: readonly string[] | null): Socket {
  if (transport !== 'tls') return connect({ host, port });
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(authorities === null ? {} : { ca: [...authorities] }),
    ...name,
  });
}

export function createSyslog({ syslog }: Pick<ChannelsConfig, 'syslog'>, deps: ChannelDeps): readonly Channel[] {
  return syslog.map((config) => createSyslogChannel(config, deps));
}

function createSyslogChannel(config: SyslogConfig, deps: ChannelDeps): MessageChannel {
  return {
    kind: 'messages',
    id: 'syslog',
    recipients: [config.name],
    minSeverity: config.minSeverity,
    async deliver({ notification, recipients }, signal) {
      const lines = syslogLines(notification, config, { ...deps, host: hostname() });
      const outcome = await sendLines(lines, config, deps.clock, signal).then(
        () => ({ kind: 'sent' as const, detail: '' }),
        (error: unknown) => ({ kind: 'deferred' as const, detail: messageOf(error) }),
      );
      return recipients.map((recipient): RecipientOutcome => ({ recipient, ...outcome }));
    },
  };
}

type LineContext = MessageContext & Pick<ChannelDeps, 'version'> & { readonly host: string };

/** Returns a line for each incident, or one line about something else. */
export function syslogLines(
  notification: Notification,
  { format, enterpriseNumber }: Pick<SyslogConfig, 'format' | 'enterpriseNumber'>,
  context: LineContext,
): readonly string[] {
  const each = notification.kind === 'digest' ? digestItems(notification) : [notification];
  switch (format) {
    case 'rfc5424':
      return each.map((one) => syslogLine(syslogEvent(one, context), enterpriseNumber));
    case 'cef':
      return each.map((one) => cefSyslogLine(one, context));
  }
}

type SingleNotification = Exclude<Notification, { readonly kind: 'digest' }>;

function syslogEvent(notification: SingleNotification, context: LineContext): SyslogEvent {
  const { site, host } = context;
  const { id, at } = notification;
  const event = eventOf(notification);
  const about =
    notification.kind === 'incident'
      ? {
          incident: notification.incident.id,
          cause: notification.incident.cause.id,
          severity: notification.incident.cause.severity,
          confidence: notification.incident.cause.confidence,
          subject: notification.incident.cause.subject,
        }
      : {};
  return {
    at,
    severity: severityOf(notification),
    host,
    messageId: event,
    parameters: { id, event, site, ...about },
    message: subjectOf(notification, site),
  };
}

function severityOf(notification: SingleNotification): SyslogHeader['severity'] {
  switch (notification.kind) {
    case 'incident':
      if (notification.event === 'resolved') return 5;
      return notification.incident.cause.severity === 'critical' ? 2 : 4;
    case 'note':
      return notification.event === 'restart' ? 4 : 6;
    case 'test':
      return 6;
  }
}

const CEF_SEVERITIES: Readonly<Record<SyslogHeader['severity'], number>> = { 2: 9, 4: 6, 5: 3, 6: 1 };

function cefSyslogLine(notification: SingleNotification, context: LineContext): string {
  const event = syslogEvent(notification, context);
  const incident = notification.kind === 'incident' ? notification.incident : null;
  // The fields contain everything, so the structured data are empty.
  const head = `${headerOf(event)} - `;
  const line = cefLine(
    {
      product: OWN_PROGRAM,
      version: context.version,
      deviceEventClassId: incident?.cause.id ?? event.messageId,
      name: incident === null ? event.message : capital(headline(incident.cause)),
      severity: CEF_SEVERITIES[event.severity],
      receiptTime: event.at,
      startTime: incident?.since ?? null,
      endTime: incident?.closedAt ?? null,
      deviceHostName: event.host,
      category: event.messageId,
      externalId: notification.id,
      custom: {
        site: context.site,
        incident: incident?.id ?? '',
        subject: incident?.cause.subject ?? '',
        confidence: incident?.cause.confidence ?? '',
      },
      message: notificationText(notification, context).paragraphs,
    },
    MAX_BYTES - Buffer.byteLength(head),
  );
  return `${head}${line}`;
}
