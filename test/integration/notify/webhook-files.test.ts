import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fieldsOf } from '../../../src/core/fields.ts';
import { eventOf, type Notification } from '../../../src/engine/incident/incident.ts';
import { runCommand } from '../../support/process/command-line.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { channelOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { type DocumentedService, SERVICES } from '../../support/notify/documented-services.ts';
import { type JsonReceiver, jsonReceiver } from '../../support/notify/json-receiver.ts';
import { ACTING_TEXTS } from '../../support/security/markup.ts';
import { HOUR, START, timeline } from '../../support/store/incident-timeline.ts';

const FOLDER = 'deploy/webhooks';
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

const HOSTILE = [
  `"}], "admin": true, '\\\n\r\t\u0000\u001B[31m\u202E {{title}} $& <users/all> <@all> <@personEmail:a@b.example> 👩‍👩‍👧`,
  ...ACTING_TEXTS,
  '<*_中&~>'.repeat(600),
].join('\n');
const CAUSE = causeOf('tls-intercepted', { summary: HOSTILE, remedy: [HOSTILE], product: HOSTILE, impact: HOSTILE });
const LINE = timeline()
  .rounds(3, [CAUSE])
  .wait(5 * HOUR)
  .tick()
  .rounds(5, []);
const [FIRST] = LINE.told;
const DIGEST_ITEMS = 12;
const TOLD: readonly Notification[] = [
  ...LINE.told,
  ...(FIRST?.kind === 'incident' ? [{ ...FIRST, id: 'changed-1', event: 'changed' } as const] : []),
  { kind: 'test', id: 'test-1', at: START },
  {
    kind: 'note',
    id: 'note-1',
    at: START,
    event: 'summary',
    tone: 'warning',
    short: '99.8 % ready',
    action: HOSTILE,
    summary: HOSTILE,
    sections: Array.from({ length: 5 }, (_, index) => ({ title: `${String(index)} ${HOSTILE}`, lines: [HOSTILE] })),
  },
  {
    kind: 'digest',
    id: 'digest-1',
    at: START,
    items:
      FIRST?.kind === 'incident'
        ? Array.from({ length: DIGEST_ITEMS }, () => ({ event: 'firing', incident: FIRST.incident }))
        : [],
    omitted: 0,
    omittedOpen: 0,
    stillOpen: [],
  },
];

/** Returns the sections of a file, with the URL and secrets replaced. */
function sectionsAt(file: string, { path }: DocumentedService, server: string): Readonly<Record<string, unknown>> {
  const notify = fieldsOf(fieldsOf(parse(readFileSync(`${FOLDER}/${file}`, 'utf8')))['notify']);
  return Object.fromEntries(
    Object.entries(notify).map(([key, entries]) => [
      key,
      [entries].flat().map((entry) => {
        const { url, urlFile: _, headersFile, tokenFile, ...rest } = fieldsOf(entry);
        const own = typeof url === 'string' ? new URL(url).pathname : path;
        const headers = headersFile === undefined ? {} : { headersEnv: 'SET_SECRET' };
        return {
          ...rest,
          ...headers,
          ...(tokenFile === undefined ? {} : { tokenEnv: 'SET_SECRET' }),
          url: `${server}${own}`,
        };
      }),
    ]),
  );
}

async function posted(
  file: string,
  service: DocumentedService,
  receiver: JsonReceiver,
  told: readonly Notification[] = TOLD,
): Promise<readonly unknown[]> {
  const sections = sectionsAt(file, service, receiver.url);
  const channel = await channelOf(sections, { env: { SET_SECRET: service.secret ?? '' } });
  const outcomes = [];
  for (const notification of told) outcomes.push(...(await deliverTo(channel, notification)));
  return outcomes.map(({ kind }) => kind);
}

test('each file is sent to a service that checks the documented form', () => {
  expect(FILES).toEqual(
    Object.keys(SERVICES)
      .map((name) => `${name}.yaml`)
      .toSorted(),
  );
  expect(TOLD.map(eventOf)).toEqual(['firing', 'reminder', 'resolved', 'changed', 'test', 'summary', 'digest']);
});

describe.each(Object.entries(SERVICES))('%s.yaml', (name, service) => {
  const file = `${name}.yaml`;

  test('is a valid configuration', async () => {
    const { code, output } = await runCommand(['config', 'check', '--file-only', '-c', `${FOLDER}/${file}`], {});
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  test('sends what the service accepts, in which hostile text does nothing', async () => {
    await using receiver = await jsonReceiver((post) =>
      service.problemsIn(post).length === 0 ? service.accepted : { status: 400, body: 'no' },
    );
    const kinds = await posted(file, service, receiver);
    expect(receiver.posts.flatMap((post) => service.problemsIn(post))).toEqual([]);
    expect(kinds).toEqual(TOLD.map(() => 'sent'));
    expect(receiver.posts).toHaveLength(TOLD.length + (service.hasIncidents === true ? DIGEST_ITEMS - 1 : 0));
    const ids = receiver.posts.flatMap(({ body }) => fieldsOf(fieldsOf(body)['event'])['id'] ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(service.refusals ?? [])('is sent again after 200 with %s', async (body) => {
    await using receiver = await jsonReceiver(() => ({ status: 200, body }));
    expect(await posted(file, service, receiver)).toEqual(TOLD.map(() => 'deferred'));
  });
});

test('servicenow.yaml leaves no alert open after the last incident, although digests were sent', async () => {
  const service = SERVICES['servicenow'];
  if (service === undefined) throw new Error('No such service');
  const alerts = new Map<unknown, string>();
  await using receiver = await jsonReceiver(({ body }) => {
    const [event] = [fieldsOf(body)['records']].flat().map(fieldsOf);
    const severity = String(event?.['severity']);
    if (severity !== '5') alerts.set(event?.['message_key'], severity);
    return service.accepted;
  });
  const open = () => [...alerts.values()].filter((severity) => severity !== '0').toSorted();
  const send = (told: readonly Notification[]) => posted('servicenow.yaml', service, receiver, told);
  const causes = ['a', 'b', 'c', 'd', 'e'].map((subject) => causeOf('mail-slow', { subject, severity: 'warning' }));
  const line = timeline().rounds(3, [CAUSE, ...causes]);
  const before = line.told.length;
  expect(line.told.map(eventOf)).toContain('digest');

  await send(line.told);
  expect(open()).toEqual(['1', '4', '4', '4', '4', '4']);
  await send(line.rounds(5, []).told.slice(before));
  expect(line.told.slice(before).map(eventOf)).toContain('digest');
  await send(TOLD.filter(({ kind }) => kind === 'test' || kind === 'note'));
  expect(open()).toEqual([]);
});

test('splunk.yaml: the end of an incident in a digest is no all-clear while others in it are open', async () => {
  const service = SERVICES['splunk'];
  if (service === undefined || FIRST?.kind !== 'incident') throw new Error('No such service or message');
  const { incident } = FIRST;
  const items = [
    { event: 'firing', incident },
    { event: 'resolved', incident: { ...incident, id: 'other', status: 'closed' } },
  ] as const;
  const digest = {
    kind: 'digest',
    id: 'digest-1',
    at: START,
    items,
    omitted: 0,
    omittedOpen: 0,
    stillOpen: [],
  } as const;
  await using receiver = await jsonReceiver(() => service.accepted);

  await posted('splunk.yaml', service, receiver, [digest]);
  expect(receiver.posts.map(({ body }) => fieldsOf(fieldsOf(body)['event']))).toMatchObject([
    { id: 'digest-1-1', event: 'firing', tone: 'critical', incident: incident.id },
    { id: 'digest-1-2', event: 'resolved', tone: 'critical', incident: 'other' },
  ]);
});
