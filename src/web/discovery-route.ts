import { Hono } from 'hono';
import { PROBE_MODULES } from './probe-answer.ts';
import type { WebEnv } from './web-env.ts';
import type { WebSources } from './sources.ts';

/**
 * HTTP service discovery (https://prometheus.io/docs/prometheus/latest/http_sd/): what `/probe` can be asked, in groups
 * by module. The agent is where Prometheus asked for this.
 */
export function createDiscoveryRoute({ site, probes }: Pick<WebSources, 'site' | 'probes'>): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.get('/sd', (context) => {
    const agent = context.req.header('Host') ?? '';
    const known = probes();
    const groups = PROBE_MODULES.map((module) => ({
      targets: [...new Set(known.filter((each) => each.module === module).map(({ target }) => target))],
      labels: { module, site: site(), agent },
    }));
    return context.json(groups.filter(({ targets }) => targets.length > 0));
  });
  return app;
}
