import { cutToBytes } from '../../../core/cut-bytes.ts';
import type { Notification } from '../../../engine/incident/notification.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { notificationText, type Tone } from '../../message/notification-text.ts';
import { messageParagraphs } from '../message-paragraphs.ts';

/**
 * What is published as JSON (https://docs.ntfy.sh/publish/#publish-as-json), without the topic. Headers, the other
 * way, take no text beyond ASCII as it is.
 */
export interface NtfyMessage {
  readonly title: string;
  readonly message: string;
  /** 5: it rings and vibrates for long; 3: the usual. */
  readonly priority: 3 | 4 | 5;
  readonly tags: readonly string[];
  readonly click?: string;
  readonly actions?: readonly { readonly action: 'view'; readonly label: string; readonly url: string }[];
}

/** What is longer becomes a file (https://docs.ntfy.sh/publish/#limitations). */
const MAX_BYTES = 4096;

const LOOKS: Readonly<Record<Tone, Pick<NtfyMessage, 'priority' | 'tags'>>> = {
  critical: { priority: 5, tags: ['rotating_light'] },
  warning: { priority: 4, tags: ['warning'] },
  good: { priority: 3, tags: ['white_check_mark'] },
  neutral: { priority: 3, tags: [] },
};

export function ntfyMessage(notification: Notification, context: MessageContext): NtfyMessage {
  const text = notificationText(notification, context);
  const { page, runbook } = text.links;
  return {
    title: text.subject,
    message: cutToBytes(messageParagraphs(notification, text, context.site).join('\n\n'), MAX_BYTES),
    ...LOOKS[text.tone],
    ...(page === null ? {} : { click: page }),
    ...(runbook === null ? {} : { actions: [{ action: 'view', label: 'Runbook', url: runbook }] }),
  };
}
