import { postingChannels, targetOf } from './http-post.ts';
import type { Notification } from '../../engine/incident/incident.ts';
import { PAGE_TITLES, type MessageContext, notificationText, type Tone } from '../../document/notification.ts';

const COLORS: Readonly<Record<Tone, string>> = {
  critical: 'Attention',
  warning: 'Warning',
  good: 'Good',
  neutral: 'Default',
};

/** Returns the input of the Teams workflow "when a Teams webhook request is received". */
export function adaptiveCardMessage(notification: Notification, context: MessageContext): object {
  const text = notificationText(notification, context);
  const { page, runbook } = text.links;
  const title = { text: text.subject, weight: 'Bolder', size: 'Large', color: COLORS[text.tone] };
  const paragraphs = text.paragraphs.map((paragraph) => ({ text: paragraph }));
  const links = [
    { title: PAGE_TITLES[notification.kind], url: page },
    { title: 'Runbook', url: runbook },
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.2',
    fallbackText: text.subject,
    // Unlike TextBlock and Fact, a TextRun does not interpret Markdown
    // (https://adaptivecards.io/explorer/TextRun.html).
    body: [title, ...paragraphs].map((run) => ({ type: 'RichTextBlock', inlines: [{ type: 'TextRun', ...run }] })),
    actions: links.filter(({ url }) => url !== null).map((link) => ({ type: 'Action.OpenUrl', ...link })),
    msteams: { width: 'full' },
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] };
}

export const createTeams = postingChannels(
  'teams',
  ({ teams }) => teams,
  async (service, { notification }, deps) => [
    { ...(await targetOf(service, deps.readSecret)), body: adaptiveCardMessage(notification, deps) },
  ],
);
