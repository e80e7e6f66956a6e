import type { Context, Hono } from 'hono';
import * as z from 'zod';
import type { AuditEntry, RefusedChanges } from '../core/audit.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { isoTime, isoTimeOrNull, parseDuration } from '../core/time-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { CAUSE_IDS, type CauseId, isCauseId } from '../checks/registry.ts';
import { isPlanned, type Silence } from '../engine/incident/incident.ts';
import { MAX_SILENCES } from '../engine/incident/machine.ts';
import { closest } from '../text/closest.ts';
import { showValue } from '../text/show.ts';
import { changeRefusal, refusalText, type Web } from './access.ts';
import { renderChanges } from './page/changes-page.ts';
import { readerAt } from './page/page-document.ts';
import { accountOf, type AuditQuery, type WebEnv } from './sources.ts';
import type { MaintenancePlan } from '../notify/maintenance.ts';

/** If the change was refused before the request body was read, only the fields that are known at that point are set. */
type Noted = Pick<AuditEntry, 'action'> & Partial<Pick<AuditEntry, 'incident' | 'cause' | 'subject' | 'detail'>>;

export type Outcome<T> =
  | {
      readonly kind: 'done';
      readonly value: T;
      /** A list for several changes in one request. */
      readonly noted: Omit<Noted, 'action'> | readonly Omit<Noted, 'action'>[];
      readonly claimed?: string | null;
    }
  | Refused;

export interface Refused {
  readonly kind: 'refused';
  readonly status: 400 | 403 | 404 | 409 | 415 | 429 | 503;
  readonly error: string;
  /** One sentence for each error. Omitted if `error` is sufficient. */
  readonly problems: readonly string[] | undefined;
}

export function refused(status: Refused['status'], error: string, problems?: readonly string[]): Refused {
  return { kind: 'refused', status, error, problems };
}

/** Forms on other sites' pages cannot send JSON, and the Origin header reveals any other such form. */
const MEDIA = {
  json: {
    type: /^application\/json\s*(?:;|$)/iu,
    error: 'Expected a JSON object, sent with "Content-Type: application/json"',
    read: ({ req }: Context): Promise<unknown> => req.json().catch(() => undefined),
  },
  form: {
    type: /^application\/x-www-form-urlencoded\s*(?:;|$)/iu,
    error: 'Expected a form, sent with "Content-Type: application/x-www-form-urlencoded"',
    read: async ({ req }: Context): Promise<unknown> => filledIn(await req.text()),
  },
  nothing: { type: /(?:)/u, error: '', read: (): Promise<unknown> => Promise.resolve(undefined) },
} as const;

export function filledIn(form: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...new URLSearchParams(form)].filter(([, value]) => value !== ''));
}

/**
 * Performs a change and records it in the audit trail. If the caller lacks permission, `noteRefusal` is called
 * instead.
 */
export async function change<T>(
  context: Context<WebEnv>,
  { access, changeLimit, sources, clock, logger }: Web,
  asked: Noted,
  media: keyof typeof MEDIA,
  carryOut: (body: unknown) => Outcome<T> | Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const caller = context.get('caller');
  const refusal = changeRefusal(context, access);
  if (refusal !== null) {
    const { address } = caller;
    sources.noteRefusal({ action: asked.action, account: accountOf(caller, null), address, at: clock.now() }, refusal);
    return refused(403, refusalText(refusal, context, sources));
  }
  if (access.kind === 'network' && !changeLimit(caller.name ?? '')) return refused(429, TOO_MANY);
  const { type, error, read } = MEDIA[media];
  if (!type.test(context.req.header('Content-Type') ?? '')) return refused(415, error);
  const body = await read(context);
  if (sources.isClosed()) return refused(503, 'ftm-watch is being reloaded or stopped. Try again in a moment');
  const outcome = await carryOut(body);
  if (outcome.kind === 'refused') return outcome;
  for (const noted of [outcome.noted].flat()) {
    const entry: AuditEntry = {
      at: clock.now(),
      incident: null,
      cause: null,
      subject: null,
      detail: '',
      ...asked,
      ...noted,
      account: accountOf(caller, outcome.claimed ?? null),
      address: caller.address,
    };
    sources.noteChange(entry);
    logger.info({ event: 'changed-on-request', change: entry }, 'Changed on request');
  }
  return outcome;
}

const TOO_MANY = 'Too many changes by this account. Try again in a minute';

export function answerJson<T>(context: Context<WebEnv>, outcome: Outcome<T>, done: (value: T) => Response): Response {
  if (outcome.kind === 'done') return done(outcome.value);
  const { status, error, problems } = outcome;
  return context.json({ error, problems }, status);
}

const MAX_SHOWN_ID = 100;

export function addSilenceRoutes(app: Hono<WebEnv>, web: Web): void {
  const { sources, clock } = web;
  app.get('/api/v1/silences', (context) =>
    context.json({
      silences: lasting(sources.silences(), clock.now()).map((silence) => silenceToJson(silence, clock.now())),
      maintenance: planToJson(sources.maintenance()),
    }),
  );
  app.post('/api/v1/silences', async (context) => {
    const added = await change(context, web, { action: 'add-silence' }, 'json', (body) => silenced(context, web, body));
    return answerJson(context, added, (silence) => context.json(silenceToJson(silence, clock.now()), 201));
  });
  app.delete('/api/v1/silences/:id', async (context) => {
    const id = visibleText(context.req.param('id'), MAX_SHOWN_ID);
    const removed = await change(context, web, { action: 'remove-silence', detail: id }, 'nothing', () => {
      const { cause = null, subject = null } = sources.silences().find((silence) => silence.id === id) ?? {};
      return sources.unsilence(id)
        ? { kind: 'done', value: null, noted: { cause, subject } }
        : refused(404, `There is no silence "${id}"`);
    });
    return answerJson(context, removed, () => context.body(null, 204));
  });
}

/** Must be called within `change`. */
export function silenced(context: Context<WebEnv>, { sources, clock }: Web, body: unknown): Outcome<Silence> {
  const read = readSilence(body, clock.now());
  if (read.kind === 'refused') return read;
  const claimed = read.request.by;
  const request = { ...read.request, by: accountOf(context.get('caller'), claimed) };
  const silence = lasting(sources.silences(), clock.now()).length < MAX_SILENCES ? sources.silence(request) : null;
  if (silence === null)
    return refused(409, `The maximum of ${String(MAX_SILENCES)} silences has been reached. Remove a silence first`);
  const { id, cause, subject, from, until, comment } = silence;
  const begin = isPlanned(silence, clock.now()) ? ` planned from ${isoTime(from)}` : '';
  const detail = `${id}${begin} until ${isoTime(until)}: ${comment}`;
  return { kind: 'done', value: silence, noted: { cause, subject, detail }, claimed };
}

function silenceToJson(silence: Silence, now: EpochMs): object {
  const { id, cause, subject, from, until, by, comment } = silence;
  const planned = isPlanned(silence, now);
  return { id, cause, subject, from: isoTime(from), until: isoTime(until), planned, by, comment };
}

function planToJson({ until, next }: MaintenancePlan): object {
  return {
    until: isoTimeOrNull(until),
    next: next === null ? null : { from: isoTime(next.from), until: isoTime(next.until) },
  };
}

/** The engine removes expired silences with a short delay. */
function lasting(silences: readonly Silence[], now: EpochMs): readonly Silence[] {
  return silences.filter(({ until }) => until > now);
}

type SilenceRequest = Omit<Silence, 'id' | 'by'> & { readonly by: string | null };

export const MAX_NAME = 100;
export const MAX_COMMENT = 500;

/** Without a limit, a forgotten silence would suppress notifications forever. */
const LONGEST: Millis = 90 * 86_400_000;

/**
 * Parses the body of `POST /api/v1/silences`: `{cause?, subject?, from?, duration | until, by?, comment}`. All errors
 * are returned together.
 */
export function readSilence(
  body: unknown,
  now: EpochMs,
): { readonly kind: 'ok'; readonly request: SilenceRequest } | Refused {
  const parsed = silenceSchema(now).safeParse(body);
  return parsed.success
    ? { kind: 'ok', request: parsed.data }
    : refused(400, 'Invalid silence', parsed.error.issues.flatMap(problemsOf));
}

const EXPECTED_CAUSE = expected('a cause such as "tls-intercepted"');

function causeProblem(issue: { readonly input?: unknown }): string {
  const { input } = issue;
  const meant = typeof input === 'string' && input.length <= MAX_NAME ? closest(input, CAUSE_IDS) : null;
  return `${EXPECTED_CAUSE.error(issue)}${meant === null ? '' : `; did you mean "${meant}"?`}`;
}

function silenceSchema(now: EpochMs): z.ZodType<SilenceRequest> {
  return z
    .strictObject({
      cause: z
        .custom<CauseId>((value) => typeof value === 'string' && isCauseId(value), { error: causeProblem })
        .nullable()
        .default(null),
      subject: oneLine(255).nullable().default(null),
      from: instant().optional(),
      duration: z.string(expected('a duration such as "2h"')).transform(toDuration).optional(),
      until: instant().optional(),
      by: oneLine(MAX_NAME).nullable().default(null),
      comment: oneLine(MAX_COMMENT),
    })
    .transform(({ from, duration, until, ...rest }, context): SilenceRequest => {
      // The time may have just passed.
      const begin = Math.max(from ?? now, now);
      const end = duration === undefined ? until : until === undefined ? begin + duration : undefined;
      const problem = problemOfEnd(end, begin, now);
      if (problem !== null)
        context.addIssue({ code: 'custom', path: [duration === undefined ? 'until' : 'duration'], message: problem });
      return { ...rest, from: begin, until: end ?? begin };
    });
}

function instant(): z.ZodType<EpochMs> {
  return z.iso
    .datetime({ offset: true, ...expected('a time such as "2026-11-24T18:00:00Z"') })
    .transform((text) => Date.parse(text));
}

function problemOfEnd(end: EpochMs | undefined, begin: EpochMs, now: EpochMs): string | null {
  if (end === undefined) return 'expected either "duration" or "until"';
  if (end <= now) return 'expected a time in the future';
  if (end <= begin) return 'expected a time after "from"';
  return end - now > LONGEST ? 'expected an end within 90 days' : null;
}

function toDuration(text: string, context: z.RefinementCtx): Millis {
  const duration = parseDuration(text);
  if (duration !== null) return duration;
  context.addIssue({
    code: 'custom',
    message: `expected a duration such as "90s", "15m", "2h" or "7d", got ${showValue(text)}`,
  });
  return z.NEVER;
}

function problemsOf(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, 10).map((key) => `unknown key ${showValue(key)} in a silence`);
  const path = issue.path.map(String).join('.');
  return [path === '' ? 'The request body must be a JSON object' : `"${path}": ${issue.message}`];
}

export function oneLine(longest: number): z.ZodType<string> {
  return z
    .string(expected('text'))
    .refine(
      (text) => text.trim() !== '' && text.length <= longest,
      `expected text of 1 to ${String(longest)} characters`,
    )
    .refine(
      (text) => visibleText(text, text.length) === text,
      'expected a single line of text without invisible characters',
    );
}

function expected(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return {
    error: ({ input }) => (input === undefined ? `expected ${what}` : `expected ${what}, got ${showValue(input)}`),
  };
}

const MOST_SHOWN = 100;
const MOST_LISTED = 1_000;

export function addAuditRoutes(app: Hono<WebEnv>, { sources, clock }: Web): void {
  app.get('/changes', (context) => {
    const { query, problems } = readAuditQuery(context);
    const found = sources.audit(query, MOST_SHOWN);
    const reader = readerAt(clock.now(), sources.timezone());
    return context.html(renderChanges({ site: sources.site(), query, problems, found, reader }));
  });
  app.get('/api/v1/audit', (context) => {
    const { query, problems } = readAuditQuery(context);
    if (problems.length > 0) return context.json({ error: 'Cannot search for changes', problems }, 400);
    const { changes, refused, more, complete } = sources.audit(query, MOST_LISTED);
    return context.json({
      changes: changes.map(auditEntryToJson),
      refused: refused.map(refusedToJson),
      more,
      complete,
    });
  });
}

interface ReadAuditQuery {
  readonly query: AuditQuery;
  readonly problems: readonly string[];
}

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

/** The field names are part of the API. */
export function auditEntryToJson({ at, ...entry }: AuditEntry): object {
  return { at: isoTime(at), ...entry };
}

function refusedToJson({ first, last, ...refused }: RefusedChanges): object {
  return { first: isoTime(first), last: isoTime(last), ...refused };
}
