import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startDaemon } from '../../lab/daemon.ts';
import { createLab } from '../../lab/lab.ts';
import type { Lab } from '../../lab/lab.ts';
import { describeWhere } from '../../support/privilege.ts';
import type { PrometheusProcess } from '../../support/prometheus-process.ts';
import { startShippedPrometheus } from '../../support/shipped-monitoring.ts';

const FOLDER = 'deploy/grafana/dashboards';
const PATIENCE = { timeout: 45_000, interval: 200 };

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const queries = readdirSync(FOLDER).flatMap((name) => {
  const { panels } = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Dashboard;
  return panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ panel: `${name}: ${title}`, query: expr.replaceAll('$site', 'lab') })),
  );
});

describeWhere([{ program: 'prometheus' }], 'every panel', () => {
  const stack = new AsyncDisposableStack();
  let lab: Lab;
  let prometheus: PrometheusProcess;

  beforeAll(async () => {
    lab = stack.use(await createLab());
    const daemon = stack.use(await startDaemon(lab.configFile, lab.folder));
    if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
    // A closed port: no alert has to arrive anywhere.
    prometheus = stack.use(await startShippedPrometheus('http://127.0.0.1:9', [daemon.url], 'lab'));
    await vi.waitFor(async () => {
      if ((await prometheus.count('site:ftm_activation_ready:min == 1')) === 0)
        throw new Error('The site of the lab is not ready');
    }, PATIENCE);
    await lab.inspect(true);
    await lab.applianceLog.poll();
  });

  afterAll(() => stack.disposeAsync());

  it.each(queries)('shows something of a site that is broken: $panel', async ({ query }) => {
    await expect.poll(() => prometheus.count(query), PATIENCE).toBeGreaterThan(0);
  });
});
