import { unlinked } from '../../core/visible-text.ts';
import { postingChannels, targetOf } from './http-post.ts';
import type { Notification } from '../../engine/incident/incident.ts';
import { type MessageContext, notificationText, type Tone } from '../../document/notification.ts';

const COLORS: Readonly<Record<Tone, string>> = {
  critical: 'danger',
  warning: 'warning',
  good: 'good',
  neutral: '#439FE0',
};

/** https://api.slack.com/reference/messaging/attachments */
export function slackMessage(notification: Notification, context: MessageContext): object {
  const text = notificationText(notification, context);
  const { page, runbook } = text.links;
  const title = escaped(text.subject);
  return {
    attachments: [
      {
        // Slack shows this text in system notifications.
        fallback: title,
        color: COLORS[text.tone],
        title,
        ...(page === null ? {} : { title_link: page }),
        text: text.paragraphs.map(escaped).join('\n'),
        ...(runbook === null ? {} : { actions: [{ type: 'button', text: 'Runbook', url: runbook }] }),
        // Tells Slack not to interpret markup such as `*bold*`, because messages can quote untrusted text.
        mrkdwn_in: [],
      },
    ],
  };
}

/**
 * These characters start a mention, a link or an entity
 * (https://docs.slack.dev/messaging/formatting-message-text#escaping). Slack also converts bare URLs to links.
 */
function escaped(text: string): string {
  return unlinked(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export const createSlack = postingChannels(
  'slack',
  ({ slack }) => slack,
  async (service, { notification }, deps) => [
    { ...(await targetOf(service, deps.readSecret)), body: slackMessage(notification, deps) },
  ],
);
