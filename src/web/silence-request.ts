import { type CauseId, isCauseId } from '../checks/registry.ts';
import * as z from 'zod';
import { parseDuration } from '../core/duration.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Silence } from '../engine/incident/incident.ts';
import { showValue } from '../text/show.ts';
import { expected, oneLine } from './one-line.ts';

/** `by` is a claim: null where the request makes none. */
export type SilenceRequest = Omit<Silence, 'id' | 'from' | 'by'> & { readonly by: string | null };

export type ReadSilence =
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
