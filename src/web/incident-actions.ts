import type { Context } from 'hono';
import type { AuditEntry } from '../core/audit.ts';
import { noteDone, refuseChange, unreadChange } from './audit-changes.ts';
import { accountOf } from './caller.ts';
import type { IncidentRecord } from './alert-history.ts';
import { type IncidentForm, readIncidentForm } from './incident-form.ts';
import { MAX_NAME } from './silence-request.ts';
import { type SilenceTools, type TakenSilence, takeSilence } from './take-silence.ts';
import type { WebEnv } from './web-env.ts';
import type { WebSources } from './sources.ts';

export interface IncidentActionTools extends SilenceTools {
  readonly sources: SilenceTools['sources'] & Pick<WebSources, 'incidentRecord' | 'acknowledge' | 'unacknowledge'>;
}

const ACTIONS = ['acknowledge', 'unacknowledge', 'silence', 'comment'] as const;

export type IncidentAction = (typeof ACTIONS)[number];

export function isIncidentAction(text: string): text is IncidentAction {
  return ACTIONS.some((action) => action === text);
}

export type ActionOutcome =
  | { readonly kind: 'done'; readonly id: string }
  /** Before anything was looked at. */
  | { readonly kind: 'refused'; readonly status: 403 | 415; readonly problem: string }
  /** The form cannot be taken, a sentence each. */
  | { readonly kind: 'problems'; readonly record: IncidentRecord; readonly problems: readonly string[] }
  /** There is no such incident. */
  | { readonly kind: 'unknown' };

/**
 * Does what a form of the incident's page asks for. A form of somebody else's page is known by its origin, which
 * browsers send with every POST (RFC 6454 §7).
 */
export async function actOnIncident(
  context: Context<WebEnv>,
  action: IncidentAction,
  id: string,
  tools: IncidentActionTools,
): Promise<ActionOutcome> {
  const asked = { ...unreadChange(noted(action)), incident: id.slice(0, MAX_NAME) };
  const refusal = refuseChange(context, asked, tools);
  if (refusal !== null) return { kind: 'refused', status: 403, problem: refusal };
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/iu.test(context.req.header('Content-Type') ?? ''))
    return { kind: 'refused', status: 415, problem: 'Expected a form, as the page of the incident sends it' };
  const record = tools.sources.incidentRecord(id);
  if (record === null) return { kind: 'unknown' };
  const read = readIncidentForm(await context.req.text());
  const problems = read.kind === 'ok' ? carryOut(context, action, { record, form: read.form }, tools) : read.problems;
  return problems.length === 0 ? { kind: 'done', id } : { kind: 'problems', record, problems };
}

interface Asked {
  readonly record: IncidentRecord;
  readonly form: IncidentForm;
}

/** Gives what was wrong, a sentence each. */
function carryOut(
  context: Context<WebEnv>,
  action: IncidentAction,
  { record, form }: Asked,
  tools: IncidentActionTools,
): readonly string[] {
  const { by: claimed, comment } = form;
  const { id, cause } = record.incident;
  const note = (detail: string): readonly string[] => {
    noteDone(
      context,
      { action: noted(action), incident: id, cause: cause.id, subject: cause.subject, detail },
      tools,
      claimed,
    );
    return [];
  };
  switch (action) {
    case 'acknowledge':
      return tools.sources.acknowledge(id, accountOf(context.get('caller'), claimed)) ? note('') : [IS_OVER];
    case 'unacknowledge':
      return tools.sources.unacknowledge(id) ? note('') : [IS_OVER];
    case 'comment':
      return comment === null ? ['"comment": expected a text'] : note(comment);
    case 'silence':
      return problemsOfTaken(takeSilence(context, silenceOf({ record, form }), id, tools));
  }
}

/** As `POST /api/v1/silences` takes it: of the cause at its subject. */
function silenceOf({ record: { incident }, form: { by, comment, duration } }: Asked): object {
  const { id: cause, subject } = incident.cause;
  return {
    cause,
    subject: subject === '' ? null : subject,
    by,
    ...(duration === null ? {} : { duration }),
    ...(comment === null ? {} : { comment }),
  };
}

const IS_OVER = 'The incident is over';

function noted(action: IncidentAction): AuditEntry['action'] {
  return action === 'silence' ? 'add-silence' : action;
}

function problemsOfTaken(taken: TakenSilence): readonly string[] {
  switch (taken.kind) {
    case 'taken':
      return [];
    case 'invalid':
      return taken.problems;
    case 'full':
      return [taken.problem];
  }
}
