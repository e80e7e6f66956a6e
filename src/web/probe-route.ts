import { type Context, Hono } from 'hono';
import type { Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { PROBE_MODULES, type ProbeAnswer, type ProbeRequest } from './probe-answer.ts';
import { FOREIGN_ORIGIN, isForeignOrigin } from './same-origin.ts';
import type { WebEnv } from './web-env.ts';
import type { WebSources } from './sources.ts';

/** Set by Prometheus, in seconds with fractions. */
const TIMEOUT_HEADER = 'X-Prometheus-Scrape-Timeout-Seconds';
/** So much earlier than Prometheus gives up the answer is sent, as the blackbox exporter does. */
const TIMEOUT_MARGIN: Millis = 500;
const LEAST_TIMEOUT: Millis = 100;
const LONGEST_TARGET = 300;
const MOST_SHOWN = 500;

/** Looks at one target now, for Prometheus and for people, in the words of the blackbox exporter. */
export function createProbeRoute({ probe }: Pick<WebSources, 'probe'>): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.get('/probe', async (context) => {
    // A page of somebody else's must not make a browser probe: each look is traffic, and a mail server may be logged in
    // to.
    if (isForeignOrigin((name) => context.req.header(name))) return context.text(`${FOREIGN_ORIGIN}\n`, 403);
    const request = readRequest(context);
    if (typeof request === 'string') return context.text(`${request}\n`, 400);
    // It aborts when the client has gone: nobody waits for the answer any more.
    return answer(await probe(request, context.req.raw.signal), context);
  });
  return app;
}

/** What was asked for, or what was wrong with it. */
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
      return context.text('Too many probes wait already: try again in a few seconds\n', 503, { 'Retry-After': '5' });
  }
}
