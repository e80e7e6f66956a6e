import type * as z from 'zod';
import type { ChannelDefinition, ChannelDeps, MessageChannel } from './channel.ts';
import { authorityFile, secretUrlField } from '../../config/schema/secret.ts';
import { textAt, unique, list, section, minSeverity, recipientName } from '../../config/schema/section.ts';
import { createPostingChannel, readSecretUrl, secretPartsOf } from './http-post.ts';
import type { Notification } from '../../engine/incident/incident.ts';
import {
  PAGE_TITLES,
  type MessageContext,
  notificationText,
  type NotificationText,
  type Tone,
  messageParagraphs,
} from '../../document/notification.ts';

const teamsEntry = section({
  name: recipientName,
  minSeverity,
  url: secretUrlField(
    'Address of a workflow that posts to a channel when a webhook request is received.',
    'https://prod-00.westeurope.logic.azure.com/workflows/x',
  ),
  caFile: authorityFile,
});

type TeamsConfig = z.output<typeof teamsEntry>;

const teamsSection = unique(list(teamsEntry), textAt('name')).describe(
  'Microsoft Teams workflows. Each notification is sent as an Adaptive Card.',
);

/** The input of the Teams workflow "when a Teams webhook request is received". */
interface AdaptiveCardMessage {
  readonly type: 'message';
  readonly attachments: readonly [
    {
      readonly contentType: 'application/vnd.microsoft.card.adaptive';
      readonly contentUrl: null;
      readonly content: AdaptiveCard;
    },
  ];
}

interface AdaptiveCard {
  readonly $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
  readonly type: 'AdaptiveCard';
  readonly version: '1.2';
  readonly fallbackText: string;
  readonly body: readonly RichTextBlock[];
  readonly actions: readonly { readonly type: 'Action.OpenUrl'; readonly title: string; readonly url: string }[];
  readonly msteams: { readonly width: 'full' };
}

interface RichTextBlock {
  readonly type: 'RichTextBlock';
  readonly inlines: readonly [TextRun];
}

/**
 * Unlike TextBlock and Fact, this element does not interpret Markdown (https://adaptivecards.io/explorer/TextRun.html).
 */
interface TextRun {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: 'Bolder';
  readonly size?: 'Large';
  readonly color?: 'Attention' | 'Warning' | 'Good' | 'Default';
}

const COLORS: Readonly<Record<Tone, TextRun['color']>> = {
  critical: 'Attention',
  warning: 'Warning',
  good: 'Good',
  neutral: 'Default',
};

export function adaptiveCardMessage(notification: Notification, context: MessageContext): AdaptiveCardMessage {
  const text = notificationText(notification, context);
  const paragraphs = messageParagraphs(notification, text, context.site);
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.2',
          fallbackText: text.subject,
          body: [titleBlock(text), ...paragraphs.map((paragraph) => block({ type: 'TextRun', text: paragraph }))],
          actions: actionsOf(text, PAGE_TITLES[notification.kind]),
          msteams: { width: 'full' },
        },
      },
    ],
  };
}

function titleBlock({ subject, tone }: NotificationText): RichTextBlock {
  return block({ type: 'TextRun', text: subject, weight: 'Bolder', size: 'Large', color: COLORS[tone] ?? 'Default' });
}

function block(run: TextRun): RichTextBlock {
  return { type: 'RichTextBlock', inlines: [run] };
}

function actionsOf({ links: { page, runbook } }: NotificationText, pageTitle: string): AdaptiveCard['actions'] {
  const links = [
    { title: pageTitle, url: page },
    { title: 'Runbook', url: runbook },
  ];
  return links.flatMap(({ title, url }) => (url === null ? [] : [{ type: 'Action.OpenUrl', title, url }]));
}

export const teams: ChannelDefinition<'teams', 'teams', readonly TeamsConfig[]> = {
  id: 'teams',
  name: 'Microsoft Teams',
  kind: 'messages',
  recipients: 'name',
  key: 'teams',
  section: teamsSection,
  isConfigured: (notify) => notify.teams.length > 0,
  create: (notify, deps) => notify.teams.map((config) => createTeamsChannel(config, deps)),
};

function createTeamsChannel(config: TeamsConfig, deps: ChannelDeps): MessageChannel {
  return createPostingChannel('teams', config, deps, async ({ notification }) => {
    const url = await readSecretUrl(config.url, deps.readSecret);
    return [{ url, body: adaptiveCardMessage(notification, deps), secrets: secretPartsOf(url) }];
  });
}
