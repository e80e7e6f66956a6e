import { type Context, Hono } from 'hono';
import type { EpochMs } from '../core/clock.ts';
import type { Silence } from '../engine/incident/incident.ts';
import { MAX_SILENCES } from '../engine/incident/machine.ts';
import { isoTime, isoTimeOrNull } from '../core/instant-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { accountOf } from './caller.ts';
import { type ChangeTools, noteDone, refuseChange, unreadChange } from './audit-changes.ts';
import { readSilence } from './silence-request.ts';
import type { MaintenancePlan } from './alert-history.ts';
import type { WebEnv } from './web-env.ts';
import type { WebSources } from './sources.ts';

export interface SilenceTools extends ChangeTools {
  readonly sources: Pick<WebSources, 'silences' | 'silence' | 'unsilence' | 'maintenance' | 'noteChange'>;
}

const MAX_SHOWN_ID = 100;

/** Lists, adds and removes silences. */
export function createSilenceRoutes(tools: SilenceTools): Hono<WebEnv> {
  const { sources, clock } = tools;
  const app = new Hono<WebEnv>();
  app.get('/api/v1/silences', (context) =>
    context.json({
      silences: lasting(sources.silences(), clock.now()).map(silenceToJson),
      maintenance: planToJson(sources.maintenance()),
    }),
  );
  app.post('/api/v1/silences', (context) => addSilence(context, tools));
  app.delete('/api/v1/silences/:id', (context) => {
    const id = visibleText(context.req.param('id'), MAX_SHOWN_ID);
    const refusal = refuseChange(context, unreadChange('remove-silence', id), tools);
    if (refusal !== null) return context.json({ error: refusal }, 403);
    const { cause = null, subject = null } = sources.silences().find((silence) => silence.id === id) ?? {};
    if (!sources.unsilence(id)) return context.json({ error: `There is no silence "${id}"` }, 404);
    noteDone(context, { action: 'remove-silence', cause, subject, detail: id }, tools);
    return context.body(null, 204);
  });
  return app;
}

async function addSilence(context: Context<WebEnv>, tools: SilenceTools): Promise<Response> {
  const { sources, clock } = tools;
  const refusal = refuseChange(context, unreadChange('add-silence'), tools);
  if (refusal !== null) return context.json({ error: refusal }, 403);
  // A form of somebody else's page cannot send this type.
  if (!/^application\/json\s*(?:;|$)/iu.test(context.req.header('Content-Type') ?? ''))
    return context.json({ error: 'Expected a JSON object, sent with "Content-Type: application/json"' }, 415);
  const read = readSilence(await jsonOf(context), clock.now());
  if (read.kind === 'invalid')
    return context.json({ error: 'This silence cannot be taken', problems: read.problems }, 400);
  const claimed = read.request.by;
  const request = { ...read.request, by: accountOf(context.get('caller'), claimed) };
  const silence = lasting(sources.silences(), clock.now()).length < MAX_SILENCES ? sources.silence(request) : null;
  if (silence === null)
    return context.json({ error: `There are ${String(MAX_SILENCES)} silences already: remove one first` }, 409);
  const { id, cause, subject, until, comment } = silence;
  const detail = `${id} until ${isoTime(until)}: ${comment}`;
  noteDone(context, { action: 'add-silence', cause, subject, detail }, tools, claimed);
  return context.json(silenceToJson(silence), 201);
}

/** undefined for what is no JSON. */
async function jsonOf(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch {
    return undefined;
  }
}

/** The engine drops those that are over a moment later. */
function lasting(silences: readonly Silence[], now: EpochMs): readonly Silence[] {
  return silences.filter(({ until }) => until > now);
}

/** One silence of `/api/v1/silences`, every cause or subject where it is null: names are part of the contract. */
function silenceToJson({ id, cause, subject, from, until, by, comment }: Silence): object {
  return { id, cause, subject, from: isoTime(from), until: isoTime(until), by, comment };
}

function planToJson({ until, next }: MaintenancePlan): object {
  return {
    until: isoTimeOrNull(until),
    next: next === null ? null : { from: isoTime(next.from), until: isoTime(next.until) },
  };
}
