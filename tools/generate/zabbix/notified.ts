import type { Tone } from '../../../src/document/notification.ts';
import type { NoteEvent, NotificationEvent } from '../../../src/engine/incident/incident.ts';
import { type Element, GROUP, matches, PRIORITIES, tag, uuidOf, valueText } from './parts.ts';

const NOTIFIED = 'ftm-watch by webhook';
const NOTIFICATION_KEY = 'ftm.notification';
const ITEM = `/${NOTIFIED}/${NOTIFICATION_KEY}`;

/** Events that report a fault. A reminder reports one that is known. */
const REPORTING = ['firing', 'changed'] as const satisfies readonly NotificationEvent[];
const SEVERAL: NotificationEvent = 'digest';

/** Their tone depends on all open incidents. That of other events depends only on their own incident. */
const OVERVIEWS = ['resolved', 'digest', 'summary'] as const satisfies readonly (NotificationEvent | NoteEvent)[];

/** Tones of overviews after which no incident of the severity is open. */
const CLOSING: Readonly<Record<'critical' | 'warning', readonly Tone[]>> = {
  critical: ['warning', 'good'],
  warning: ['good'],
};

/** Returns the template of a host to which ftm-watch sends its notifications, because Zabbix cannot read its status. */
export function notifiedTemplate(): Element {
  return {
    uuid: uuidOf('template', NOTIFIED),
    template: NOTIFIED,
    name: NOTIFIED,
    description:
      'Notifications of ftm-watch, for a site whose status Zabbix cannot read. See deploy/webhooks/zabbix.yaml.',
    groups: [{ name: GROUP }],
    items: [
      {
        uuid: uuidOf('item', NOTIFICATION_KEY),
        name: 'Notification',
        type: 'TRAP',
        key: NOTIFICATION_KEY,
        delay: '0',
        trends: '0',
        value_type: 'TEXT',
        description:
          'Lines: tone, event, severity of the incident, title, and the text, whose last line is the next step.',
        tags: [tag('component', 'notification')],
        triggers: [problem('critical'), problem('warning')],
      },
    ],
    tags: [tag('class', 'application'), tag('target', 'ftm-watch')],
  };
}

/** Each fault is a problem. A severity's problems end together, because a digest does not name each incident. */
function problem(severity: 'critical' | 'warning'): Element {
  const reported = String.raw`\A[a-z]+\n(${REPORTING.join('|')})\n${severity}\n`;
  return {
    uuid: uuidOf('trigger', `notification ${severity}`),
    expression: matches(ITEM, String.raw`${reported}|\A${severity}\n${SEVERAL}\n`),
    recovery_mode: 'RECOVERY_EXPRESSION',
    recovery_expression: matches(ITEM, String.raw`\A(${CLOSING[severity].join('|')})\n(${OVERVIEWS.join('|')})\n`),
    name: `Notification (${severity})`,
    event_name: valueText(String.raw`\A.*\n.*\n.*\n(.*)`, 'VALUE'),
    opdata: valueText(String.raw`(?s)\A.*\n(.+)\z`, 'VALUE'),
    priority: PRIORITIES[severity],
    type: 'MULTIPLE',
    manual_close: 'YES',
    tags: [tag('scope', severity === 'critical' ? 'availability' : 'notice')],
  };
}
