import fc from 'fast-check';
import { anyText } from '../../../support/security/any-text.ts';
import { describe, expect, test } from 'vitest';
import type { Notification } from '../../../../src/engine/incident/incident.ts';
import { mattermostMessage } from '../../../../src/notify/channels/mattermost.ts';
import { ntfyMessage } from '../../../../src/notify/channels/ntfy.ts';
import { pagerdutyEvents } from '../../../../src/notify/channels/pagerduty.ts';
import { slackMessage } from '../../../../src/notify/channels/slack.ts';
import { adaptiveCardMessage } from '../../../../src/notify/channels/teams.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { AT_PUBLIC_HQ } from '../../../support/notify/channel-bench.ts';
import { timeline } from '../../../support/store/incident-timeline.ts';
import { samples } from '../../../support/random/samples.ts';

/** Returns a notification of a beginning, and a digest with an end. All their texts contain this one. */
function toldOf(text: string): readonly Notification[] {
  const of = (subject: string) =>
    causeOf('tls-intercepted', { subject, summary: text, impact: text, remedy: [text], product: text });
  const causes = Array.from({ length: 40 }, (_, index) => of(`${text}${String(index)}`));
  return timeline().rounds(3, causes).rounds(8, []).told;
}

const HOSTILE = fc.oneof(
  anyText(3_000),
  fc.constantFrom(
    '<!channel> <https://evil.example|click> &amp; *bold*',
    '@channel [Log in](https://evil.example) www.evil.example &#64;all \\@here',
    '[click](https://evil.example) **b**',
    '\n'.repeat(2_000),
    '€'.repeat(3_000),
    '<'.repeat(3_000),
  ),
);

interface SlackMessage {
  readonly attachments: readonly [
    Readonly<Record<'title' | 'text' | 'fallback', string>> & { readonly mrkdwn_in: unknown },
  ];
}

interface CardMessage {
  readonly attachments: readonly [
    {
      readonly content: {
        readonly body: readonly { readonly type: string; readonly inlines: readonly { readonly type: string }[] }[];
        readonly actions: readonly { readonly url: string }[];
      };
    },
  ];
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** What holds for each message about texts of strangers. */
const LIMITS: Readonly<Record<string, (notification: Notification) => void>> = {
  'mention nobody in Slack, and hide no link behind other words': (notification) => {
    const { attachments } = slackMessage(notification, AT_PUBLIC_HQ) as SlackMessage;
    const [attachment] = attachments;
    const texts = [attachment.title, attachment.text, attachment.fallback].join('\n');
    // https://docs.slack.dev/messaging/formatting-message-text#escaping
    expect(texts).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/u);
    expect(attachment.mrkdwn_in).toEqual([]);
    // Longer texts are cut: https://api.slack.com/changelog/2018-04-truncating-really-long-messages.
    expect(texts.length).toBeLessThan(40_000);
  },
  'mention nobody in Mattermost, and are neither markup nor links': (notification) => {
    const { attachments } = mattermostMessage(notification, AT_PUBLIC_HQ) as SlackMessage;
    const [title = '', ...rest] = attachments[0].text.split('\n');
    const links = rest.pop();
    expect(links).toMatch(/^\[(?:Incidents?|Status page)\]\(https:\/\/monitor\.example\.org\/[^)]*\)/u);
    expect(title).toMatch(/^\*\*.+\*\*$/u);
    const texts = [title.slice(2, -2), ...rest];
    for (const one of texts) {
      // Only letters, digits, spaces and references are left, so that no rule of any Markdown parser applies.
      expect(one).toMatch(/^(?! )(?:[0-9A-Za-z ]|&#\d{2,3};|[^\p{ASCII}])*$/u);
      // The server searches the decoded text for mentions.
      expect(one).not.toMatch(/&#64;(?!\u200B)/u);
    }
    expect(texts.join('\n').length).toBeLessThan(100_000);
  },
  'stand in a card as runs of text alone, and it stays within what Teams takes': (notification) => {
    const message = adaptiveCardMessage(notification, AT_PUBLIC_HQ) as CardMessage;
    const { body, actions } = message.attachments[0].content;
    expect(new Set(body.map(({ type }) => type))).toEqual(new Set(['RichTextBlock']));
    expect(new Set(body.flatMap(({ inlines }) => inlines.map(({ type }) => type)))).toEqual(new Set(['TextRun']));
    for (const { url } of actions) expect(url).toMatch(/^https:\/\/monitor\.example\.org\//u);
    // "about 28 KB": https://learn.microsoft.com/en-us/connectors/teams/#known-issues-and-limitations
    expect(bytesOf(message)).toBeLessThan(28_000);
  },
  'stay within what PagerDuty takes': (notification) => {
    for (const event of pagerdutyEvents(notification, AT_PUBLIC_HQ)) {
      expect(event.dedup_key).toMatch(/^[0-9a-f]{64}$/u);
      if (event.event_action === 'resolve') continue;
      // https://developer.pagerduty.com/docs/send-alert-event: 1024 characters, and 512 KB in total.
      expect(event.payload.summary.length).toBeLessThanOrEqual(1024);
      expect(event.payload.source).not.toBe('');
      expect(bytesOf(event)).toBeLessThan(512_000);
    }
  },
  'stay within what ntfy takes as a message': (notification) => {
    const { message, title } = ntfyMessage(notification, AT_PUBLIC_HQ) as Record<'message' | 'title', string>;
    // https://docs.ntfy.sh/publish/#limitations
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096);
    expect(message).not.toBe('');
    expect(title.length).toBeLessThanOrEqual(60);
  },
};

describe('texts of strangers', () => {
  test.each(Object.entries(LIMITS))('%s', (_, holds) => {
    fc.assert(
      fc.property(HOSTILE, (text) => toldOf(text).forEach(holds)),
      { numRuns: samples(5) },
    );
  });
});
