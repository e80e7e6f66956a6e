import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Daemon } from '../../../src/demo/daemon.ts';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { startAlertmanagerCluster } from '../../support/monitoring/alertmanager-cluster.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';
import { jsonReceiver, type JsonReceiver } from '../../support/notify/json-receiver.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startPrometheus } from '../../support/monitoring/prometheus-process.ts';
import { startAgent } from '../../support/monitoring/pushing-agent.ts';
import { startVictoriaMetrics, startVmalert } from '../../support/monitoring/victoria-metrics.ts';

/** Many sites with two agents each, which expose metrics recorded from real daemons under other names. */
interface SimulatedFleet<State extends string> extends AsyncDisposable {
  readonly sites: readonly string[];
  /** For `static_configs`. Each agent has a separate path. */
  readonly targets: readonly {
    readonly targets: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Sets the state that both agents of a site expose. */
  show(site: string, state: State): void;
}

/** @param texts metrics of a daemon of a site called `lab` in each state */
async function simulateFleet<State extends string>(
  texts: Readonly<Record<State, string>>,
  { sites: count, first }: { readonly sites: number; readonly first: NoInfer<State> },
): Promise<SimulatedFleet<State>> {
  const sites = Array.from({ length: count }, (_, index) => `site-${String(index + 1)}`);
  const states = new Map(sites.map((site) => [site, first]));
  const server = createServer((request, response) => {
    const [, site = ''] = (request.url ?? '').split('/');
    const text = texts[states.get(site) ?? first];
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' });
    response.end(text.replace('configured_site="lab"', `configured_site="${site}"`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    sites,
    targets: sites.flatMap((site) =>
      ['a', 'b'].map((agent) => ({
        targets: [address],
        labels: { site, instance: `${site}-${agent}:9843`, __metrics_path__: `/${site}/${agent}` },
      })),
    ),
    show: (site, state) => {
      states.set(site, state);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const SITES = 200;
const PATIENCE = { timeout: 120_000, interval: 500 };
const EVERY = '5s';

const READY = /^ftm_activation_ready 1$/mu;
const STATES = ['ready', 'intercepted', 'lost'] as const;
type State = (typeof STATES)[number];

const FAULTS: Readonly<Record<State, { readonly shows: RegExp; readonly begin: (lab: Lab) => Promise<void> }>> = {
  ready: { shows: READY, begin: () => Promise.resolve() },
  intercepted: {
    shows: /^ftm_incident_open\{cause="tls-intercepted",severity="critical"/mu,
    begin: (lab) => lab.inspect(true),
  },
  lost: {
    shows: /^ftm_incident_open\{cause="(?:license-server-down|egress-blocked)",severity="critical",subject="f/mu,
    begin: (lab) => lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST),
  },
};

/** Returns what a real daemon exposes in each state. The licence server has the same port in all of them. */
async function exposedStates(): Promise<Readonly<Record<State, string>>> {
  const [ready, intercepted, lost] = await Promise.all(STATES.map(exposedIn));
  if (ready === undefined || intercepted === undefined || lost === undefined) throw new Error('A state is missing');
  return { ready, intercepted, lost };
}

async function exposedIn(state: State): Promise<string> {
  const { shows, begin } = FAULTS[state];
  await using lab = await createLab();
  await using agent = await startAgent(lab, 'agent', [], { site: 'lab' });
  await exposedWhen(agent, READY);
  await begin(lab);
  const text = await exposedWhen(agent, shows);
  return text.replaceAll(`:${String(lab.firewall.portOf(LICENSE_HOST))}"`, ':443"');
}

async function exposedWhen(agent: Daemon, shows: RegExp): Promise<string> {
  let text = '';
  await expect
    .poll(async () => {
      text = await (await agent.get('/metrics')).text();
      return shows.test(text);
    }, PATIENCE)
    .toBe(true);
  return text;
}

/** Returns the pages that were sent, as `ALERT SITE`. */
function pages({ posts }: JsonReceiver): readonly string[] {
  interface Told {
    readonly status: string;
    readonly groupLabels: Readonly<Record<string, string>>;
    readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[];
  }
  return posts
    .map(({ body }) => body as Told)
    .filter(({ status, alerts }) => status === 'firing' && alerts.some(({ labels }) => labels['response'] === 'page'))
    .map(({ groupLabels }) => [groupLabels['alertname'], groupLabels['site']].filter(Boolean).join(' '));
}

/** Returns the shipped routes and inhibition rules, with a webhook and with waiting times for tests. */
function shippedRoutes(): object {
  const text = readFileSync('deploy/alertmanager/alertmanager.yml', 'utf8')
    .replaceAll(/receiver: \w+/gu, 'receiver: test')
    .replaceAll('group_wait: 10s', 'group_wait: 1s')
    .replaceAll('group_interval: 1m', 'group_interval: 5s');
  const { route, inhibit_rules } = parse(text) as { readonly route: object; readonly inhibit_rules: object };
  return { route, inhibit_rules };
}

function prometheusFolder(folder: string, fleet: SimulatedFleet<State>, store: string): string {
  const own = join(folder, 'prometheus');
  mkdirSync(own);
  const configuration = {
    global: { scrape_interval: EVERY },
    scrape_configs: [{ job_name: 'ftm-watch', static_configs: fleet.targets }],
    remote_write: [{ url: `${store}/api/v1/write` }],
  };
  // JSON is valid YAML.
  writeFileSync(join(own, 'prometheus.yml'), JSON.stringify(configuration));
  return own;
}

/** Returns one number from a PromQL query on the store. */
async function ask(store: string, query: string): Promise<number> {
  const response = await fetch(`${store}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
  const { data } = (await response.json()) as {
    readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
  };
  return Number(data.result[0]?.value[1] ?? 0);
}

/** The number of all series that VictoriaMetrics has ever seen. */
async function seriesIn(store: string): Promise<number> {
  const { data } = (await (await fetch(`${store}/api/v1/series/count`)).json()) as { readonly data: readonly number[] };
  return data[0] ?? 0;
}

/** Returns the largest value that a program exposes about itself in these series. */
async function own(url: string, series: RegExp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => series.test(line));
  return Math.max(...parseExposition(lines.join('\n')).map(({ value }) => value));
}

async function residentMegabytes({ url }: { readonly url: string }): Promise<number> {
  return Math.round((await own(url, /^process_resident_memory_bytes /u)) / 2 ** 20);
}

const PROGRAMS = ['prometheus', 'prometheus-alertmanager', 'victoria-metrics', 'vmalert'].map((program) => ({
  program,
}));

describeWhere(PROGRAMS, `${String(SITES)} sites with two agents each`, () => {
  it('page once for a site that is broken, and once for a vendor that half of them have lost', {
    timeout: 900_000,
  }, async () => {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-fleet-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    const fleet = stack.use(await simulateFleet(await exposedStates(), { sites: SITES, first: 'ready' }));
    const receiver = stack.use(await jsonReceiver());
    const members = await startAlertmanagerCluster(
      [
        ['--cluster.listen-address=10.0.0.21:9094', '--cluster.peer=10.0.0.22:9094', '--cluster.peer-timeout=2s'],
        ['--cluster.listen-address=10.0.0.22:9094', '--cluster.peer=10.0.0.21:9094', '--cluster.peer-timeout=2s'],
      ],
      receiver.url,
      shippedRoutes(),
    );
    for (const member of members) stack.use(member);
    for (const member of members) await expect.poll(() => member.settled(), PATIENCE).toBe(2);
    const store = stack.use(await startVictoriaMetrics(folder));
    const prometheus = stack.use(await startPrometheus(prometheusFolder(folder, fleet, store.url)));
    const vmalert = stack.use(
      await startVmalert(resolve('deploy/prometheus/rules'), {
        store: store.url,
        alertmanagers: members.map(({ url }) => url),
      }),
    );
    const ready = 'count(site:ftm_activation_ready:min == 1)';
    await expect.poll(() => ask(store.url, ready), PATIENCE).toBe(SITES);
    expect(pages(receiver)).toEqual([]);

    fleet.show('site-7', 'intercepted');
    await expect.poll(() => pages(receiver), PATIENCE).toEqual(['FtmActivationBroken site-7']);
    fleet.show('site-7', 'ready');
    await expect.poll(async () => Promise.all(members.map((member) => member.causes())), PATIENCE).toEqual([[], []]);
    expect(pages(receiver)).toEqual(['FtmActivationBroken site-7']);

    const lost = fleet.sites.filter((_, index) => index % 2 === 0);
    for (const site of lost) fleet.show(site, 'lost');
    await expect.poll(() => pages(receiver).slice(1), PATIENCE).toEqual(['FtmVendorOutage']);
    // Each of these sites has a separate alert, which would have been sent by now.
    const broken = `count(ALERTS{alertname="FtmActivationBroken", alertstate="firing"})`;
    await expect.poll(() => ask(store.url, broken), PATIENCE).toBe(lost.length);
    await new Promise((resolve_) => setTimeout(resolve_, 60_000));
    expect(pages(receiver).slice(1)).toEqual(['FtmVendorOutage']);

    const figures = {
      sites: SITES,
      series: await seriesIn(store.url),
      scraped: await ask(store.url, 'sum(scrape_samples_scraped)'),
      // For the slowest group of rules: the median evaluation time and the 99th percentile.
      evaluationSeconds: await own(vmalert.url, /^vmalert_iteration_duration_seconds\{.*quantile="0\.5"/u),
      slowestSeconds: await own(vmalert.url, /^vmalert_iteration_duration_seconds\{.*quantile="0\.99"/u),
      prometheusMegabytes: await residentMegabytes(prometheus),
      victoriaMetricsMegabytes: await residentMegabytes(store),
      vmalertMegabytes: await residentMegabytes(vmalert),
      alertmanagerMegabytes: await Promise.all(members.map(residentMegabytes)),
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    // The evaluation interval that docs/scale.md specifies.
    expect(figures.evaluationSeconds).toBeLessThan(15);
  });
});
