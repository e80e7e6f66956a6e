import type { Context } from 'hono';
import { isoTime } from '../core/instant-text.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Silence } from '../engine/incident/incident.ts';
import { MAX_SILENCES } from '../engine/incident/machine.ts';
import { type ChangeTools, noteDone } from './audit-changes.ts';
import { accountOf } from './caller.ts';
import { readSilence } from './silence-request.ts';
import type { WebSources } from './sources.ts';
import type { WebEnv } from './web-env.ts';

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
