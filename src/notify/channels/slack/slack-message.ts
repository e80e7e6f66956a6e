import type { Notification } from '../../../engine/incident/notification.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { notificationText, type Tone } from '../../message/notification-text.ts';
import { messageParagraphs } from '../message-paragraphs.ts';

/** An incoming webhook's body: https://api.slack.com/reference/messaging/attachments. */
export interface SlackMessage {
  readonly attachments: readonly SlackAttachment[];
}

interface SlackAttachment {
  /** What a notification of the system shows. */
  readonly fallback: string;
  readonly color: string;
  readonly title: string;
  readonly title_link?: string;
  readonly text: string;
  readonly actions?: readonly { readonly type: 'button'; readonly text: string; readonly url: string }[];
  /** Where `*bold*` and the like count: nowhere, since the texts may quote strangers. */
  readonly mrkdwn_in: readonly never[];
}

const COLORS: Readonly<Record<Tone, string>> = {
  critical: 'danger',
  warning: 'warning',
  good: 'good',
  neutral: '#439FE0',
};

export function slackMessage(notification: Notification, context: MessageContext): SlackMessage {
  const text = notificationText(notification, context);
  const { page, runbook } = text.links;
  const title = escaped(text.subject);
  return {
    attachments: [
      {
        fallback: title,
        color: COLORS[text.tone],
        title,
        ...(page === null ? {} : { title_link: page }),
        text: messageParagraphs(notification, text, context.site).map(escaped).join('\n'),
        ...(runbook === null ? {} : { actions: [{ type: 'button', text: 'Runbook', url: runbook }] }),
        mrkdwn_in: [],
      },
    ],
  };
}

/**
 * The three characters that begin a mention, a link or an entity:
 * https://docs.slack.dev/messaging/formatting-message-text#escaping.
 */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
