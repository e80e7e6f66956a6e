import { type Context, Hono } from 'hono';
import type { Silence } from '../engine/incident/incident.ts';
import { isoTime, isoTimeOrNull } from '../core/time-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { noteDone, refuseChange, unreadChange, lasting, type SilenceTools, takeSilence } from './changes.ts';
import type { MaintenancePlan, WebEnv } from './sources.ts';

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
    noteDone(context, { action: 'remove-silence', incident: null, cause, subject, detail: id }, tools);
    return context.body(null, 204);
  });
  return app;
}

async function addSilence(context: Context<WebEnv>, tools: SilenceTools): Promise<Response> {
  const refusal = refuseChange(context, unreadChange('add-silence'), tools);
  if (refusal !== null) return context.json({ error: refusal }, 403);
  // A form of somebody else's page cannot send this type.
  if (!/^application\/json\s*(?:;|$)/iu.test(context.req.header('Content-Type') ?? ''))
    return context.json({ error: 'Expected a JSON object, sent with "Content-Type: application/json"' }, 415);
  const taken = takeSilence(context, await jsonOf(context), null, tools);
  switch (taken.kind) {
    case 'taken':
      return context.json(silenceToJson(taken.silence), 201);
    case 'invalid':
      return context.json({ error: 'This silence cannot be taken', problems: taken.problems }, 400);
    case 'full':
      return context.json({ error: taken.problem }, 409);
  }
}

/** undefined for what is no JSON. */
async function jsonOf(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch {
    return undefined;
  }
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
