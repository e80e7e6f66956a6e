import { describe, expect, test } from 'vitest';
import type { ChannelId } from '../../../src/config/schema/channels.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { channelOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { POSTING_CHANNELS, postingSection } from '../../support/notify/posting-channels.ts';
import { firingOf } from '../../support/notify/outbox-entry-of.ts';
import { ACTING_TEXTS, actsIn, MEDIA, type Medium } from '../../support/security/markup.ts';

interface Service {
  readonly medium: Medium;
  /** Returns the texts of a message, without ftm-watch's own markup. */
  textsOf(body: unknown): readonly string[];
}

/** Null if the service displays plain text: TextRun in Teams, PagerDuty's fields, ntfy, and JSON for programs. */
const SERVICES: Readonly<Partial<Record<ChannelId, Service | null>>> = {
  slack: { medium: 'slack', textsOf: (body) => attachmentOf(body).texts },
  mattermost: {
    medium: 'mattermost',
    textsOf: (body) => {
      const [title = '', ...lines] = attachmentOf(body).text.split('\n');
      // The last line consists of the links to the page and the runbook.
      return [title.slice('**'.length, -'**'.length), ...lines.slice(0, -1)];
    },
  },
  teams: null,
  pagerduty: null,
  ntfy: null,
  webhook: null,
};

function attachmentOf(body: unknown): { readonly text: string; readonly texts: readonly string[] } {
  const { attachments } = body as { readonly attachments: readonly [Readonly<Record<string, string>>] };
  const [{ title = '', text = '', fallback = '' }] = attachments;
  return { text, texts: [title, text, fallback] };
}

/** Returns the body that is posted about an incident whose texts are all this text. */
async function posted(id: ChannelId, text: string, keys: object = {}): Promise<unknown> {
  await using receiver = await jsonReceiver();
  const channel = await channelOf(postingSection(id, `${receiver.url}/hook`, keys), { env: { SET_SECRET: 'key' } });
  const cause = causeOf('tls-intercepted', { summary: text, remedy: [text], product: text });
  expect(await deliverTo(channel, firingOf(cause))).toMatchObject([{ kind: 'sent' }]);
  return receiver.posts[0]?.body;
}

async function filledTemplate(text: string, template: string): Promise<unknown> {
  return posted('webhook', text, { template: JSON.stringify(template) });
}

describe('texts that act', () => {
  test('act in at least one medium, and each medium lets one act', () => {
    for (const text of ACTING_TEXTS) expect(MEDIA.filter((medium) => actsIn(medium, text).length > 0)).not.toEqual([]);
    for (const medium of MEDIA) expect(actsIn(medium, ACTING_TEXTS.join('\n')).length).toBeGreaterThan(5);
  });

  test('are considered for each service', () => {
    expect(Object.keys(SERVICES).toSorted()).toEqual(POSTING_CHANNELS.toSorted());
  });

  test.each(POSTING_CHANNELS)('do not act in the messages of %s', async (id) => {
    const service = SERVICES[id] ?? null;
    if (service === null) return;
    for (const text of ACTING_TEXTS) {
      const texts = service.textsOf(await posted(id, text));
      expect(texts.join('').length).toBeGreaterThan(text.length);
      for (const one of texts) expect(actsIn(service.medium, one)).toEqual([]);
    }
  });

  test.each(ACTING_TEXTS)('do not act in Discord or on GitHub through a webhook template: %s', async (text) => {
    const filled = String(await filledTemplate(text, '{{title}}\n{{text}}'));
    expect(actsIn('discord', filled)).toEqual([]);
    expect(actsIn('github', filled)).toEqual([]);
    // Three braces insert the unchanged text.
    const unchanged = String(await filledTemplate(text, '{{{ text }}}'));
    expect([unchanged.startsWith(text), unchanged.endsWith(text)]).toEqual([true, true]);
  });

  test("do not prevent links to Fortinet's status page", async () => {
    const text = 'First check https://status.fortistatus.com/guest-portal/fortitoken/incident/overview for incidents.';
    expect(attachmentOf(await posted('slack', text)).text).toContain(text);
    expect(await filledTemplate(text, '{{text}}')).toContain(text);
  });
});
