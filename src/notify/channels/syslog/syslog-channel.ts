import { hostname } from 'node:os';
import { headline } from '../../../checks/headline.ts';
import type { Incident } from '../../../engine/incident/incident.ts';
import type { DigestItem, Notification } from '../../../engine/incident/notification.ts';
import { messageOf } from '../../../text/message-of.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel, RecipientOutcome } from '../channel.ts';
import type { SyslogConfig } from './section.ts';
import { sendLines } from './send-lines.ts';
import { type SyslogEvent, syslogLine } from './syslog-line.ts';

/** A line for each incident that a notification tells of. Of what was lost on the way over UDP nobody learns. */
export function createSyslogChannel(config: SyslogConfig, { site, clock }: ChannelDeps): MessageChannel {
  return {
    kind: 'messages',
    id: 'syslog',
    recipients: [config.name],
    minSeverity: config.minSeverity,
    async deliver({ notification, recipients }, signal) {
      const lines = syslogEvents(notification, site).map((event) => syslogLine({ ...event, host: hostname() }));
      const outcome = await sendLines(lines, config, clock, signal).then(
        () => ({ kind: 'sent' as const, detail: '' }),
        (error: unknown) => ({ kind: 'deferred' as const, detail: messageOf(error) }),
      );
      return recipients.map((recipient): RecipientOutcome => ({ recipient, ...outcome }));
    },
  };
}

/** @internal */
export function syslogEvents(notification: Notification, site: string): readonly Omit<SyslogEvent, 'host'>[] {
  const { id, at } = notification;
  switch (notification.kind) {
    case 'incident':
      return [incidentEvent(notification, site, { id, at })];
    case 'digest':
      return notification.items.map((item) => incidentEvent(item, site, { id, at }));
    case 'test':
      return [
        {
          at,
          severity: 6,
          messageId: 'test',
          parameters: { id, event: 'test', site },
          message: `TEST ${site}: nothing is broken because of this line`,
        },
      ];
  }
}

function incidentEvent(
  { event, incident }: DigestItem,
  site: string,
  { id, at }: Pick<Notification, 'id' | 'at'>,
): Omit<SyslogEvent, 'host'> {
  const { cause } = incident;
  return {
    at,
    severity: severityOf(event, incident),
    messageId: event,
    parameters: {
      id,
      event,
      site,
      incident: incident.id,
      cause: cause.id,
      severity: cause.severity,
      confidence: cause.confidence,
      subject: cause.subject,
    },
    message: `${event.toUpperCase()} ${site}: ${headline(cause)}`,
  };
}

function severityOf(event: DigestItem['event'], { cause }: Incident): SyslogEvent['severity'] {
  if (event === 'resolved') return 5;
  return cause.severity === 'critical' ? 2 : 4;
}
