import { hostname } from 'node:os';
import type { Incident } from '../../../engine/incident/incident.ts';
import type { IncidentNotification, Notification } from '../../../engine/incident/notification.ts';
import { messageOf } from '../../../text/message-of.ts';
import { subjectOf } from '../../message/subject.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel, RecipientOutcome } from '../channel.ts';
import { digestItems } from '../digest-items.ts';
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

function syslogEvents(notification: Notification, site: string): readonly Omit<SyslogEvent, 'host'>[] {
  switch (notification.kind) {
    case 'incident':
      return [incidentEvent(notification, site)];
    case 'digest':
      return digestItems(notification).map((item) => incidentEvent(item, site));
    case 'test': {
      const { id, at } = notification;
      const parameters = { id, event: 'test', site };
      return [{ at, severity: 6, messageId: 'test', parameters, message: subjectOf(notification, site) }];
    }
  }
}

function incidentEvent(notification: IncidentNotification, site: string): Omit<SyslogEvent, 'host'> {
  const { id, at, event, incident } = notification;
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
    message: subjectOf(notification, site),
  };
}

function severityOf(event: IncidentNotification['event'], { cause }: Incident): SyslogEvent['severity'] {
  if (event === 'resolved') return 5;
  return cause.severity === 'critical' ? 2 : 4;
}
