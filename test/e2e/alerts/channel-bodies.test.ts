import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { faultKey } from '../../../src/document/notification.ts';
import { startAlertmanagerFor } from '../../support/monitoring/alertmanager-process.ts';
import { channelsOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { jsonReceiver, type JsonReceiver } from '../../support/notify/json-receiver.ts';
import { describeWhere } from '../../support/process/privilege.ts';

/**
 * Runs Debian's apprise with its POST requests intercepted instead of sent. The requests are printed as one JSON
 * object per line.
 */
const SCRIPT = `
import json, sys, apprise
from unittest import mock

class Taken:
    status_code = 202
    content = b''
    headers = {}

def post(url, **how):
    print(json.dumps({'url': url, 'body': json.loads(how.get('data') or json.dumps(how.get('json')))}))
    return Taken()

with mock.patch('requests.post', post):
    for url in sys.argv[1:]:
        way = apprise.Apprise()
        way.add(url)
        way.notify(title='Title', body='Body', notify_type='failure')
`;

/** Returns the body that apprise posts for an apprise URL. @throws if it posts nothing */
function appriseBody(url: string): unknown {
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', SCRIPT, url], { encoding: 'utf8', timeout: 60_000 });
  const [line = ''] = stdout.split('\n');
  if (line === '') throw new Error(`apprise posted nothing:\n${stderr}`);
  return (JSON.parse(line) as { readonly body: unknown }).body;
}

/**
 * Returns the fields of a JSON value with their types, such as `attachments[].title: string`, sorted and without
 * duplicates.
 */
function shapeOf(value: unknown, path = ''): readonly string[] {
  return [...new Set(linesOf(value, path))].toSorted();
}

function linesOf(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => linesOf(item, `${path}[]`));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, inner]) => linesOf(inner, path === '' ? key : `${path}.${key}`));
  return [`${path}: ${value === null ? 'null' : typeof value}`];
}

const KEY = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const PATIENCE = { timeout: 20_000 };

/**
 * Returns what Alertmanager and ftm-watch post when an alert starts and ends, by the path of each service in this test.
 */
async function bodiesOf(): Promise<Readonly<Record<'ours' | 'theirs', (path: string) => readonly unknown[]>>> {
  await using theirs = await jsonReceiver(({ path }) => (path === '/slack' ? 200 : 202));
  await using ours = await jsonReceiver(({ path }) => (path === '/slack' ? 200 : 202));
  await fromAlertmanager(theirs);
  await fromChannels(ours);
  const of =
    ({ posts }: JsonReceiver) =>
    (path: string): readonly unknown[] =>
      posts.filter((post) => post.path === path).map(({ body }) => body);
  return { ours: of(ours), theirs: of(theirs) };
}

async function fromAlertmanager({ url, posts }: JsonReceiver): Promise<void> {
  const runbook = 'https://monitor.example.org/runbooks/tls-intercepted';
  await using alertmanager = await startAlertmanagerFor({
    slack_configs: [
      { api_url: `${url}/slack`, send_resolved: true, actions: [{ type: 'button', text: 'Runbook', url: runbook }] },
    ],
    pagerduty_configs: [
      {
        url: `${url}/pagerduty`,
        routing_key: KEY,
        send_resolved: true,
        links: [{ href: runbook, text: 'Runbook' }],
        source: 'fortitokenmobile.fortinet.com:443',
        component: 'tls-genuine',
        group: 'hq',
        class: 'tls-intercepted',
      },
    ],
    msteamsv2_configs: [{ webhook_url: `${url}/teams`, send_resolved: true }],
  });
  const told = (of: string, count: number): Promise<void> =>
    expect.poll(() => posts.filter(({ path }) => path === of).length, PATIENCE).toBeGreaterThanOrEqual(count);
  const alert = { labels: { alertname: 'FtmActivationBroken', site: 'hq' }, annotations: { summary: 'Broken' } };
  for (const [count, end] of [{}, { endsAt: new Date().toISOString() }].entries()) {
    await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ ...alert, ...end }]),
    });
    for (const path of ['/pagerduty', '/teams']) await told(path, count + 1);
  }
  await told('/slack', 1);
}

async function fromChannels({ url }: JsonReceiver): Promise<void> {
  const channels = await channelsOf(
    {
      slack: [{ name: 'ops', url: `${url}/slack` }],
      teams: [{ name: 'ops', url: `${url}/teams` }],
      pagerduty: [{ name: 'ops', url: `${url}/pagerduty`, routingKeyEnv: 'SET_SECRET' }],
    },
    { env: { SET_SECRET: KEY } },
  );
  const { told } = timeline()
    .rounds(3, [causeOf('tls-intercepted')])
    .rounds(5, []);
  for (const notification of told)
    for (const channel of channels)
      expect(await deliverTo(channel, notification)).toMatchObject([{ kind: 'sent', recipient: 'ops' }]);
}

/** Lists the fields that only one of them has. */
function differences(ours: unknown, theirs: unknown): Readonly<Record<'more' | 'less', readonly string[]>> {
  const [own, reference] = [shapeOf(ours), shapeOf(theirs)];
  return {
    more: own.filter((line) => !reference.includes(line)),
    less: reference.filter((line) => !own.includes(line)),
  };
}

describeWhere([{ program: 'prometheus-alertmanager' }], "bodies beside those of Debian's Alertmanager", () => {
  it('have the same fields of the same types, and what else they have is documented by the service', async () => {
    const { ours, theirs } = await bodiesOf();

    expect(ours('/slack')).toHaveLength(2);
    // These fields require a token for the web API or are empty.
    expect(differences(ours('/slack')[0], theirs('/slack')[0])).toEqual({
      more: [],
      less: [
        'attachments[].callback_id: string',
        'attachments[].footer: string',
        'attachments[].mrkdwn_in[]: string',
        'username: string',
      ],
    });
    const colors = (bodies: readonly unknown[]) => JSON.stringify(bodies).match(/"color":"(?:danger|good)"/gu);
    expect(colors(ours('/slack'))).toEqual(['"color":"danger"', '"color":"good"']);
    expect(colors(theirs('/slack'))).toContain('"color":"danger"');

    const [begin, end] = ours('/teams');
    expect(ours('/teams')).toHaveLength(2);
    // Runs of a RichTextBlock are not Markdown. The other differences are the envelope and the links.
    expect(differences(begin, theirs('/teams')[0])).toEqual({
      more: [
        'attachments[].content.actions[].title: string',
        'attachments[].content.actions[].type: string',
        'attachments[].content.actions[].url: string',
        'attachments[].content.body[].inlines[].color: string',
        'attachments[].content.body[].inlines[].size: string',
        'attachments[].content.body[].inlines[].text: string',
        'attachments[].content.body[].inlines[].type: string',
        'attachments[].content.body[].inlines[].weight: string',
        'attachments[].content.fallbackText: string',
      ],
      less: [
        'attachments[].content.body[].color: string',
        'attachments[].content.body[].size: string',
        'attachments[].content.body[].style: string',
        'attachments[].content.body[].text: string',
        'attachments[].content.body[].weight: string',
        'attachments[].content.body[].wrap: boolean',
      ],
    });
    for (const [own, reference] of [
      [begin, theirs('/teams')[0]],
      [end, theirs('/teams')[1]],
    ]) {
      const values = (body: unknown) =>
        JSON.stringify(body).match(/"(?:contentType|contentUrl|\$schema|version|width|color)":[^,}]+/gu);
      expect(values(own)?.toSorted()).toEqual(values(reference)?.toSorted());
    }

    const key = faultKey('hq', 'tls-intercepted', 'fortitokenmobile.fortinet.com:443');
    expect(ours('/pagerduty')).toMatchObject([
      { event_action: 'trigger', dedup_key: key, routing_key: KEY, payload: { severity: 'critical' } },
      { event_action: 'resolve', dedup_key: key, routing_key: KEY },
    ]);
    expect(theirs('/pagerduty')).toMatchObject([{ event_action: 'trigger' }, { event_action: 'resolve' }]);
    const isDetail = (line: string): boolean => line.includes('custom_details.');
    const events = differences(ours('/pagerduty')[0], theirs('/pagerduty')[0]);
    expect(events.more.filter((line) => !isDetail(line))).toEqual(['payload.timestamp: string']);
    expect(events.less.filter((line) => !isDetail(line))).toEqual([]);
    expect(differences(ours('/pagerduty')[1], theirs('/pagerduty')[1]).more).toEqual([]);
  });
});

describeWhere([{ program: 'apprise' }], "bodies beside those of Debian's apprise", () => {
  it('have what apprise has, for Workflows, PagerDuty and ntfy', async () => {
    await using receiver = await jsonReceiver(() => 200);
    const { url } = receiver;
    const [firing] = timeline().rounds(3, [causeOf('tls-intercepted')]).told;
    if (firing === undefined) throw new Error('Nothing was told');
    const channels = await channelsOf(
      {
        teams: [{ name: 'ops', url: `${url}/teams` }],
        pagerduty: [{ name: 'ops', url: `${url}/pagerduty`, routingKeyEnv: 'SET_SECRET' }],
        ntfy: [{ name: 'ops', url: `${url}/topic` }],
      },
      { env: { SET_SECRET: KEY } },
    );
    for (const channel of channels) await deliverTo(channel, firing);
    const ours = (path: string) => receiver.posts.find((post) => post.path === path)?.body;

    const card = appriseBody(`workflows://example.org/${'a'.repeat(32)}/${'b'.repeat(40)}`);
    const envelope = (body: unknown) =>
      shapeOf(body).filter((line) => !/\.(?:body|actions|fallbackText)\b/u.test(line));
    expect(envelope(ours('/teams'))).toEqual(envelope(card));

    const event = appriseBody(`pagerduty://${'A'.repeat(20)}@${'B'.repeat(20)}/source/component`);
    expect(differences(ours('/pagerduty'), event).less).toEqual(['images[].alt: string', 'images[].src: string']);

    // apprise sends the other fields as headers.
    expect(differences(ours('/'), appriseBody('ntfy://127.0.0.1:1/topic')).less).toEqual([]);
    expect(ours('/')).toMatchObject({ topic: 'topic' });
  });
});
