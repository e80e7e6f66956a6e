import { z } from 'zod';
import type { Resource } from '../../core/license/resource.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { FirewallClient } from './client.ts';

/** More than there are; the vendor's words for them are documented nowhere. */
const MOST_STATUSES = 10;
const MAX_STATUS = 30;

const TOKEN = z.object({ status: z.unknown().optional() });

/**
 * "A map of FortiTokens and their status" (hermanwjacobsen/hfortix-fortios, from the vendor's description); PowerFGT
 * and others read a list. The answer holds what tokens are activated with, and to whom they belong: all but the status
 * ends here.
 */
const TOKENS = z.object({ results: z.union([z.array(TOKEN), z.record(z.string(), TOKEN)]) });

/** How many FortiTokens the FortiGate holds itself in each status. @throws what ended it */
export async function readFortitokens(client: FirewallClient): Promise<Resource<ReadonlyMap<string, number>>> {
  const reply = await client.read({ kind: 'fortitokens' });
  if (reply.kind === 'status') {
    if (reply.status !== 401 && reply.status !== 403) return { kind: 'absent' };
    return { kind: 'denied', message: `HTTP ${String(reply.status)}: the API token may not read FortiTokens` };
  }
  const value = parseFortitokens(reply.value);
  return value === null ? { kind: 'absent' } : { kind: 'read', value };
}

/** Null: it is no list of tokens. @internal */
export function parseFortitokens(value: unknown): ReadonlyMap<string, number> | null {
  const parsed = TOKENS.safeParse(value);
  if (!parsed.success) return null;
  const counts = new Map<string, number>();
  for (const { status } of Object.values(parsed.data.results)) {
    const word = typeof status === 'string' ? visibleText(status, MAX_STATUS) : 'without a status';
    const name = counts.has(word) || counts.size < MOST_STATUSES ? word : 'in another status';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
