import { type Context, Hono } from 'hono';
import type { AuditEntry, RefusedChanges } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { isoTime } from '../core/instant-text.ts';
import { showValue } from '../text/show.ts';
import type { AuditQuery } from './alert-history.ts';
import { renderChanges } from './page/changes-page.ts';
import { readerAt } from './page/time-text.ts';
import { MAX_NAME } from './silence-request.ts';
import type { WebSources } from './sources.ts';
import type { WebEnv } from './web-env.ts';

/** On one page. */
const MOST_SHOWN = 100;
/** In one answer for programs. */
const MOST_LISTED = 1_000;

/** Who changed what: a page, and the same for programs. */
export function createAuditRoutes(
  sources: Pick<WebSources, 'audit' | 'site' | 'timezone'>,
  clock: Clock,
): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.get('/changes', (context) => {
    const { query, problems } = readAuditQuery(context);
    const found = sources.audit(query, MOST_SHOWN);
    const reader = readerAt(clock.now(), sources.timezone());
    return context.html(renderChanges({ site: sources.site(), query, problems, found, reader }));
  });
  app.get('/api/v1/audit', (context) => {
    const { query, problems } = readAuditQuery(context);
    if (problems.length > 0) return context.json({ error: 'These changes cannot be looked for', problems }, 400);
    const { changes, refused, more, complete } = sources.audit(query, MOST_LISTED);
    return context.json({
      changes: changes.map(auditEntryToJson),
      refused: refused.map(refusedToJson),
      more,
      complete,
    });
  });
  return app;
}

interface ReadAuditQuery {
  readonly query: AuditQuery;
  /** A sentence for each parameter that was left out because nobody can tell what it means. */
  readonly problems: readonly string[];
}

/** Reads `before`, the `id` of a change, and `incident`. */
function readAuditQuery(context: Context<WebEnv>): ReadAuditQuery {
  const { before = '', incident = '', ...others } = context.req.query();
  const isId = /^\d{1,15}$/u.test(before);
  return {
    query: { before: isId ? Number(before) : null, incident: incident === '' ? null : incident.slice(0, MAX_NAME) },
    problems: [
      ...(isId || before === '' ? [] : [`"before": expected the id of a change, got ${showValue(before)}`]),
      ...Object.keys(others).map((name) => `${showValue(name)}: expected "before" or "incident"`),
    ],
  };
}

/** One entry of the audit trail: names are part of the contract. */
export function auditEntryToJson({ at, ...entry }: AuditEntry): object {
  return { at: isoTime(at), ...entry };
}

function refusedToJson({ first, last, ...refused }: RefusedChanges): object {
  return { first: isoTime(first), last: isoTime(last), ...refused };
}
