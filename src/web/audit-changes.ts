import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { AuditEntry } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { accountOf } from './caller.ts';
import { type AccessPolicy, changeRefusal, refusalText } from './change-refusal.ts';
import type { WebSources } from './sources.ts';
import type { WebEnv } from './web-env.ts';

export interface ChangeTools {
  readonly access: AccessPolicy;
  readonly sources: Pick<WebSources, 'noteChange' | 'noteRefusal'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is asked for, as the audit trail keeps it. */
export type AskedChange = Pick<AuditEntry, 'action' | 'incident' | 'cause' | 'subject' | 'detail'>;

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
