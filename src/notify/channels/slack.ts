import type * as z from 'zod';
import type { ChannelDefinition, ChannelDeps, MessageChannel } from './channel.ts';
import { authorityFile, secretUrlField } from '../../config/schema/secret.ts';
import { textAt, unique, list, section, minSeverity, recipientName } from '../../config/schema/section.ts';
import { createPostingChannel, readSecretUrl, secretPartsOf } from './http-post.ts';
import type { Notification } from '../../engine/incident/incident.ts';
import { type MessageContext, notificationText, type Tone, messageParagraphs } from '../../document/notification.ts';

const slackEntry = section({
  name: recipientName,
  minSeverity,
  url: secretUrlField('Address of the incoming webhook of a channel.', 'https://hooks.slack.com/services/T0/B0/x'),
  caFile: authorityFile,
});

type SlackConfig = z.output<typeof slackEntry>;

const slackSection = unique(list(slackEntry), textAt('name')).describe(
  'Incoming webhooks of Slack channels and of compatible services such as Mattermost.',
);

/** https://api.slack.com/reference/messaging/attachments */
interface SlackMessage {
  readonly attachments: readonly SlackAttachment[];
}

interface SlackAttachment {
  /** Slack shows this text in system notifications. */
  readonly fallback: string;
  readonly color: string;
  readonly title: string;
  readonly title_link?: string;
  readonly text: string;
  readonly actions?: readonly { readonly type: 'button'; readonly text: string; readonly url: string }[];
  /** Slack interprets no markup such as `*bold*`, because messages can quote untrusted text. */
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
 * These characters start a mention, a link or an entity
 * (https://docs.slack.dev/messaging/formatting-message-text#escaping).
 */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export const slack: ChannelDefinition<'slack', 'slack', readonly SlackConfig[]> = {
  id: 'slack',
  name: 'Slack',
  kind: 'messages',
  recipients: 'name',
  key: 'slack',
  section: slackSection,
  isConfigured: (notify) => notify.slack.length > 0,
  create: (notify, deps) => notify.slack.map((config) => createSlackChannel(config, deps)),
};

function createSlackChannel(config: SlackConfig, deps: ChannelDeps): MessageChannel {
  return createPostingChannel('slack', config, deps, async ({ notification }) => {
    const url = await readSecretUrl(config.url, deps.readSecret);
    return [{ url, body: slackMessage(notification, deps), secrets: secretPartsOf(url) }];
  });
}
