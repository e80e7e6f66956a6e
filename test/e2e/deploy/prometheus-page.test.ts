import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { LabRequest } from './lab-host.ts';
import { parsedMails } from '../../support/mail/parsed-mails.ts';
import { startHost } from '../../support/process/host.ts';
import { describeWhere, type Need } from '../../support/process/privilege.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';
import { until } from '../../support/time/until.ts';

const PROGRAMS = [
  'prometheus',
  'promtool',
  'prometheus-alertmanager',
  'amtool',
  'victoria-metrics',
  'vmalert',
  'jsonnet',
  'python3',
];
const NEEDS: readonly Need[] = ['root', 'network-namespaces', ...PROGRAMS.map((program) => ({ program }))];
/** The timing is that of docs/prometheus.md: two scrapes, an evaluation, and a minute for anything that can wait. */
const PATIENCE = 150_000;
const PROMETHEUS = 'http://127.0.0.1:9090';
const ALERTMANAGER = 'http://127.0.0.1:9093';
const STORE = 'http://127.0.0.1:8428';
const PAGE = readFileSync('docs/prometheus.md', 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
  /** The name in the first line of the file; null: it has no name. */
  readonly file: string | null;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generatorURL: string;
}

interface Panel {
  /** Absent for a row, which contains panels. */
  readonly fieldConfig?: { readonly defaults: { readonly links?: readonly { readonly url: string }[] } };
  readonly panels?: readonly Panel[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly links: readonly { readonly type: string; readonly url?: string }[];
}

const BLOCKS: readonly Block[] = [...PAGE.matchAll(/^```(\w+)\n([^]*?)^```$/gmu)].map(
  ([, language = '', text = '']) => ({
    language,
    text,
    file: /^(?:#|\/\/) ([\w./-]+\.(?:yml|jsonnet))\n/u.exec(text)?.[1] ?? null,
  }),
);

describeWhere(NEEDS, 'docs/prometheus.md, followed word for word,', () => {
  const stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-monitoring-'));
  let sandbox: Sandbox;
  let ask: (request: LabRequest) => Promise<unknown>;

  const get = async (url: string): Promise<Answer> => (await ask({ kind: 'get', url })) as Answer;
  const mailsTo = async (recipient: string): Promise<readonly string[]> =>
    ((await ask({ kind: 'mails' })) as readonly { readonly to: readonly string[]; readonly raw: string }[])
      .filter(({ to }) => to.includes(recipient))
      .map(({ raw }) => raw);

  async function count(query: string, source: string = PROMETHEUS): Promise<number> {
    const { status, body } = await get(`${source}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
    if (status !== 200) throw new Error(`Cannot run the query "${query}": ${body}`);
    return (JSON.parse(body) as { readonly data: { readonly result: readonly unknown[] } }).data.result.length;
  }

  /** Returns the text of the first mail to a recipient with a matching subject. */
  async function mail(recipient: string, subject: RegExp): Promise<string> {
    const mails = await until(
      async () => parsedMails(await mailsTo(recipient)).filter((one) => subject.test(one.subject)),
      ({ length }) => length > 0,
      PATIENCE,
    );
    return mails[0]?.text ?? '';
  }

  /** Runs a block, and waits for the programs that it started. */
  async function type({ text }: Block): Promise<void> {
    const [enter = '', ...into] = sandbox.prefix;
    const script = `cd "$0"\n${text}\njobs -p >> pids`;
    const { status, stdout, stderr } = spawnSync(enter, [...into, 'bash', '--norc', '-eu', '-c', script, folder], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], DEPLOY: resolve('deploy') },
    });
    expect([text, status, status === 0 ? '' : stdout + stderr]).toEqual([text, 0, '']);
    for (const [, address = ''] of text.matchAll(/-(?:web\.listen-address|httpListenAddr)=([\d.:]+)/gu))
      await until(
        async () => (await get(`http://${address}/-/ready`)).status,
        (code) => code === 200,
        60_000,
      );
  }

  beforeAll(async () => {
    stack.defer(() => rmSync(folder, { recursive: true }));
    sandbox = stack.use(await createSandbox());
    const lab = new URL('lab-host.ts', import.meta.url);
    const host = stack.use(await startHost<null, null, LabRequest>(lab, null, sandbox.prefix));
    ask = (request) => host.ask(request);
    stack.defer(() => {
      const file = join(folder, 'pids');
      if (!existsSync(file)) return;
      for (const pid of readFileSync(file, 'utf8').split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
    });
    for (const block of BLOCKS) {
      if (block.file !== null) {
        mkdirSync(dirname(join(folder, block.file)), { recursive: true });
        writeFileSync(join(folder, block.file), block.text);
      }
      if (block.language === 'sh') await type(block);
    }
  }, 2 * PATIENCE);

  afterAll(() => stack.disposeAsync());

  it('has only blocks that are files, commands, or YAML that can be read', () => {
    expect(BLOCKS.map(({ file }) => file).filter(Boolean)).toEqual([
      'ftm-watch.jsonnet',
      'prometheus.yml',
      'targets/ftm-watch.yml',
      'probe.yml',
      'site.yml',
    ]);
    expect(BLOCKS.filter(({ language }) => language === 'sh').length).toBeGreaterThan(6);
    const documents = BLOCKS.filter(({ language }) => language === 'yaml').map(({ text }) => parse(text) as unknown);
    expect(documents.length).toBeGreaterThan(4);
    expect(documents.filter((document) => typeof document !== 'object' || document === null)).toEqual([]);
  });

  it('sends the test page and the test ticket', { timeout: PATIENCE }, async () => {
    expect(await mail('oncall@example.org', /A test page/u)).toContain('critical');
    expect(await mail('tickets@example.org', /A test ticket/u)).toContain('warning');
  });

  it('sees a site that is ready, and nothing else to page about', { timeout: PATIENCE }, async () => {
    await expect.poll(() => count('site:ftm_activation_ready:min{site="hq"} == 1')).toBe(1);
    expect(parsedMails(await mailsTo('oncall@example.org'))).toHaveLength(1);
  });

  it('makes a page and a ticket of a broken path, whose links lead somewhere', { timeout: 2 * PATIENCE }, async () => {
    await ask({ kind: 'inspect', on: true });
    await ask({ kind: 'appliance-key', key: 'another key' });
    const page = await mail('oncall@example.org', /activation is broken at hq: tls-intercepted/u);
    const ticket = await mail('tickets@example.org', /cannot monitor a part of hq: appliance-access-denied/u);
    expect(page).toContain('Runbook: http://127.0.0.1:9843/runbooks/tls-intercepted');
    expect(ticket).toContain('Runbook: http://127.0.0.1:9843/runbooks/appliance-access-denied');
    const alerts = JSON.parse((await get(`${ALERTMANAGER}/api/v2/alerts`)).body) as readonly Alert[];
    const ours = alerts.filter(({ labels }) => labels['alertname'] !== 'FtmTest');
    expect(ours.length).toBeGreaterThan(1);
    const links = [
      ...`${page}\n${ticket}`.matchAll(/https?:\/\/\S+/gu),
      ...ours.flatMap(({ annotations, generatorURL }) => [[annotations['runbook_url'] ?? 'none'], [generatorURL]]),
    ].map(([url = '']) => url);
    for (const url of new Set(links)) expect([url, (await get(url)).status]).toEqual([url, 200]);
  });

  it('has alerts without a cause whose runbook is a heading of the page that the daemon serves', async () => {
    const { body } = await get(`${PROMETHEUS}/api/v1/rules?type=alert`);
    interface Rules {
      readonly data: {
        readonly groups: readonly { readonly rules: readonly Pick<Alert, 'annotations'>[] }[];
      };
    }
    const urls = (JSON.parse(body) as Rules).data.groups
      .flatMap(({ rules }) => rules.map(({ annotations }) => annotations['runbook_url'] ?? 'none'))
      .filter((url) => !url.endsWith('{{ $labels.cause }}'));
    expect(urls.length).toBeGreaterThan(5);
    for (const url of urls) {
      const [, heading = ''] = url.split('#');
      const { status, body: page } = await get(url);
      expect([url, status]).toEqual([url, 200]);
      expect(page).toContain(`<h2 id="${heading}">`);
    }
  });

  it('has dashboards that Grafana is given, whose links lead somewhere', async () => {
    const provisioning = join(folder, 'grafana/provisioning');
    const read = (path: string): unknown => parse(readFileSync(join(provisioning, path), 'utf8'));
    const { datasources } = read('datasources/prometheus.yaml') as {
      readonly datasources: readonly { readonly url: string }[];
    };
    expect(datasources.map(({ url }) => url)).toEqual([PROMETHEUS]);
    const { providers } = read('dashboards/ftm-watch.yaml') as {
      readonly providers: readonly { readonly options: { readonly path: string } }[];
    };
    const path = providers[0]?.options.path ?? '';
    const dashboards = readdirSync(path).map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as Dashboard);
    expect(dashboards).toHaveLength(4);
    const panels = dashboards
      .flatMap((dashboard) => dashboard.panels)
      .flatMap((panel) => [panel, ...(panel.panels ?? [])]);
    const urls = [
      ...panels.flatMap(({ fieldConfig }) => (fieldConfig?.defaults.links ?? []).map(({ url }) => url)),
      ...dashboards.flatMap(({ links }) => links.flatMap(({ url = '' }) => url)),
    ].filter((url) => url !== '' && !url.startsWith('/d/'));
    expect(new Set(urls)).toEqual(
      new Set([
        '$scheme://${__field.labels.instance}/',
        '$scheme://${__field.labels.instance}/runbooks/$cause',
        'http://127.0.0.1:9843/runbooks/$cause',
      ]),
    );
    for (const url of urls) {
      const filled = url
        .replace('$scheme', 'http')
        .replace('${__field.labels.instance}', '127.0.0.1:9843')
        .replace('$cause', 'tls-intercepted');
      expect([filled, (await get(filled)).status]).toEqual([filled, 200]);
    }
  });

  it('asks about single targets, as the agent lists them', { timeout: PATIENCE }, async () => {
    const targets = JSON.parse((await get('http://127.0.0.1:9843/sd')).body) as readonly unknown[];
    expect(targets.length).toBeGreaterThan(3);
    await expect.poll(() => count('probe_success{job="ftm-probe", site="hq"}')).toBeGreaterThan(3);
  });

  it('alerts at the central store about a site that is only written to it', { timeout: PATIENCE }, async () => {
    const firing = await until(
      () => count('ALERTS{alertname="FtmActivationBroken", alertstate="firing", site="hq"}', STORE),
      (found) => found > 0,
      PATIENCE,
    );
    expect(firing).toBe(1);
  });
});
