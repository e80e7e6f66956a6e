import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Logger } from 'pino';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { Silence } from '../engine/incident/incident.ts';
import { MAX_SILENCES } from '../engine/incident/machine.ts';
import { visibleText } from '../core/visible-text.ts';
import { changeRefusal, type AccessPolicy } from './change-refusal.ts';
import { readSilence } from './silence-request.ts';
import type { MaintenancePlan } from './alert-history.ts';
import type { WebSources } from './sources.ts';

export interface SilenceTools extends AccessPolicy {
  readonly sources: Pick<WebSources, 'silences' | 'silence' | 'unsilence' | 'maintenance'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

type WebEnv = { readonly Bindings: HttpBindings };

/** One silence of `/api/v1/silences`: names are part of the contract. Times are ISO 8601, UTC. */
interface SilenceJson {
  readonly id: string;
  /** null: every cause. */
  readonly cause: string | null;
  /** null: every subject. */
  readonly subject: string | null;
  readonly from: string;
  readonly until: string;
  readonly by: string;
  readonly comment: string;
}

const MAX_SHOWN_ID = 100;

/** Lists, adds and removes silences. */
export function createSilenceRoutes(tools: SilenceTools): Hono<WebEnv> {
  const { sources, clock, logger } = tools;
  const app = new Hono<WebEnv>();
  app.get('/api/v1/silences', (context) =>
    context.json({
      silences: lasting(sources.silences(), clock.now()).map(silenceToJson),
      maintenance: planToJson(sources.maintenance()),
    }),
  );
  app.post('/api/v1/silences', (context) => addSilence(context, tools));
  app.delete('/api/v1/silences/:id', (context) => {
    const refusal = changeRefusal(context, tools);
    if (refusal !== null) return context.json({ error: refusal }, 403);
    const id = visibleText(context.req.param('id'), MAX_SHOWN_ID);
    if (!sources.unsilence(id)) return context.json({ error: `There is no silence "${id}"` }, 404);
    logger.info({ silence: id }, 'Removed a silence on request');
    return context.body(null, 204);
  });
  return app;
}

async function addSilence(context: Context<WebEnv>, tools: SilenceTools): Promise<Response> {
  const { sources, clock, logger } = tools;
  const refusal = changeRefusal(context, tools);
  if (refusal !== null) return context.json({ error: refusal }, 403);
  // A form of somebody else's page cannot send this type.
  if (!/^application\/json\s*(?:;|$)/iu.test(context.req.header('Content-Type') ?? ''))
    return context.json({ error: 'Expected a JSON object, sent with "Content-Type: application/json"' }, 415);
  const read = readSilence(await jsonOf(context), clock.now());
  if (read.kind === 'invalid')
    return context.json({ error: 'This silence cannot be taken', problems: read.problems }, 400);
  const silence = lasting(sources.silences(), clock.now()).length < MAX_SILENCES ? sources.silence(read.request) : null;
  if (silence === null)
    return context.json({ error: `There are ${String(MAX_SILENCES)} silences already: remove one first` }, 409);
  logger.info({ silence: silenceToJson(silence) }, 'Added a silence on request');
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

function silenceToJson({ id, cause, subject, from, until, by, comment }: Silence): SilenceJson {
  return { id, cause, subject, from: iso(from), until: iso(until), by, comment };
}

interface PlanJson {
  readonly until: string | null;
  readonly next: { readonly from: string; readonly until: string } | null;
}

function planToJson({ until, next }: MaintenancePlan): PlanJson {
  return {
    until: until === null ? null : iso(until),
    next: next === null ? null : { from: iso(next.from), until: iso(next.until) },
  };
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}
