import * as z from 'zod';
import { visibleText } from '../core/visible-text.ts';
import { controlPlace } from '../runtime/store-places.ts';
import { createDaemonClient, type DaemonAnswer, type DaemonClient, problemOf } from './daemon-client.ts';
import { storePathOf, type Streams, type Invocation, type Terminal } from './terminal.ts';

interface SilenceDeps extends Streams, Pick<Terminal, 'account'> {
  readonly daemon: DaemonClient;
}

/** These options are validated by the daemon. */
export interface TypedSilence {
  readonly from?: string;
  readonly for?: string;
  readonly until?: string;
  readonly cause?: string;
  readonly subject?: string;
  readonly by?: string;
  readonly comment: string;
}

const SILENCE_EXIT = { done: 0, refused: 2 } as const;

const PATH = '/api/v1/silences';
const MAX_SHOWN = 1_000;

const silenceShape = z.object({
  id: z.string(),
  cause: z.string().nullable(),
  subject: z.string().nullable(),
  from: z.string(),
  until: z.string(),
  planned: z.boolean(),
  by: z.string(),
  comment: z.string(),
});
const listShape = z.object({ silences: z.array(silenceShape) });

export type SilenceCommand =
  | { readonly kind: 'add'; readonly silence: TypedSilence }
  | { readonly kind: 'list'; readonly json: boolean }
  | { readonly kind: 'remove'; readonly ids: readonly string[] };

export async function runSilence(command: SilenceCommand, terminal: Invocation): Promise<number> {
  const daemon = await createDaemonClient(controlPlace(await storePathOf(terminal), terminal.env), terminal);
  const deps = { ...terminal, daemon };
  switch (command.kind) {
    case 'add':
      return silenceAdd(command.silence, deps);
    case 'list':
      return silenceList(command.json, deps);
    case 'remove':
      return silenceRemove(command.ids, deps);
  }
}

async function silenceAdd(typed: TypedSilence, { daemon, account, output, errors }: SilenceDeps): Promise<number> {
  const { from, for: duration, until, cause, subject, by = account, comment } = typed;
  // The daemon would name the fields of its API instead of the options.
  if ((duration === undefined) === (until === undefined)) throw new Error('Expected either "--for" or "--until"');
  const answer = await daemon.ask('POST', PATH, { from, duration, until, cause, subject, by, comment });
  const silence = silenceShape.safeParse(answer.json);
  if (answer.status !== 201 || !silence.success) return refuse(answer, errors);
  output.write(`Added ${describe(silence.data)}\n`);
  return SILENCE_EXIT.done;
}

async function silenceList(json: boolean, { daemon, output, errors }: SilenceDeps): Promise<number> {
  const answer = await daemon.ask('GET', PATH);
  const list = listShape.safeParse(answer.json);
  if (answer.status !== 200 || !list.success) return refuse(answer, errors);
  if (json) output.write(`${answer.text}\n`);
  else if (list.data.silences.length === 0) output.write('There are no silences\n');
  else output.write(list.data.silences.map((silence) => `${describe(silence)}\n`).join(''));
  return SILENCE_EXIT.done;
}

async function silenceRemove(ids: readonly string[], { daemon, output, errors }: SilenceDeps): Promise<number> {
  let code: number = SILENCE_EXIT.done;
  for (const id of ids) {
    const answer = await daemon.ask('DELETE', `${PATH}/${encodeURIComponent(id)}`);
    if (answer.status === 204) output.write(`Removed ${shown(id)}\n`);
    else code = refuse(answer, errors);
  }
  return code;
}

function describe({ id, cause, subject, from, until, planned, by, comment }: z.infer<typeof silenceShape>): string {
  const what = [cause ?? 'every cause', ...(subject === null ? [] : [`at ${subject}`])].join(' ');
  return shown(`${id}: ${what} ${planned ? `planned from ${from} ` : ''}until ${until}, by ${by}: ${comment}`);
}

function refuse(answer: DaemonAnswer, errors: SilenceDeps['errors']): number {
  errors.write(`${problemOf(answer)}\n`);
  return SILENCE_EXIT.refused;
}

function shown(text: string): string {
  return visibleText(text, MAX_SHOWN);
}
