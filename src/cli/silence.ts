import * as z from 'zod';

import { visibleText } from '../core/visible-text.ts';
import type { DaemonAnswer, DaemonClient } from './daemon-client.ts';

export interface SilenceDeps {
  readonly daemon: DaemonClient;
  readonly output: { write(text: string): unknown };
  readonly errors: { write(text: string): unknown };
}

/** As typed: the daemon says what is wrong with it. */
export interface NewSilence {
  readonly cause: string | undefined;
  readonly subject: string | undefined;
  readonly duration: string | undefined;
  readonly until: string | undefined;
  readonly by: string;
  readonly comment: string;
}

/** Exit codes of `silence`; 3 when the daemon cannot be asked. */
const SILENCE_EXIT = { done: 0, refused: 2 } as const;

const PATH = '/api/v1/silences';
const MAX_SHOWN = 1_000;

const silenceShape = z.object({
  id: z.string(),
  cause: z.string().nullable(),
  subject: z.string().nullable(),
  until: z.string(),
  by: z.string(),
  comment: z.string(),
});
const listShape = z.object({ silences: z.array(silenceShape) });
const problemShape = z.object({ error: z.string(), problems: z.array(z.string()).default([]) });

/** `silence add`: asks the daemon for a silence and prints it. Returns the exit code. */
export async function silenceAdd(asked: NewSilence, { daemon, output, errors }: SilenceDeps): Promise<number> {
  const answer = await daemon.ask('POST', PATH, asked);
  const silence = silenceShape.safeParse(answer.body);
  if (answer.status !== 201 || !silence.success) return refuse(answer, errors);
  output.write(`Added ${describe(silence.data)}\n`);
  return SILENCE_EXIT.done;
}

/** `silence list`: prints those that last, or the daemon's own object. Returns the exit code. */
export async function silenceList(json: boolean, { daemon, output, errors }: SilenceDeps): Promise<number> {
  const answer = await daemon.ask('GET', PATH);
  const list = listShape.safeParse(answer.body);
  if (answer.status !== 200 || !list.success) return refuse(answer, errors);
  if (json) output.write(`${JSON.stringify(answer.body)}\n`);
  else if (list.data.silences.length === 0) output.write('Nothing is silenced\n');
  else output.write(list.data.silences.map((silence) => `${describe(silence)}\n`).join(''));
  return SILENCE_EXIT.done;
}

/** `silence remove`: ends silences at once. Returns the exit code. */
export async function silenceRemove(ids: readonly string[], { daemon, output, errors }: SilenceDeps): Promise<number> {
  let code: number = SILENCE_EXIT.done;
  for (const id of ids) {
    const answer = await daemon.ask('DELETE', `${PATH}/${encodeURIComponent(id)}`);
    if (answer.status === 204) output.write(`Removed ${shown(id)}\n`);
    else code = refuse(answer, errors);
  }
  return code;
}

function describe({ id, cause, subject, until, by, comment }: z.infer<typeof silenceShape>): string {
  const what = [cause ?? 'every cause', ...(subject === null ? [] : [`at ${subject}`])].join(' ');
  return shown(`${id}: ${what} until ${until}, by ${by}: ${comment}`);
}

function refuse({ status, body }: DaemonAnswer, errors: SilenceDeps['errors']): number {
  const problem = problemShape.safeParse(body);
  const lines = problem.success
    ? [problem.data.error, ...problem.data.problems.map((line) => `- ${line}`)]
    : [strange(status)];
  errors.write(lines.map((line) => `${shown(line)}\n`).join(''));
  return SILENCE_EXIT.refused;
}

function strange(status: number): string {
  return `The answer was HTTP ${String(status)} and no silence: is it ftm-watch of this version that listens there?`;
}

function shown(text: string): string {
  return visibleText(text, MAX_SHOWN);
}
