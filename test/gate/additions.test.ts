import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DiagnosisJson } from '../../src/checks/diagnosis-json.ts';
import { freePort } from '../support/network/free-port.ts';
import { jsonReceiver, type JsonReceiver } from '../support/notify/json-receiver.ts';
import { copiedTree, type CopiedTree } from '../support/process/copied-tree.ts';
import { startDaemonProcess } from '../support/process/daemon-process.ts';
import { runFtmWatch } from '../support/process/ftm-watch.ts';

/** The compiler alone takes ten seconds, or a minute on a busy machine. */
const COMPILING = 180_000;

const CAUSES = `import type { CauseWords } from '../../engine/model.ts';

export const SAMPLE_CAUSES = {
  'sample-fault': {
    severity: 'warning',
    name: 'the sample[ {subject}] is at fault',
    summary: 'The sample {subject} is at fault.',
    impact: 'none',
    remedy: ['Replace the sample.'],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type SampleCause = keyof typeof SAMPLE_CAUSES;
`;

const JUDGE = `import { unknown, type Finding } from '../../engine/model.ts';
import type { Declaration } from '../check.ts';
import { judged } from '../judgement.ts';
import { SAMPLE_CAUSES, type SampleCause } from './causes.ts';

export const sample: Declaration<'sample', SampleCause> = {
  id: 'sample',
  title: 'Sample',
  dependsOn: [],
  countsForReady: false,
  causes: SAMPLE_CAUSES,
  unknownRemedy: 'Give it a sample.',
  place: { kind: 'branch', name: 'Sample place', hint: 'of a stranger' },
  step: 'code',
  sources: ['round'],
  judge: ({ round: { targets } }) => judged(judgeSample(targets[0].path.subject), 'The sample is fine'),
};

function judgeSample(subject: string): readonly Finding<SampleCause>[] {
  const told = { rule: 'sample-fits', subject, claim: 'There is no sample.', expected: 'A sample' };
  return [
    { ...told, level: 'warning', suggests: 'sample-fault' },
    unknown({ ...told, claim: 'Nobody knows the second sample.' }),
  ];
}
`;

const PAGERS = `const pagersSection = list(
  section({ url: webUrl('https://pager.example.org').describe('Where the pager is.') }),
).describe('Pagers.');

`;

const PAGER_ENTRY = `  {
    id: 'pager',
    name: 'pager',
    kind: 'messages',
    recipients: 'url',
    isProxied: true,
    key: 'pagers',
    section: pagersSection,
  },
`;

const PAGER = `import type { ChannelsConfig } from '../../config/schema/channels.ts';
import type { Channel, ChannelDeps, MessageChannel } from './channel.ts';
import { postJson } from './http-post.ts';

type PagerConfig = ChannelsConfig['pagers'][number];

export function createPagers({ pagers }: Pick<ChannelsConfig, 'pagers'>, deps: ChannelDeps): readonly Channel[] {
  return pagers.map((config) => createPager(config, deps));
}

function createPager({ url }: PagerConfig, deps: ChannelDeps): MessageChannel {
  return {
    kind: 'messages',
    id: 'pager',
    recipients: [url],
    minSeverity: 'warning',
    async deliver({ notification, recipients }, signal) {
      const body = { site: deps.site, id: notification.id };
      const outcome = await postJson({ url, body, authorization: null, secrets: [], caFile: null }, deps, signal);
      return recipients.map((recipient) => ({ recipient, ...outcome }));
    },
  };
}
`;

let tree: CopiedTree;
let receiver: JsonReceiver;
let status = 200;
let main = '';

/** Adds a check, which is a folder and a place in the registry, and a channel: a section, a file and a line. */
beforeAll(async () => {
  tree = copiedTree();
  main = join(tree.root, 'src/main.ts');
  const checks = 'src/checks/registry.ts';
  tree.write('src/checks/sample/causes.ts', CAUSES);
  tree.write('src/checks/sample/judge.ts', JUDGE);
  tree.replace(checks, 'import { tlsGenuine }', "import { sample } from './sample/judge.ts';\nimport { tlsGenuine }");
  tree.replace(checks, '  clock,\n', '  sample,\n  clock,\n');
  const channels = 'src/notify/channels/registry.ts';
  tree.write('src/notify/channels/pager.ts', PAGER);
  tree.replace(
    channels,
    '  alertmanager: createAlertmanager,\n',
    '  alertmanager: createAlertmanager,\n  pager: createPagers,\n',
  );
  tree.replace(
    channels,
    'import { createSlack }',
    "import { createPagers } from './pager.ts';\nimport { createSlack }",
  );
  const sections = 'src/config/schema/channels.ts';
  tree.replace(sections, '/** All other lists of channels', `${PAGERS}/** All other lists of channels`);
  tree.replace(
    sections,
    '] as const satisfies readonly ChannelDefinition[]',
    `${PAGER_ENTRY}] as const satisfies readonly ChannelDefinition[]`,
  );
  receiver = await jsonReceiver(() => status);
  // Nothing listens at the licence server's port, so the first round has something to report.
  const config = {
    site: 'hq',
    licenseServer: { host: '127.0.0.1', port: await freePort() },
    controlHosts: [],
    resolvers: ['udp://127.0.0.1:1'],
    schedule: { probes: '* * * * * *' },
    notify: { pagers: [{ url: receiver.url }], policy: { confirmations: 1 } },
    web: { listen: '127.0.0.1:0' },
    store: { path: 'history.sqlite' },
  };
  tree.write('ftm-watch.yaml', JSON.stringify(config));
});

afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  tree[Symbol.dispose]();
});

function run(...args: readonly string[]): ReturnType<typeof runFtmWatch> {
  return runFtmWatch([...args, '-c', 'ftm-watch.yaml'], { cwd: tree.root, main });
}

test('the types of the whole tree fit', { timeout: COMPILING }, () => {
  const tsc = join(tree.root, 'node_modules/.bin/tsc');
  expect(execFileSync(tsc, ['-p', '.'], { cwd: tree.root, encoding: 'utf8' })).toBe('');
});

test('"npm run generate" writes what follows', () => {
  execFileSync(process.execPath, ['tools/generate/run.ts'], { cwd: tree.root });
  const read = (path: string): string => readFileSync(join(tree.root, path), 'utf8');
  expect(read('docs/runbooks/README.md')).toContain(
    '## Sample\n\n- [sample-fault](sample-fault.md): the sample is at fault\n',
  );
  expect(read('docs/runbooks/sample-fault.md')).toContain('1. Replace the sample.');
  expect(read('docs/configuration.md')).toMatch(/^\| `notify\.pagers\[\]\.url` \|.*\| Where the pager is\. \|$/mu);
  expect(read('deploy/helm/ftm-watch/values.schema.json')).toContain('"Where the pager is."');
});

describe('the check', () => {
  test('has its state in "check --json", and its cause in its own words', async () => {
    const { preconditions, causes } = JSON.parse((await run('check', '--json')).stdout) as DiagnosisJson;
    expect(preconditions.find(({ id }) => id === 'sample')).toMatchObject({ state: 'unknown' });
    const summary = expect.stringMatching(/^The sample 127\.0\.0\.1:\d+ is at fault\.$/u) as unknown;
    expect(causes).toContainEqual(expect.objectContaining({ id: 'sample-fault', precondition: 'sample', summary }));
  });
});

describe('the channel', () => {
  test('has its section in the configuration and in its schema', async () => {
    expect(await run('config', 'check')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await run('config', 'print')).stdout).toContain(`  pagers:\n    - url: ${receiver.url}\n`);
    const schema = await runFtmWatch(['config', 'schema'], { cwd: tree.root, main });
    expect(JSON.parse(schema.stdout)).toHaveProperty(
      'properties.notify.properties.pagers.items.properties.url.description',
      'Where the pager is.',
    );
  });

  test('delivers the test message', async () => {
    const { exitCode, stdout } = await run('notify', 'test');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(receiver.url) });
    expect(receiver.posts.map(({ body }) => body)).toEqual([{ site: 'hq', id: expect.stringMatching(/^test-/u) }]);
  });
});

test('the daemon has their metrics at zero and shows them on the page, and delivers what waited', async () => {
  receiver.posts.length = 0;
  status = 503;
  const options = { cwd: tree.root, args: ['-c', 'ftm-watch.yaml'], main };
  const textOf = async (url: string): Promise<string> => (await fetch(url)).text();
  {
    await using before = startDaemonProcess(options);
    await before.logged('notification-deferred');
    const metrics = (await textOf(`${await before.page()}/metrics`)).split('\n');
    for (const series of [
      'ftm_precondition_state{precondition="sample",state="broken"} 0',
      ...['sent', 'rejected', 'expired'].map(
        (result) => `ftm_notifications_total{channel="pager",result="${result}"} 0`,
      ),
      'ftm_notification_last_success_timestamp_seconds{channel="pager"} 0',
    ])
      expect(metrics).toContain(series);
    for (const pattern of [
      /^ftm_cause_active\{cause="sample-fault",severity="warning"\} [01]$/u,
      /^ftm_notifications_pending\{channel="pager"\} [1-9]/u,
    ])
      expect(metrics).toContainEqual(expect.stringMatching(pattern));
    await before.end('SIGKILL');
  }
  const waiting = receiver.posts.map(({ body }) => body)[0];
  receiver.posts.length = 0;
  status = 200;
  await using after = startDaemonProcess(options);
  // The first notification reports the crash.
  await after.logged('notification-delivered', 1);
  expect(receiver.posts.map(({ body }) => body)).toContainEqual(waiting);
  const page = await after.page();
  await expect.poll(() => textOf(`${page}/metrics`)).toContain('ftm_notifications_pending{channel="pager"} 0\n');
  const html = await textOf(`${page}/`);
  for (const part of ['Sample place', '<li id="sample"', 'by pager to http']) expect(html).toContain(part);
});
