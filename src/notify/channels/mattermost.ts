import { postingChannels, targetOf } from './http-post.ts';
import type { Notification } from '../../engine/incident/incident.ts';
import { PAGE_TITLES, type MessageContext, notificationText, type Tone } from '../../document/notification.ts';

const COLORS: Readonly<Record<Tone, string>> = {
  critical: '#D24B4E',
  warning: '#FFBC1F',
  good: '#3DB887',
  neutral: '#439FE0',
};

/**
 * https://developers.mattermost.com/integrate/reference/message-attachments/. The title is part of the text, because
 * some clients interpret Markdown in the field `title` and others do not.
 */
export function mattermostMessage(notification: Notification, context: MessageContext): object {
  const text = notificationText(notification, context);
  const links = [
    { title: PAGE_TITLES[notification.kind], url: text.links.page },
    { title: 'Runbook', url: text.links.runbook },
  ].flatMap(({ title, url }) => (url === null ? [] : [`[${title}](${destination(url)})`]));
  const lines = [
    `**${escaped(text.subject)}**`,
    ...text.paragraphs.map(escaped),
    ...(links.length === 0 ? [] : [links.join(' · ')]),
  ];
  return { attachments: [{ fallback: text.subject, color: COLORS[text.tone], text: lines.join('\n') }] };
}

function destination(url: string): string {
  return url.replaceAll('(', '%28').replaceAll(')', '%29');
}

/**
 * Mattermost always interprets Markdown, and its clients do not all accept the same backslash escapes. All of them
 * decode numeric character references, and none of them searches the result for markup or URLs. Only mentions are
 * searched in the decoded text, so a zero-width space separates "@" from the name.
 */
function escaped(text: string): string {
  return text
    .trim()
    .replaceAll(/[!-/:-@[-`{-~]/gu, (character) => `&#${String(character.codePointAt(0))};`)
    .replaceAll('&#64;', '&#64;\u200B');
}

export const createMattermost = postingChannels(
  'mattermost',
  ({ mattermost }) => mattermost,
  async (service, { notification }, deps) => [
    { ...(await targetOf(service, deps.readSecret)), body: mattermostMessage(notification, deps) },
  ],
);
