import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { channelOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';

const SECRET = 'signing secret "/+ä';
const HOSTILE = '"}, "admin": true, "x": {"{{site}} $& \\ \n';
const { told: TOLD } = timeline()
  .rounds(2, [causeOf('tls-intercepted', { summary: HOSTILE, remedy: [HOSTILE] })])
  .rounds(5, []);
/** The placeholders that docs/alerting.md lists. */
const NAMES = 'id event site time tone title text cause subject severity incident key page runbook'.split(' ');
const TEMPLATE = JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, `{{${name}}}`])));

/** Returns what is posted to a webhook with these keys when an incident starts and ends. */
async function posted(keys: object): Promise<Awaited<ReturnType<typeof jsonReceiver>>['posts']> {
  await using receiver = await jsonReceiver();
  const sections = { webhooks: [{ name: 'chat', url: `${receiver.url}/hook`, ...keys }] };
  const channel = await channelOf(sections, { env: { SET_SECRET: SECRET } });
  for (const notification of TOLD) expect(await deliverTo(channel, notification)).toMatchObject([{ kind: 'sent' }]);
  return receiver.posts;
}

describe('a web hook with a template', () => {
  it('posts that JSON, with every place filled in and nothing else changed', async () => {
    const [begin, end] = (await posted({ template: TEMPLATE })).map(
      ({ body }) => body as Readonly<Record<string, string>>,
    );
    expect(Object.keys(begin ?? {})).toEqual(NAMES);
    expect(begin).toMatchObject({
      event: 'firing',
      site: 'hq',
      time: '2026-11-24T13:00:30.000Z',
      tone: 'critical',
      title: 'CRITICAL FTM hq: TLS is intercepted',
      cause: 'tls-intercepted',
      subject: 'fortitokenmobile.fortinet.com:443',
      severity: 'critical',
      runbook: 'https://monitor.example.org/runbooks/tls-intercepted',
      page: `https://monitor.example.org/incidents/${String(begin?.['incident'])}`,
    });
    // Text from an unknown sender remains text. Its keys, placeholders and patterns have no effect.
    expect(begin?.['text']).toContain(String.raw`"}, "admin": true, "x": {"{{site}} \$& \\ `);
    expect(end).toMatchObject({ event: 'resolved', tone: 'good', key: begin?.['key'] });
    expect(end?.['id']).not.toBe(begin?.['id']);
  });

  it('is signed over what it posts, by the id of the notification', async () => {
    const posts = await posted({ template: TEMPLATE, signingSecretEnv: 'SET_SECRET' });
    expect(posts).toHaveLength(2);
    for (const [index, { headers, text }] of posts.entries()) {
      const id = TOLD[index]?.id ?? '';
      const time = String(headers['webhook-timestamp']);
      const expected = createHmac('sha256', SECRET).update(`${id}.${time}.${text}`).digest('base64');
      expect(headers['webhook-id']).toBe(id);
      expect(headers['webhook-signature']).toBe(`v1,${expected}`);
      expect(Math.abs(Number(time) - Date.now() / 1_000)).toBeLessThan(60);
    }
  });

  it('is not signed where that is not asked', async () => {
    const [post] = await posted({});
    expect(Object.keys(post?.headers ?? {}).filter((name) => name.startsWith('webhook-'))).toEqual([]);
    expect(post?.body).toMatchObject({ version: 2, event: 'firing' });
  });
});
