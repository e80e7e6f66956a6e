import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { visibleText } from '../core/visible-text.ts';
import { attachCapture } from './attach-capture.ts';
import { auditEntryToJson } from './audit-routes.ts';
import { callerRefusal, refusalText } from './change-refusal.ts';
import {
  incidentsToCsv,
  incidentsToJson,
  readIncidentQuery,
  type ReadIncidentQuery,
  notificationsToJson,
} from './incident-json.ts';
import { renderIncidentList } from './page/incident-list-page.ts';
import { renderIncident } from './page/incident-page.ts';
import { readerAt } from './page/document.ts';
import { type IncidentRecord, type WebEnv, type WebSources, accountOf } from './sources.ts';
import type { AuditEntry } from '../core/audit.ts';
import {
  noteDone,
  refuseChange,
  unreadChange,
  MAX_NAME,
  type SilenceTools,
  type TakenSilence,
  takeSilence,
  oneLine,
  MAX_COMMENT,
} from './changes.ts';

interface IncidentTools extends IncidentActionTools {
  readonly sources: IncidentActionTools['sources'] &
    Pick<
      WebSources,
      'site' | 'timezone' | 'unitAddresses' | 'alertHistory' | 'findIncidents' | 'incidentRecord' | 'attachEvidence'
    >;
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

interface IncidentActionTools extends SilenceTools {
  readonly sources: SilenceTools['sources'] & Pick<WebSources, 'incidentRecord' | 'acknowledge' | 'unacknowledge'>;
}

const ACTIONS = ['acknowledge', 'unacknowledge', 'silence', 'comment'] as const;

type IncidentAction = (typeof ACTIONS)[number];

function isIncidentAction(text: string): text is IncidentAction {
  return ACTIONS.some((action) => action === text);
}

type ActionOutcome =
  | { readonly kind: 'done'; readonly id: string }
  /** Before anything was looked at. */
  | { readonly kind: 'refused'; readonly status: 403 | 415; readonly problem: string }
  /** The form cannot be taken, a sentence each. */
  | { readonly kind: 'problems'; readonly record: IncidentRecord; readonly problems: readonly string[] }
  /** There is no such incident. */
  | { readonly kind: 'unknown' };

/**
 * Does what a form of the incident's page asks for. A form of somebody else's page is known by its origin, which
 * browsers send with every POST (RFC 6454 §7).
 */
async function actOnIncident(
  context: Context<WebEnv>,
  action: IncidentAction,
  id: string,
  tools: IncidentActionTools,
): Promise<ActionOutcome> {
  const asked = { ...unreadChange(noted(action)), incident: id.slice(0, MAX_NAME) };
  const refusal = refuseChange(context, asked, tools);
  if (refusal !== null) return { kind: 'refused', status: 403, problem: refusal };
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/iu.test(context.req.header('Content-Type') ?? ''))
    return { kind: 'refused', status: 415, problem: 'Expected a form, as the page of the incident sends it' };
  const record = tools.sources.incidentRecord(id);
  if (record === null) return { kind: 'unknown' };
  const read = readIncidentForm(await context.req.text());
  const problems = read.kind === 'ok' ? carryOut(context, action, { record, form: read.form }, tools) : read.problems;
  return problems.length === 0 ? { kind: 'done', id } : { kind: 'problems', record, problems };
}

interface Asked {
  readonly record: IncidentRecord;
  readonly form: IncidentForm;
}

/** Gives what was wrong, a sentence each. */
function carryOut(
  context: Context<WebEnv>,
  action: IncidentAction,
  { record, form }: Asked,
  tools: IncidentActionTools,
): readonly string[] {
  const { by: claimed, comment } = form;
  const { id, cause } = record.incident;
  const note = (detail: string): readonly string[] => {
    noteDone(
      context,
      { action: noted(action), incident: id, cause: cause.id, subject: cause.subject, detail },
      tools,
      claimed,
    );
    return [];
  };
  switch (action) {
    case 'acknowledge':
      return tools.sources.acknowledge(id, accountOf(context.get('caller'), claimed)) ? note('') : [IS_OVER];
    case 'unacknowledge':
      return tools.sources.unacknowledge(id) ? note('') : [IS_OVER];
    case 'comment':
      return comment === null ? ['"comment": expected a text'] : note(comment);
    case 'silence':
      return problemsOfTaken(takeSilence(context, silenceOf({ record, form }), id, tools));
  }
}

/** As `POST /api/v1/silences` takes it: of the cause at its subject. */
function silenceOf({ record: { incident }, form: { by, comment, duration } }: Asked): object {
  const { id: cause, subject } = incident.cause;
  return {
    cause,
    subject: subject === '' ? null : subject,
    by,
    ...(duration === null ? {} : { duration }),
    ...(comment === null ? {} : { comment }),
  };
}

const IS_OVER = 'The incident is over';

function noted(action: IncidentAction): AuditEntry['action'] {
  return action === 'silence' ? 'add-silence' : action;
}

function problemsOfTaken(taken: TakenSilence): readonly string[] {
  switch (taken.kind) {
    case 'taken':
      return [];
    case 'invalid':
      return taken.problems;
    case 'full':
      return [taken.problem];
  }
}

/** What a form of an incident's page may hold. */
interface IncidentForm {
  /** A claim; null: none is made. */
  readonly by: string | null;
  readonly comment: string | null;
  /** As typed: a silence says what is wrong with it. */
  readonly duration: string | null;
}

type ReadIncidentForm =
  | { readonly kind: 'ok'; readonly form: IncidentForm }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Reads what a browser sends as `application/x-www-form-urlencoded`. A field that nobody has filled in is empty. */
export function readIncidentForm(body: string): ReadIncidentForm {
  const parsed = schema.safeParse(Object.fromEntries(new URLSearchParams(body)));
  if (parsed.success) return { kind: 'ok', form: parsed.data };
  return {
    kind: 'invalid',
    problems: parsed.error.issues.map(({ path, message }) => `"${path.map(String).join('.')}": ${message}`),
  };
}

function optional(text: z.ZodType<string>): z.ZodType<string | null> {
  return z.preprocess((value) => (value === '' || value === undefined ? null : value), text.nullable());
}

const schema = z.object({
  by: optional(oneLine(MAX_NAME)),
  comment: optional(oneLine(MAX_COMMENT)),
  duration: optional(oneLine(MAX_NAME)),
});
