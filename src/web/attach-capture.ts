import type { Context } from 'hono';
import * as z from 'zod';
import { addressFamily, hostOf } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import { isoTime } from '../core/time-text.ts';
import { nameList } from '../core/phrases.ts';
import { visibleText } from '../core/visible-text.ts';
import { type ChangeTools, noteDone, refuseChange, unreadChange } from './changes.ts';
import type { WebSources, WebEnv } from './sources.ts';

export interface AttachTools extends ChangeTools {
  readonly sources: ChangeTools['sources'] & Pick<WebSources, 'incidentRecord' | 'unitAddresses' | 'attachEvidence'>;
}

/** A capture may have been started before the fault was confirmed, and the clocks of two devices differ. */
const BEFORE: Millis = 30 * 60_000;
const AFTER: Millis = 5 * 60_000;
/** Longest text of an entry in the audit trail, and of one sentence in the evidence. */
const MAX_TEXT = 1_000;
const MOST_ATTACHED = 5;

/** Of the connections of `capture --json`, as many and as much as is kept. */
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
 * Adds what a capture shows to the evidence of an open incident, as FortiAuthenticator's own view. Only connections
 * count that one of the configured units made while the incident lasted. It changes nothing else.
 */
export async function attachCapture(context: Context<WebEnv>, id: string, tools: AttachTools): Promise<Response> {
  const { sources, clock } = tools;
  const refusal = refuseChange(context, { ...unreadChange('attach-capture'), incident: id.slice(0, 100) }, tools);
  if (refusal !== null) return context.json({ error: refusal }, 403);
  if (!/^application\/json\s*(?:;|$)/iu.test(context.req.header('Content-Type') ?? ''))
    return context.json({ error: 'Expected a JSON object, sent with "Content-Type: application/json"' }, 415);
  const record = sources.incidentRecord(id);
  if (record === null) return context.json({ error: `There is no incident "${visibleText(id, 100)}"` }, 404);
  const { incident } = record;
  if (incident.status !== 'open') return context.json({ error: 'The incident has ended' }, 409);
  const sent = resultShape.safeParse(await context.req.json().catch(() => undefined));
  if (!sent.success)
    return context.json({ error: `Expected at most ${String(MOST_ATTACHED)} connections of "capture --json"` }, 400);
  const units = sources.unitAddresses().filter((address) => addressFamily(address) !== null);
  const [from, until] = [incident.since - BEFORE, clock.now() + AFTER];
  const own = sent.data.connections.filter(({ client }) => units.includes(hostOf(client)));
  const fitting = own.filter(({ startedAt }) => {
    const at = startedAt === null ? Number.NaN : Date.parse(startedAt);
    return from <= at && at <= until;
  });
  if (fitting.length === 0)
    return context.json(
      {
        error:
          own.length === 0
            ? `No connection in the capture comes from a configured unit: expected ${nameList(units) || 'an address in "appliances" or "firewall"'}`
            : `No connection of the unit was made between ${isoTime(from)} and ${isoTime(until)}`,
      },
      409,
    );
  const told = fitting.map(({ client, startedAt, tls, verdict, summary, chain: [leaf] }) => {
    const shown = leaf === undefined ? '' : ` (SHA-256 ${leaf.sha256})`;
    return `${client} at ${startedAt ?? ''}${tls === null ? '' : `, TLS ${tls}`}: ${verdict}. ${summary}${shown}`;
  });
  const evidence = told.map((text) =>
    visibleText(`A capture of FortiAuthenticator's own connection: ${text}`, MAX_TEXT),
  );
  if (!sources.attachEvidence(id, evidence)) return context.json({ error: 'The incident has ended' }, 409);
  const detail = visibleText(told.join('; '), MAX_TEXT);
  const { id: cause, subject } = incident.cause;
  noteDone(context, { action: 'attach-capture', incident: id, cause, subject, detail }, tools);
  return context.json({ attached: fitting.length }, 201);
}
