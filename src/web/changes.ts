import type { Context } from 'hono';
import type { Logger } from 'pino';
import * as z from 'zod';
import type { AuditEntry } from '../core/audit.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { accountOf, type WebSources, type WebEnv } from './sources.ts';
import { type AccessPolicy, changeRefusal, refusalText } from './change-refusal.ts';
import { isoTime, parseDuration } from '../core/time-text.ts';
import type { Silence } from '../engine/incident/incident.ts';
import { MAX_SILENCES } from '../engine/incident/machine.ts';
import { type CauseId, isCauseId } from '../checks/registry.ts';
import { showValue } from '../text/show.ts';
import { visibleText } from '../core/visible-text.ts';

export interface ChangeTools {
  readonly access: AccessPolicy;
  readonly sources: Pick<WebSources, 'noteChange' | 'noteRefusal'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is asked for, as the audit trail keeps it. */
type AskedChange = Pick<AuditEntry, 'action' | 'incident' | 'cause' | 'subject' | 'detail'>;

/** Of a request whose body has not been read. */
export function unreadChange(action: AuditEntry['action'], detail = ''): AskedChange {
  return { action, incident: null, cause: null, subject: null, detail };
}

/** Why it may not be, in a sentence, after that was noted; null: it may. */
export function refuseChange(context: Context<WebEnv>, asked: AskedChange, tools: ChangeTools): string | null {
  const refused = changeRefusal(context, tools.access);
  if (refused === null) return null;
  const { action, account, address, at } = entryOf(context, asked, tools, null);
  tools.sources.noteRefusal({ action, account, address, at }, refused);
  return refusalText(refused, context);
}

/** What was done. `claimed`: the name that who is not asked for one has given. */
export function noteDone(
  context: Context<WebEnv>,
  asked: AskedChange,
  tools: ChangeTools,
  claimed: string | null = null,
): void {
  const entry = entryOf(context, asked, tools, claimed);
  tools.sources.noteChange(entry);
  tools.logger.info({ change: entry }, 'Changed on request');
}

function entryOf(
  context: Context<WebEnv>,
  asked: AskedChange,
  { clock }: ChangeTools,
  claimed: string | null,
): AuditEntry {
  const caller = context.get('caller');
  return { at: clock.now(), ...asked, account: accountOf(caller, claimed), address: caller.address };
}

export interface SilenceTools extends ChangeTools {
  readonly sources: Pick<
    WebSources,
    'silences' | 'silence' | 'unsilence' | 'maintenance' | 'noteChange' | 'noteRefusal'
  >;
}

export type TakenSilence =
  | { readonly kind: 'taken'; readonly silence: Silence }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  | { readonly kind: 'full'; readonly problem: string };

/**
 * Adds what `readSilence` can read, for who may change something, and notes it.
 * @param incident from whose page it is asked for; null: from none
 */
export function takeSilence(
  context: Context<WebEnv>,
  body: unknown,
  incident: string | null,
  tools: SilenceTools,
): TakenSilence {
  const { sources, clock } = tools;
  const read = readSilence(body, clock.now());
  if (read.kind === 'invalid') return read;
  const claimed = read.request.by;
  const request = { ...read.request, by: accountOf(context.get('caller'), claimed) };
  const silence = lasting(sources.silences(), clock.now()).length < MAX_SILENCES ? sources.silence(request) : null;
  if (silence === null)
    return { kind: 'full', problem: `There are ${String(MAX_SILENCES)} silences already: remove one first` };
  const { id, cause, subject, until, comment } = silence;
  const detail = `${id} until ${isoTime(until)}: ${comment}`;
  noteDone(context, { action: 'add-silence', incident, cause, subject, detail }, tools, claimed);
  return { kind: 'taken', silence };
}

/** The engine drops those that are over a moment later. */
export function lasting(silences: readonly Silence[], now: EpochMs): readonly Silence[] {
  return silences.filter(({ until }) => until > now);
}

/** `by` is a claim: null where the request makes none. */
type SilenceRequest = Omit<Silence, 'id' | 'from' | 'by'> & { readonly by: string | null };

type ReadSilence =
  | { readonly kind: 'ok'; readonly request: SilenceRequest }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Characters of who asks, and of why. */
export const MAX_NAME = 100;
export const MAX_COMMENT = 500;

/** A silence that nobody remembers hides a fault for good. */
const LONGEST: Millis = 90 * 86_400_000;

/**
 * Reads the body of `POST /api/v1/silences`: `{cause?, subject?, duration | until, by?, comment}`. Every problem is
 * told at once.
 * @param now what `duration` counts from
 */
export function readSilence(body: unknown, now: EpochMs): ReadSilence {
  const parsed = silenceSchema(now).safeParse(body);
  return parsed.success
    ? { kind: 'ok', request: parsed.data }
    : { kind: 'invalid', problems: parsed.error.issues.flatMap(problemsOf) };
}

function silenceSchema(now: EpochMs): z.ZodType<SilenceRequest> {
  return z
    .strictObject({
      cause: z.custom<CauseId>(isCause, expected('a cause such as "tls-intercepted"')).nullable().default(null),
      subject: oneLine(255).nullable().default(null),
      duration: z.string(expected('a duration such as "2h"')).transform(toDuration).optional(),
      until: z.iso
        .datetime({ offset: true, ...expected('a time such as "2026-11-24T18:00:00Z"') })
        .transform((text) => Date.parse(text))
        .optional(),
      by: oneLine(MAX_NAME).nullable().default(null),
      comment: oneLine(MAX_COMMENT),
    })
    .transform(({ duration, until, ...rest }, context): SilenceRequest => {
      const end = duration === undefined ? until : until === undefined ? now + duration : undefined;
      const problem = problemOfEnd(end, now);
      if (problem !== null)
        context.addIssue({ code: 'custom', path: [duration === undefined ? 'until' : 'duration'], message: problem });
      return { ...rest, until: end ?? now };
    });
}

function problemOfEnd(end: EpochMs | undefined, now: EpochMs): string | null {
  if (end === undefined) return 'expected either "duration" or "until"';
  if (end <= now) return 'expected a time that is still to come';
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

function isCause(value: unknown): boolean {
  return typeof value === 'string' && isCauseId(value);
}

function problemsOf(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, 10).map((key) => `${showValue(key)} is no key of a silence`);
  const path = issue.path.map(String).join('.');
  return [path === '' ? 'The body: expected a JSON object' : `"${path}": ${issue.message}`];
}

/** Text of one line that somebody has typed. */
export function oneLine(longest: number): z.ZodType<string> {
  return z
    .string(expected('a text'))
    .refine(
      (text) => text.trim() !== '' && text.length <= longest,
      `expected a text of 1 to ${String(longest)} characters`,
    )
    .refine(
      (text) => visibleText(text, text.length) === text,
      'expected a text of one line, without invisible characters',
    );
}

/** The message about a value of another kind. */
function expected(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return {
    error: ({ input }) => (input === undefined ? `expected ${what}` : `expected ${what}, got ${showValue(input)}`),
  };
}
