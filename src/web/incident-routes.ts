import type { Context, Hono } from 'hono';
import * as z from 'zod';
import { verdictAt } from '../checks/verdict-words.ts';
import { addressFamily, hostOf } from '../core/addresses.ts';
import type { AuditEntry } from '../core/audit.ts';
import type { Millis } from '../core/clock.ts';
import { nameList, visibleText } from '../core/visible-text.ts';
import { isoTime, zoneOf } from '../core/time-text.ts';
import { incidentMarkdown } from '../document/incident-markdown.ts';
import { notificationEvents } from '../notify/channels/deliveries.ts';
import { callerRefusal, type Web } from './access.ts';
import {
  answerJson,
  auditEntryToJson,
  change,
  MAX_COMMENT,
  MAX_NAME,
  oneLine,
  type Outcome,
  type Refused,
  refused,
  silenced,
} from './changes.ts';
import { renderFeed } from './feed.ts';
import {
  availabilityToCsv,
  type IncidentQuery,
  incidentsToCsv,
  incidentsToJson,
  incidentsToJsonText,
  notificationsToJson,
  readIncidentQuery,
} from './incident-json.ts';
import { oneATurn } from '../system/clock.ts';
import { createKeptTexts, type KeptTexts } from './kept-texts.ts';
import { readerAt } from './page/page-document.ts';
import { quietNow } from './page/incidents-view.ts';
import { renderIncidentList } from './page/incident-list-page.ts';
import { type Permission, renderIncident } from './page/incident-page.ts';
import { accountOf, type IncidentRecord, type WebEnv } from './sources.ts';
import { answerFile, taggedFile } from './static-files.ts';

const MOST_SHOWN = 100;
/** Loading and formatting incidents blocks the event loop. */
const MOST_EXPORTED = 1_000;
const MOST_FOR_FEED = 500;
const MAX_SHOWN_ID = 100;

const ALL: IncidentQuery = { cause: null, state: null, from: null, until: null };

export function addIncidentRoutes(app: Hono<WebEnv>, web: Web): void {
  const { sources, clock } = web;
  const turn = oneATurn();
  const answerExport = createExporter(createKeptTexts(sources), turn);
  // A page with many incidents takes up to 100 ms, so other requests are answered in between.
  app.get('/incidents', async (context) => {
    await turn();
    const reader = readerAt(clock.now(), sources.timezone());
    const asked = readIncidentQuery(context.req.queries(), reader.zone);
    const found = sources.findIncidents(asked.query, MOST_SHOWN);
    const [site, quiet, availability] = [sources.site(), quietNow(sources), sources.availability()];
    return context.html(renderIncidentList({ site, asked, found, quiet, availability, reader }));
  });
  app.get('/incidents.atom', async (context) => {
    const { incidents } = await sources.collectIncidents(ALL, MOST_FOR_FEED);
    await turn();
    const { startedAt } = sources.activity();
    const zone = zoneOf(sources.timezone());
    const feed = renderFeed({ site: sources.site(), publicUrl: sources.publicUrl(), incidents, startedAt, zone });
    return answerFile(taggedFile(feed, 'application/atom+xml; charset=utf-8'), context);
  });
  // Must precede the route of the incident page, which matches every ID.
  app.get('/incidents/:id{[^/]+\\.md}', (context) => {
    const record = sources.incidentRecord(context.req.param('id').replace(/\.md$/u, ''));
    if (record === null) return noIncident(context);
    const { zone, now } = readerAt(clock.now(), sources.timezone());
    const reader = { site: sources.site(), publicUrl: sources.publicUrl(), zone, now };
    const notifications = notificationEvents(record.outboxEntries, (at) => zone.text(at));
    const file = incidentMarkdown(record, notifications, reader);
    return context.body(file, 200, { 'Content-Type': 'text/markdown; charset=utf-8' });
  });
  app.get('/incidents/:id', (context) => {
    const record = sources.incidentRecord(context.req.param('id'));
    return record === null ? noIncident(context) : pageOf(context, record, web, []);
  });
  app.post('/api/v1/incidents/:id/capture', (context) => attachCapture(context, context.req.param('id'), web));
  app.post('/incidents/acknowledge', (context) => acknowledgeSeveral(context, web));
  app.post('/incidents/silence', (context) => silenceCause(context, web));
  app.post('/incidents/:id/:action', async (context) => {
    const action = context.req.param('action');
    if (!isIncidentAction(action)) return context.notFound();
    return actOnIncident(context, action, context.req.param('id'), web);
  });
  app.get('/api/v1/incidents', async (context) => {
    if (Object.keys(context.req.query()).length === 0) {
      const { incidents, complete } = sources.alertHistory();
      return context.json({ incidents: incidentsToJson(incidents), complete });
    }
    return answerExport(context, { 'Content-Type': 'application/json' }, async (query) => {
      const { incidents, more, complete } = await sources.collectIncidents(query, MOST_EXPORTED);
      return incidentsToJsonText(incidents, { more, complete });
    });
  });
  app.get('/api/v1/incidents.csv', (context) =>
    answerExport(context, csvHeaders('incidents'), async (query) => {
      const { incidents } = await sources.collectIncidents(query, MOST_EXPORTED);
      return incidentsToCsv(incidents);
    }),
  );
  app.get('/api/v1/availability.csv', (context) =>
    context.body(availabilityToCsv(sources.availability()), 200, csvHeaders('availability')),
  );
  app.get('/api/v1/incidents/:id', (context) => {
    const record = sources.incidentRecord(context.req.param('id'));
    if (record === null) return context.json({ error: noIncidentText(context) }, 404);
    return context.json({
      incident: incidentsToJson([record.incident])[0],
      notifications: notificationsToJson(record.outboxEntries),
      changes: record.changes.map(auditEntryToJson),
      omittedChanges: record.omittedChanges,
      complete: record.complete,
    });
  });
}

function csvHeaders(name: string): Record<string, string> {
  return {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="ftm-watch-${name}.csv"`,
  };
}

type Exporter = (
  context: Context<WebEnv>,
  headers: Readonly<Record<string, string>>,
  make: (query: IncidentQuery) => Promise<string>,
) => Promise<Response>;

/** Rejects invalid parameters, because a program that misspells a parameter would otherwise receive unexpected data. */
function createExporter(kept: KeptTexts, turn: () => Promise<void>): Exporter {
  return async (context, headers, make) => {
    const { query, given, problems } = readIncidentQuery(context.req.queries());
    if (problems.length > 0) return context.json({ error: 'Cannot search for incidents', problems }, 400);
    const text = kept(`${context.req.path} ${JSON.stringify(given)}`, () => make(query));
    if (text === null)
      return context.text('Too many exports are waiting. Try again in a few seconds\n', 503, { 'Retry-After': '5' });
    const body = await text;
    await turn();
    return context.body(body, 200, headers);
  };
}

function pageOf(
  context: Context<WebEnv>,
  record: IncidentRecord,
  { access, sources, clock }: Web,
  problems: readonly string[],
): Response {
  const file = renderIncident({
    site: sources.site(),
    record,
    quiet: quietNow(sources),
    present: verdictAt(clock.now(), sources.diagnosis(), sources.knownFor()).text,
    permission: permissionOf(context, access),
    controlSocket: sources.controlSocket(),
    // The response to a form has a URL one level below the incident page.
    root: problems.length === 0 ? '../' : '../../',
    problems,
    reader: readerAt(clock.now(), sources.timezone()),
  });
  return problems.length === 0 ? answerFile(file, context, 'no-store') : context.html(file.body, 400);
}

function permissionOf(context: Context<WebEnv>, access: Web['access']): Permission {
  const { name, role } = context.get('caller');
  switch (callerRefusal(context, access)) {
    case null:
      return { kind: 'allowed', asksName: name === null };
    case 'account':
      return { kind: 'no-accounts' };
    case 'role':
    case 'origin':
      return { kind: 'role', role };
  }
}

function noIncident(context: Context<WebEnv>): Response {
  return context.text(`${noIncidentText(context)}\n`, 404);
}

function noIncidentText(context: Context<WebEnv>): string {
  const id = visibleText(context.req.param('id') ?? '', MAX_SHOWN_ID);
  return `There is no incident "${id}", or it is older than store.retention. See /incidents`;
}

const ACTIONS = ['acknowledge', 'unacknowledge', 'silence', 'comment'] as const;

type IncidentAction = (typeof ACTIONS)[number];

function isIncidentAction(text: string): text is IncidentAction {
  return ACTIONS.some((action) => action === text);
}

async function actOnIncident(
  context: Context<WebEnv>,
  action: IncidentAction,
  id: string,
  web: Web,
): Promise<Response> {
  const record = web.sources.incidentRecord(id);
  const noted: AuditEntry['action'] = action === 'silence' ? 'add-silence' : action;
  const asked = { action: noted, incident: id.slice(0, MAX_NAME) };
  const outcome = await change(context, web, asked, 'form', (form) =>
    record === null ? refused(404, '') : acted(context, action, record, form, web),
  );
  // Relative, because a proxy can serve the pages under any path.
  if (outcome.kind === 'done') return context.body(null, 303, { Location: `../${encodeURIComponent(id)}` });
  const { status, error, problems = [error] } = outcome;
  if (status === 403 || status === 415 || status === 429 || status === 503) return context.text(`${error}\n`, status);
  return record === null ? noIncident(context) : pageOf(context, record, web, problems);
}

function acted(
  context: Context<WebEnv>,
  action: IncidentAction,
  { incident: { id, cause } }: IncidentRecord,
  form: unknown,
  web: Web,
): Outcome<unknown> {
  const subject = cause.subject === '' ? null : cause.subject;
  const { sources } = web;
  const read = readIncidentForm(form);
  if (read.kind === 'refused') return read;
  const { by: claimed, comment, duration, from } = read;
  const done = (detail: string): Outcome<unknown> => ({
    kind: 'done',
    value: null,
    noted: { cause: cause.id, subject: cause.subject, detail },
    claimed,
  });
  switch (action) {
    case 'acknowledge':
      return sources.acknowledge(id, accountOf(context.get('caller'), claimed)) ? done('') : IS_OVER;
    case 'unacknowledge':
      return sources.unacknowledge(id) ? done('') : IS_OVER;
    case 'comment':
      return comment === undefined ? refused(400, '"comment": expected text') : done(comment);
    case 'silence':
      // As for `POST /api/v1/silences`.
      return silenced(context, web, {
        cause: cause.id,
        subject,
        by: claimed,
        comment,
        duration,
        from: from === undefined ? undefined : instantIn(sources.timezone(), from),
      });
  }
}

const several = z.object({
  by: oneLine(MAX_NAME).nullable().default(null),
  /** Separated by commas. */
  incidents: z.string(),
});

/** From the status page, on which incidents with the same cause share a form. */
async function acknowledgeSeveral(context: Context<WebEnv>, web: Web): Promise<Response> {
  const { sources } = web;
  const outcome = await change(context, web, { action: 'acknowledge' }, 'form', (form) => {
    const read = several.safeParse(form);
    if (!read.success) return refused(400, '"incidents": expected ids, separated by commas');
    const { by: claimed, incidents } = read.data;
    const by = accountOf(context.get('caller'), claimed);
    const known = incidents.split(',').flatMap((id) => sources.incidentRecord(id)?.incident ?? []);
    const taken = known.filter(({ id }) => sources.acknowledge(id, by));
    const noted = taken.map(({ id, cause }) => ({ incident: id, cause: cause.id, subject: cause.subject, detail: '' }));
    return noted.length === 0 ? IS_OVER : { kind: 'done', value: null, noted, claimed };
  });
  return toStatusPage(context, outcome);
}

async function silenceCause(context: Context<WebEnv>, web: Web): Promise<Response> {
  const outcome = await change(context, web, { action: 'add-silence' }, 'form', (form) => silenced(context, web, form));
  return toStatusPage(context, outcome);
}

/** Relative, because a proxy can serve the pages under any path. */
function toStatusPage(context: Context<WebEnv>, outcome: Outcome<unknown>): Response {
  if (outcome.kind === 'done') return context.body(null, 303, { Location: '../' });
  const { status, error, problems = [] } = outcome;
  return context.text(`${[error, ...problems].join('\n')}\n`, status);
}

/** A browser sends a local time without a zone. Any other text is returned unchanged, because it is validated later. */
function instantIn(timezone: string, text: string): string {
  const at = zoneOf(timezone).instant(text);
  return at === null ? text : isoTime(at);
}

const IS_OVER = refused(409, 'The incident has already been resolved');

const formShape = z.object({
  by: oneLine(MAX_NAME).nullable().default(null),
  comment: oneLine(MAX_COMMENT).exactOptional(),
  duration: oneLine(MAX_NAME).exactOptional(),
  from: oneLine(MAX_NAME).exactOptional(),
});

export function readIncidentForm(fields: unknown): ({ readonly kind: 'ok' } & z.infer<typeof formShape>) | Refused {
  const parsed = formShape.safeParse(fields);
  if (parsed.success) return { kind: 'ok', ...parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => `"${path.map(String).join('.')}": ${message}`);
  return refused(400, 'The form is not valid', problems);
}

/** A capture can start before the fault is confirmed, and the clocks of two devices can differ. */
const BEFORE: Millis = 30 * 60_000;
const AFTER: Millis = 5 * 60_000;
const MAX_TEXT = 1_000;
const MOST_ATTACHED = 5;

/**
 * Connections in the output of `capture --json`. Their number and size are limited, because parts of them are stored.
 */
const resultShape = z.object({
  connections: z
    .array(
      z.object({
        client: z.string().max(100),
        startedAt: z.iso.datetime().nullable(),
        tls: z.string().max(20).nullable(),
        verdict: z.string().max(40),
        summary: z.string().max(MAX_TEXT),
        chain: z.array(z.object({ sha256: z.string().max(100) })).max(16),
      }),
    )
    .max(MOST_ATTACHED),
});

/**
 * A capture shows what FortiAuthenticator itself receives. Only connections that a configured unit made around the
 * time of the incident are used.
 */
async function attachCapture(context: Context<WebEnv>, id: string, web: Web): Promise<Response> {
  const asked = { action: 'attach-capture', incident: id.slice(0, MAX_NAME) } as const;
  const outcome = await change(context, web, asked, 'json', (body) => attached(id, body, web));
  return answerJson(context, outcome, (count) => context.json({ attached: count }, 201));
}

function attached(id: string, body: unknown, { sources, clock }: Web): Outcome<number> {
  const record = sources.incidentRecord(id);
  if (record === null) return refused(404, `There is no incident "${visibleText(id, MAX_SHOWN_ID)}"`);
  const { incident } = record;
  if (incident.status !== 'open') return refused(409, 'The incident has already been resolved');
  const sent = resultShape.safeParse(body);
  if (!sent.success)
    return refused(400, `Expected the output of "capture --json" with at most ${String(MOST_ATTACHED)} connections`);
  const units = sources.unitAddresses().filter((address) => addressFamily(address) !== null);
  const [from, until] = [incident.since - BEFORE, clock.now() + AFTER];
  const own = sent.data.connections.filter(({ client }) => units.includes(hostOf(client)));
  const fitting = own.filter(({ startedAt }) => {
    const at = startedAt === null ? Number.NaN : Date.parse(startedAt);
    return from <= at && at <= until;
  });
  if (own.length === 0)
    return refused(
      409,
      'No connection in the capture comes from a configured unit. Expected ' +
        (nameList(units) || 'an address in "appliances" or "firewall"'),
    );
  if (fitting.length === 0)
    return refused(
      409,
      `The capture contains no connection from a unit between ${isoTime(from)} and ${isoTime(until)}`,
    );
  const told = fitting.map(
    ({ client, startedAt, tls, verdict, summary, chain: [leaf] }) =>
      `${client} at ${startedAt ?? ''}${tls === null ? '' : `, TLS ${tls}`}: ${verdict}. ${summary}` +
      `${leaf === undefined ? '' : ` (SHA-256 ${leaf.sha256})`}`,
  );
  const evidence = told.map((text) =>
    visibleText(`Packet capture of FortiAuthenticator's connection: ${text}`, MAX_TEXT),
  );
  if (!sources.attachEvidence(id, evidence)) return refused(409, 'The incident has already been resolved');
  const { id: cause, subject } = incident.cause;
  const noted = { incident: id, cause, subject, detail: visibleText(told.join('; '), MAX_TEXT) };
  return { kind: 'done', value: fitting.length, noted };
}
