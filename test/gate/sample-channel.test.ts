import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copiedTree, type CopiedTree } from '../support/process/copied-tree.ts';
import { startDaemonProcess } from '../support/process/daemon-process.ts';
import { freePort } from '../support/network/free-port.ts';
import { runFtmWatch } from '../support/process/ftm-watch.ts';
import { jsonReceiver, type JsonReceiver } from '../support/notify/json-receiver.ts';

/** The compiler alone takes ten seconds, or a minute on a busy machine. */
const COMPILING = 180_000;
/** The files that are written to add a channel. */
const PAGER = `import type * as z from 'zod';
import { webUrl } from '../../config/schema/endpoints.ts';
import { list, section } from '../../config/schema/section.ts';
import type { ChannelDefinition, ChannelDeps, MessageChannel } from './channel.ts';
import { postJson } from './http-post.ts';

const pagers = list(section({ url: webUrl('https://pager.example.org').describe('Where the pager is.') }))
  .prefault([])
  .describe('Pagers.');

type PagerConfig = z.output<typeof pagers>[number];

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

export const pager: ChannelDefinition<'pager', 'pagers', readonly PagerConfig[]> = {
  id: 'pager',
  name: 'pager',
  kind: 'messages',
  recipients: 'url',
  isProxied: true,
  key: 'pagers',
  section: pagers,
  create: (notify, deps) => notify.pagers.map((config) => createPager(config, deps)),
};
`;

describe('a channel that is added as a file and a line', () => {
  let tree: CopiedTree;
  let receiver: JsonReceiver;
  let status = 200;
  let main = '';

  beforeAll(async () => {
    tree = copiedTree();
    main = join(tree.root, 'src/main.ts');
    const registry = 'src/notify/channels/registry.ts';
    tree.write('src/notify/channels/pager.ts', PAGER);
    tree.replace(registry, 'alertmanager] as const', 'alertmanager, pager] as const');
    tree.replace(registry, 'import { webhook }', "import { pager } from './pager.ts';\nimport { webhook }");
    receiver = await jsonReceiver(() => status);
    // Nothing listens at the licence server's port, so the first round has something to report.
    const config = {
      site: 'hq',
      licenseServer: { host: '127.0.0.1', port: await freePort() },
      controlHosts: [],
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

  test('keeps the types', { timeout: COMPILING }, () => {
    const { stdout, status: code } = spawnSync('node_modules/.bin/tsc', ['-p', '.'], {
      cwd: tree.root,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });

  test('has its section in the configuration, and in its schema', async () => {
    const run = (...args: readonly string[]) => runFtmWatch(args, { cwd: tree.root, main });
    const checked = await run('config', 'check', '-c', 'ftm-watch.yaml');
    expect(checked).toMatchObject({ exitCode: 0, stderr: '' });
    expect(checked.stdout).toContain('ftm-watch.yaml: the configuration is valid\n');
    expect((await run('config', 'print', '-c', 'ftm-watch.yaml')).stdout).toContain(
      `  pagers:\n    - url: ${receiver.url}\n`,
    );
    expect(JSON.parse((await run('config', 'schema')).stdout)).toHaveProperty(
      'properties.notify.properties.pagers.items.properties.url.description',
      'Where the pager is.',
    );
  });

  test('has its place in what "npm run generate" writes', () => {
    const { status: code, stderr } = spawnSync(process.execPath, ['tools/generate/run.ts'], {
      cwd: tree.root,
      encoding: 'utf8',
    });
    expect([code, stderr]).toEqual([0, '']);
    const read = (path: string): string => readFileSync(join(tree.root, path), 'utf8');
    expect(read('docs/configuration.md')).toMatch(/^\| `notify\.pagers\[\]\.url` \|.*\| Where the pager is\. \|$/mu);
    expect(read('deploy/helm/ftm-watch/values.schema.json')).toContain('"Where the pager is."');
  });

  test('delivers the test message', async () => {
    const { exitCode, stdout } = await runFtmWatch(['notify', 'test', '-c', 'ftm-watch.yaml'], {
      cwd: tree.root,
      main,
    });
    expect(stdout).toBe(`pager ${receiver.url}: sent (HTTP 200: status 200)\n`);
    expect(exitCode).toBe(0);
    expect(receiver.posts.map(({ body }) => body)).toEqual([{ site: 'hq', id: expect.stringMatching(/^test-/u) }]);
  });

  test('has its metrics at zero, and delivers after a restart what waited before it', async () => {
    receiver.posts.length = 0;
    status = 503;
    const options = { cwd: tree.root, args: ['-c', 'ftm-watch.yaml'], main };
    const metricsOf = async (page: string): Promise<readonly string[]> =>
      (await (await fetch(`${page}/metrics`)).text()).split('\n').filter((line) => line.includes('channel="pager"'));
    {
      await using before = startDaemonProcess(options);
      await before.logged('notification-deferred');
      const metrics = await metricsOf(await before.page());
      expect(metrics).toContain('ftm_notifications_pending{channel="pager"} 1');
      for (const result of ['sent', 'rejected', 'expired'])
        expect(metrics).toContain(`ftm_notifications_total{channel="pager",result="${result}"} 0`);
      expect(metrics).toContain('ftm_notification_last_success_timestamp_seconds{channel="pager"} 0');
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
    await expect.poll(() => metricsOf(page)).toContain('ftm_notifications_pending{channel="pager"} 0');
    expect(await (await fetch(`${page}/`)).text()).toContain('by pager to http');
  });
});
