import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { Logger } from 'pino';
import type { EpochMs, Millis } from '../core/clock.ts';
import { type DiagnosisJson, diagnosisToJson } from '../checks/diagnosis-json.ts';
import { visibleText } from '../core/visible-text.ts';
import { type CheckExit, type Looked, siteState } from '../document/site-state.ts';
import { type PrtgAnswer, prtgAnswer, prtgError } from '../document/prtg.ts';
import { oneATurn } from '../system/clock.ts';
import { showValue } from '../text/show.ts';
import {
  CHART_RANGES,
  isChartRange,
  USUAL_RANGE,
  type WebEnv,
  type WebSources,
  PROBE_MODULES,
  type ProbeAnswer,
  type ProbeRequest,
} from './sources.ts';
import { addAuditRoutes, addSilenceRoutes, change } from './changes.ts';
import { answerFile, responseRules, type StaticFile } from './static-files.ts';
import { callerRefusal, guard, pageRefusal, type Web } from './access.ts';
import { addBadgeRoutes } from './badge.ts';
import { bareErrorPages, errorPages } from './error-pages.ts';
import { addIncidentRoutes } from './incident-routes.ts';
import { type IncidentQuery, incidentsToJson, notificationsToJson } from './incident-json.ts';
import { addRunbookRoutes } from './runbook-routes.ts';
import { renderStatusPage } from './page/status-page.ts';

interface Routed extends Web {
  readonly files: ReadonlyMap<string, StaticFile>;
  readonly tls: boolean;
}

type WebContext = Context<WebEnv>;

const MAX_SHOWN_PATH = 200;

/**
 * The routes before `guard` require no login, because orchestrators and load balancers send health probes
 * without a password.
 */
export function createRoutes(web: Routed): Hono<WebEnv> {
  const { sources, clock, logger } = web;
  const app = new Hono<WebEnv>();
  app.onError((error, context) => answerError(error, context, logger));
  app.notFound((context) =>
    context.text(`There is no page at "${shownPath(context)}". The status page is at "/"\n`, 404),
  );
  app.use(...responseRules(web.tls));

  app.get('/-/healthy', (context) => context.text('Healthy\n'));
  app.use(async (_context, next) => {
    await sources.begun;
    await next();
  });
  app.get('/-/ready', (context) => {
    const { ready, problems } = sources.health();
    return ready ? context.text(`Ready${lines(problems)}\n`) : context.text(`Not ready${lines(problems)}\n`, 503);
  });

  app.use(
    bareErrorPages,
    ...guard(web),
    errorPages(() => sources.site()),
  );
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerMethod }));
  app.get('/', (context) => {
    const range = context.req.query('range') ?? '';
    const mayChange = callerRefusal(context, web.access) === null && context.get('caller').name !== null;
    const asked = { range: isChartRange(range) ? range : USUAL_RANGE, mayChange };
    const page = renderStatusPage(sources, clock.now(), asked);
    return answerFile(page, context, 'no-store');
  });
  addRunbookRoutes(app, web);
  app.get('/static/:name', (context) => {
    const file = web.files.get(context.req.param('name'));
    return file === undefined ? context.notFound() : answerFile(file, context);
  });
  const turn = oneATurn();
  app.get('/metrics', async (context) => {
    const { body, contentType } = await sources.metrics();
    // All waiting requests receive the same text, but each gets a separate copy. Before the next copy is made, the
    // server checks how much of the previous one has been read.
    await turn();
    return context.body(body, 200, { 'Content-Type': contentType });
  });
  addApi(app, web);
  addIncidentRoutes(app, web);
  addBadgeRoutes(app, web);
  addAuditRoutes(app, web);
  addSilenceRoutes(app, web);
  addProbeRoute(app, web);
  addDiscoveryRoute(app, sources);
  app.post('/-/reload', (context) => answerReload(context, web));
  return app;
}

function addApi(app: Hono<WebEnv>, { sources, clock }: Routed): void {
  app.get('/api/v1', (context) => {
    const known = app.routes.filter(({ method, path }) => method === 'GET' && path.startsWith('/api/v1/'));
    return context.json({ routes: known.map(({ path }) => path).toSorted() });
  });
  app.get('/api/v1/status', (context) => {
    const diagnosis = sources.diagnosis();
    return diagnosis === null
      ? context.json({ error: NO_DIAGNOSIS }, 503, { 'Retry-After': '5' })
      : context.json(statusOf(diagnosisToJson(diagnosis), lookedAt(sources, clock.now())));
  });
  // PRTG reads the body only if the status is 200 (https://helpdesk.paessler.com, article 76000063053).
  app.get('/api/v1/prtg', (context) => context.json(prtgOf(sources, clock.now())));
  app.get('/api/v1/notifications', (context) => {
    const { outboxEntries, complete } = sources.alertHistory();
    return context.json({ notifications: notificationsToJson(outboxEntries), complete });
  });
  app.get('/api/v1/history', (context) => {
    const { range, ...unknown } = context.req.query();
    const [name] = Object.keys(unknown);
    if (name !== undefined)
      return context.json({ error: `Unknown parameter ${showValue(name)}: expected "range"` }, 400);
    if (range === undefined) return context.json(sources.chartData());
    return isChartRange(range)
      ? context.json(sources.rangeData(range))
      : context.json({ error: `Expected a range: ${CHART_RANGES.join(', ')}` }, 400);
  });
}

const NO_DIAGNOSIS = 'The first check has not finished yet';

function prtgOf(sources: WebSources, now: EpochMs): PrtgAnswer {
  const diagnosis = sources.diagnosis();
  return diagnosis === null ? prtgError(NO_DIAGNOSIS) : prtgAnswer(diagnosisToJson(diagnosis), lookedAt(sources, now));
}

function statusOf(diagnosis: DiagnosisJson, looked: Looked): DiagnosisJson & { readonly state: CheckExit } {
  return { ...diagnosis, state: siteState(diagnosis, looked).exitCode };
}

/** These are in memory, so that requests every few seconds do not read the store. */
const OPEN: IncidentQuery = { cause: null, state: 'open', from: null, until: null };

function lookedAt(sources: WebSources, now: EpochMs): Looked {
  const { incidents } = sources.findIncidents(OPEN, Infinity);
  return { by: 'daemon', incidents: incidentsToJson(incidents), now, longest: sources.knownFor() };
}

async function answerReload(context: WebContext, web: Web): Promise<Response> {
  const outcome = await change(context, web, { action: 'reload' }, 'nothing', async () => {
    const value = await web.sources.reload();
    return { kind: 'done', value, noted: { detail: value.kind === 'taken' ? 'taken' : 'not taken' } };
  });
  if (outcome.kind === 'refused') return context.text(`${outcome.error}\n`, outcome.status);
  return outcome.value.kind === 'taken'
    ? context.text('Configuration reloaded\n')
    : context.text(
        `The configuration was rejected. The previous one is still active${lines(outcome.value.problems)}\n`,
        422,
      );
}

function answerMethod(context: Context, methods: readonly string[]): Response {
  const [method, allow] = [visibleText(context.req.method, 20), methods.join(', ')];
  return context.text(`Method "${method}" is not allowed for "${shownPath(context)}". Use ${allow}\n`, 405, {
    Allow: allow,
  });
}

function answerError(error: unknown, context: WebContext, logger: Logger): Response {
  if (error instanceof HTTPException) return error.getResponse();
  logger.error({ event: 'request-failed', err: error, path: shownPath(context) }, 'Cannot answer a request');
  return context.text('ftm-watch could not answer this request. See its log for the reason\n', 500);
}

function shownPath(context: Context): string {
  return visibleText(context.req.path, MAX_SHOWN_PATH);
}

function lines(problems: readonly string[]): string {
  return problems.length === 0 ? '' : `:\n${problems.map((problem) => `- ${visibleText(problem, 1_000)}`).join('\n')}`;
}

/**
 * Prometheus's HTTP service discovery (https://prometheus.io/docs/prometheus/latest/http_sd/). `agent` is this agent's
 * address as Prometheus used it for the request.
 */
function addDiscoveryRoute(app: Hono<WebEnv>, sources: WebSources): void {
  app.get('/sd', (context) => {
    const agent = context.req.header('Host') ?? '';
    const known = sources.probes();
    const groups = PROBE_MODULES.map((module) => ({
      targets: [...new Set(known.filter((each) => each.module === module).map(({ target }) => target))],
      labels: { module, site: sources.site(), agent },
    }));
    return context.json(groups.filter(({ targets }) => targets.length > 0));
  });
}

const TIMEOUT_HEADER = 'X-Prometheus-Scrape-Timeout-Seconds';
/** The response is sent this long before Prometheus's timeout expires, as in the blackbox exporter. */
const TIMEOUT_MARGIN: Millis = 500;
const LEAST_TIMEOUT: Millis = 100;
const LONGEST_TARGET = 300;
const MOST_SHOWN = 500;

/** The URL parameters have the same names as in the blackbox exporter. */
function addProbeRoute(app: Hono<WebEnv>, { sources, tls }: Routed): void {
  app.get('/probe', async (context) => {
    // Pages from other sites must not be able to start probes through a browser, because a probe can include a login to
    // a mail server.
    const refusal = pageRefusal((name) => context.req.header(name), tls);
    if (refusal !== null) return context.text(`${refusal}\n`, 403);
    const request = readRequest(context);
    if (typeof request === 'string') return context.text(`${request}\n`, 400);
    return answer(await sources.probe(request, context.req.raw.signal), context);
  });
}

function readRequest(context: Context<WebEnv>): ProbeRequest | string {
  const target = context.req.query('target') ?? '';
  if (target === '' || target.length > LONGEST_TARGET)
    return (
      'Cannot probe: expected ?target=HOST or ?target=HOST:PORT, such as ' +
      '/probe?target=www.fortinet.com:443&module=tls'
    );
  const name = context.req.query('module') ?? 'http';
  const module = PROBE_MODULES.find((known) => known === name);
  if (module === undefined)
    return `Cannot probe with module "${visibleText(name, 40)}": expected one of ${PROBE_MODULES.join(', ')}`;
  const header = context.req.header(TIMEOUT_HEADER);
  if (header === undefined) return { target, module, timeout: null };
  const seconds = Number(header);
  if (header.trim() === '' || !Number.isFinite(seconds) || seconds <= 0)
    return `Cannot read ${TIMEOUT_HEADER}: expected seconds, got "${visibleText(header, 40)}"`;
  return { target, module, timeout: Math.max(LEAST_TIMEOUT, seconds * 1000 - TIMEOUT_MARGIN) };
}

function answer(probed: ProbeAnswer, context: Context<WebEnv>): Response {
  switch (probed.kind) {
    case 'probed': {
      const { metrics, explanation } = probed;
      if (context.req.query('debug') !== 'true')
        return context.body(metrics.body, 200, { 'Content-Type': metrics.contentType });
      return context.text(`${explanation.join('\n')}\n\nMetrics:\n${metrics.body}`);
    }
    case 'hindered':
      return context.text(`${visibleText(probed.problem, MOST_SHOWN)}\n`, 503, { 'Retry-After': '5' });
    case 'malformed':
      return context.text(`${probed.problem}\n`, 400);
    case 'forbidden':
      return context.text(`${probed.problem}\n`, 403);
    case 'busy':
      return context.text('Too many probes are pending. Try again in a few seconds\n', 503, { 'Retry-After': '5' });
  }
}
