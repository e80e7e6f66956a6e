import { type Context, Hono } from 'hono';
import { visibleText } from '../core/visible-text.ts';
import { attachCapture } from './attach-capture.ts';
import { auditEntryToJson } from './audit-routes.ts';
import { callerRefusal, refusalText } from './change-refusal.ts';
import { actOnIncident, type IncidentActionTools, type ActionOutcome, isIncidentAction } from './incident-actions.ts';
import { incidentsToCsv } from './incident-csv.ts';
import { incidentsToJson } from './incident-json.ts';
import { readIncidentQuery, type ReadIncidentQuery } from './incident-query.ts';
import { notificationsToJson } from './notification-json.ts';
import { renderIncidentList } from './page/incident-list-page.ts';
import { renderIncident } from './page/incident-page.ts';
import { readerAt } from './page/time-text.ts';
import type { IncidentRecord } from './alert-history.ts';
import type { WebEnv } from './web-env.ts';
import type { WebSources } from './sources.ts';

export interface IncidentTools extends IncidentActionTools {
  readonly sources: IncidentActionTools['sources'] &
    Pick<WebSources, 'site' | 'timezone' | 'unitAddresses' | 'alertHistory' | 'findIncidents' | 'incidentRecord'>;
}

/** On one page. */
const MOST_SHOWN = 100;
/** In one answer for programs: each is read and written while nothing else is done. */
const MOST_EXPORTED = 1_000;
const MAX_SHOWN_ID = 100;

/** The incidents: list, page of each, export, and what may be done about one. */
export function createIncidentRoutes(tools: IncidentTools): Hono<WebEnv> {
  const { sources, clock } = tools;
  const app = new Hono<WebEnv>();
  app.get('/incidents', (context) => {
    const reader = readerAt(clock.now(), sources.timezone());
    const asked = readIncidentQuery(context.req.queries(), reader.zone);
    const found = sources.findIncidents(asked.query, MOST_SHOWN);
    return context.html(renderIncidentList({ site: sources.site(), asked, found, reader }));
  });
  app.get('/incidents/:id', (context) => {
    const record = sources.incidentRecord(context.req.param('id'));
    return record === null ? noIncident(context) : pageOf(context, record, tools, []);
  });
  app.post('/api/v1/incidents/:id/capture', (context) => attachCapture(context, context.req.param('id'), tools));
  app.post('/incidents/:id/:action', async (context) => {
    const action = context.req.param('action');
    if (!isIncidentAction(action)) return context.notFound();
    return answerAction(context, await actOnIncident(context, action, context.req.param('id'), tools), tools);
  });
  app.get('/api/v1/incidents', (context) => {
    if (Object.keys(context.req.query()).length === 0) {
      const { incidents, complete } = sources.alertHistory();
      return context.json({ incidents: incidentsToJson(incidents), complete });
    }
    return exported(context, ({ query }) => {
      const { incidents, more, complete } = sources.findIncidents(query, MOST_EXPORTED);
      return context.json({ incidents: incidentsToJson(incidents), more, complete });
    });
  });
  app.get('/api/v1/incidents.csv', (context) =>
    exported(context, ({ query }) =>
      context.body(incidentsToCsv(sources.findIncidents(query, MOST_EXPORTED).incidents), 200, {
        'Content-Type': 'text/csv; charset=utf-8',
        'Content-Disposition': 'attachment; filename="ftm-watch-incidents.csv"',
      }),
    ),
  );
  app.get('/api/v1/incidents/:id', (context) => {
    const record = sources.incidentRecord(context.req.param('id'));
    if (record === null) return context.json({ error: noIncidentText(context) }, 404);
    return context.json({
      incident: incidentsToJson([record.incident])[0],
      openingEvidence: record.incident.openingEvidence,
      evidence: record.incident.cause.evidence,
      notifications: notificationsToJson(record.outboxEntries),
      changes: record.changes.map(auditEntryToJson),
      omittedChanges: record.omittedChanges,
      complete: record.complete,
    });
  });
  return app;
}

/** A program that has mistyped a parameter must not take what it gets for what it asked for. */
function exported(context: Context<WebEnv>, answer: (asked: ReadIncidentQuery) => Response): Response {
  const asked = readIncidentQuery(context.req.queries());
  return asked.problems.length === 0
    ? answer(asked)
    : context.json({ error: 'These incidents cannot be looked for', problems: asked.problems }, 400);
}

function answerAction(context: Context<WebEnv>, outcome: ActionOutcome, tools: IncidentTools): Response {
  switch (outcome.kind) {
    case 'done':
      // Relative, as behind a proxy it may be anywhere: from /incidents/ID/ACTION to /incidents/ID.
      return context.body(null, 303, { Location: `../${encodeURIComponent(outcome.id)}` });
    case 'refused':
      return context.text(`${outcome.problem}\n`, outcome.status);
    case 'problems':
      return pageOf(context, outcome.record, tools, outcome.problems);
    case 'unknown':
      return noIncident(context);
  }
}

function pageOf(
  context: Context<WebEnv>,
  record: IncidentRecord,
  { access, sources, clock }: IncidentTools,
  problems: readonly string[],
): Response {
  const refusal = callerRefusal(context, access);
  const page = renderIncident({
    site: sources.site(),
    record,
    quiet: { maintenance: sources.maintenance().until !== null, silences: sources.silences() },
    permission: {
      refusal: refusal === null ? null : refusalText(refusal, context),
      asksName: context.get('caller').name === null,
    },
    // What answers a form stands one folder deeper than the page itself.
    root: problems.length === 0 ? '../' : '../../',
    problems,
    reader: readerAt(clock.now(), sources.timezone()),
  });
  return new Response(page, {
    status: problems.length === 0 ? 200 : 400,
    headers: { 'Content-Type': 'text/html; charset=UTF-8' },
  });
}

function noIncident(context: Context<WebEnv>): Response {
  return new Response(`${noIncidentText(context)}\n`, {
    status: 404,
    headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
  });
}

function noIncidentText(context: Context<WebEnv>): string {
  const id = visibleText(context.req.param('id') ?? '', MAX_SHOWN_ID);
  return `There is no incident "${id}", or it is older than store.retention: see /incidents`;
}
