import { describe, expect, test } from 'vitest';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { channelsOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { postingSection } from '../../support/notify/posting-channels.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { ACTING_TEXTS, actsIn, type Medium } from '../../support/security/markup.ts';

/** Returns the first body that is posted about an incident whose texts are all this text. */
async function posted(id: 'slack' | 'webhook', text: string, template?: string): Promise<unknown> {
  await using receiver = await jsonReceiver();
  const [channel] = await channelsOf(
    postingSection(id, `${receiver.url}/hook`, template === undefined ? {} : { template }),
  );
  const [firing] = timeline().rounds(2, [
    causeOf('tls-intercepted', { summary: text, remedy: [text], product: text }),
  ]).told;
  if (channel === undefined || firing === undefined) throw new Error('Nothing was sent');
  expect(await deliverTo(channel, firing)).toMatchObject([{ kind: 'sent' }]);
  return receiver.posts[0]?.body;
}

async function slackTexts(text: string): Promise<string> {
  const { attachments } = (await posted('slack', text)) as {
    readonly attachments: readonly Readonly<Record<'title' | 'text' | 'fallback', string>>[];
  };
  return attachments.map(({ title, text: own, fallback }) => [title, own, fallback].join('\n')).join('\n');
}

async function filledTemplate(text: string, template: string): Promise<string> {
  return String(
    ((await posted('webhook', text, JSON.stringify({ template }))) as { readonly template: string }).template,
  );
}

describe('texts that act', () => {
  test.each(ACTING_TEXTS)('%s acts in at least one medium', (text) => {
    const media: readonly Medium[] = ['slack', 'discord', 'github', 'teams'];
    expect(media.flatMap((medium) => actsIn(medium, text))).not.toEqual([]);
  });

  test.each(ACTING_TEXTS)('%s does not act in Slack', async (text) => {
    expect(actsIn('slack', await slackTexts(text))).toEqual([]);
  });

  test.each(ACTING_TEXTS)('%s does not act in Discord or on GitHub through a webhook template', async (text) => {
    const filled = await filledTemplate(text, '{{title}}\n{{text}}');
    expect(actsIn('discord', filled)).toEqual([]);
    expect(actsIn('github', filled)).toEqual([]);
    // Three braces insert the unchanged text.
    expect(await filledTemplate(text, '{{{ text }}}')).toBe(`${text}\n${text}`);
  });

  test("Fortinet's status page stays a link", async () => {
    const text = 'First check https://status.fortistatus.com/guest-portal/fortitoken/incident/overview for incidents.';
    expect(await slackTexts(text)).toContain(text);
    expect(await filledTemplate(text, '{{text}}')).toContain(text);
  });
});
