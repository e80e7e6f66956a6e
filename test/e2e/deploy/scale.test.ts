import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { startAlertmanagerCluster } from '../../support/monitoring/alertmanager-cluster.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startPrometheus } from '../../support/monitoring/prometheus-process.ts';
import { startAgent } from '../../support/monitoring/pushing-agent.ts';

const PATIENCE = { timeout: 45_000, interval: 200 };
/** Alertmanager ends an alert 90 s after the incident. */
const LINGERING = { timeout: 135_000, interval: 200 };
const page = readFileSync('docs/scale.md', 'utf8');

/** Returns the blocks in this language in docs/scale.md that contain a word. */
function blocksWith(language: string, word: string): readonly string[] {
  return [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gmu)]
    .filter(([, kind, text]) => kind === language && text?.includes(word))
    .map(([, , text = '']) => text);
}

/** Returns the cluster flags of each member. */
function clusterFlags(): readonly (readonly string[])[] {
  const [block = ''] = blocksWith('sh', '--cluster.peer');
  return block
    .split('\n')
    .map((line) => line.match(/--cluster\.\S+/gu) ?? [])
    .filter((flags) => flags.length > 0);
}

/** Creates a folder for a Prometheus with this configuration and the shipped rules. */
function prometheusFolder(configuration: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-scale-'));
  cpSync('deploy/prometheus/rules', join(folder, 'rules'), { recursive: true });
  writeFileSync(join(folder, 'remote-write-password'), 'secret');
  // JSON is valid YAML.
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({ global: { scrape_interval: '1s', evaluation_interval: '1s' }, ...configuration }),
  );
  return folder;
}

interface RemoteWrite {
  readonly url: string;
}

function documentedRemoteWrite(): readonly RemoteWrite[] {
  const [block = ''] = blocksWith('yaml', 'remote_write');
  return (parse(block) as { readonly remote_write: readonly RemoteWrite[] }).remote_write;
}

describeWhere(
  [{ program: 'prometheus-alertmanager' }],
  'a cluster of Alertmanagers, started as docs/scale.md says,',
  () => {
    it('tells once what a pair of agents pushes to both, also when a member is gone', async () => {
      await using receiver = await jsonReceiver();
      const told = (): readonly unknown[] =>
        receiver.posts.map(({ body }) => (body as { readonly status: string }).status);
      const flags = clusterFlags();
      expect(flags.map((line) => line.length)).toEqual([3, 3]);
      const [first, second] = await startAlertmanagerCluster(
        flags.map((line) => [...line, '--cluster.peer-timeout=2s', '--cluster.gossip-interval=50ms']),
        receiver.url,
      );
      if (first === undefined || second === undefined) throw new Error('Two members are documented');
      await using _second = second;
      await using stack = new AsyncDisposableStack();
      stack.use(first);
      for (const member of [first, second]) await expect.poll(() => member.settled(), PATIENCE).toBe(2);
      await using lab = await createLab();
      const urls = [first.url, second.url];
      await using one = await startAgent(lab, 'one', urls);
      await using other = await startAgent(lab, 'other', urls);
      for (const agent of [one, other])
        await agent.diagnosis(({ ready }) => ready === 'ready', AbortSignal.timeout(20_000));

      await lab.inspect(true);
      for (const member of [first, second]) {
        await expect.poll(() => member.causes(), PATIENCE).toEqual(['tls-intercepted']);
        // The member had its turn: it waited for those before it and looked up what they had sent.
        await expect.poll(() => member.sum('alertmanager_nflog_queries_total'), PATIENCE).toBeGreaterThan(0);
      }
      expect(told()).toEqual(['firing']);

      await stack.disposeAsync();
      await lab.inspect(false);
      await expect.poll(told, LINGERING).toEqual(['firing', 'resolved']);
    }, 300_000);
  },
);

describeWhere([{ program: 'promtool' }], 'the configuration for remote write in docs/scale.md', () => {
  it('is one that promtool takes', () => {
    const folder = prometheusFolder({ remote_write: documentedRemoteWrite() });
    const { status, stderr } = spawnSync('promtool', ['check', 'config', join(folder, 'prometheus.yml')], {
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describeWhere([{ program: 'prometheus' }], 'the Prometheus of a site', () => {
  it('sends to a store what the rules there need, and nothing else', async () => {
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(await createLab());
    const agent = stack.use(await startAgent(lab, 'agent', []));
    const folders = [prometheusFolder({ rule_files: ['rules/*.yml'] })];
    const store = stack.use(await startPrometheus(folders[0] ?? '', ['--web.enable-remote-write-receiver']));
    const remoteWrite = documentedRemoteWrite().map((entry) => ({ ...entry, url: `${store.url}/api/v1/write` }));
    const targets = [{ targets: [new URL(agent.url).host], labels: { site: 'lab' } }];
    const jobs = ['ftm-watch', 'something-else'].map((name) => ({ job_name: name, static_configs: targets }));
    folders.push(prometheusFolder({ scrape_configs: jobs, remote_write: remoteWrite }));
    stack.defer(() => {
      for (const folder of folders) rmSync(folder, { recursive: true });
    });
    stack.use(await startPrometheus(folders[1] ?? ''));

    await expect.poll(() => store.value('site:ftm_activation_ready:min{site="lab"}'), PATIENCE).toBe(1);
    expect(await store.count('up{job="ftm-watch", site="lab"} == 1')).toBe(1);
    expect(await store.count('{job!="ftm-watch", job!=""}')).toBe(0);
    await lab.inspect(true);
    const fired = async (): Promise<readonly (string | undefined)[]> =>
      (await store.firing()).map(({ cause }) => cause);
    await expect.poll(fired, PATIENCE).toContain('tls-intercepted');
  });
});
