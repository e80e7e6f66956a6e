import { z } from 'zod';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { addressInAny } from '../../core/addresses.ts';
import type { SessionCounts, SessionLook } from '../../core/license/firewall-sessions.ts';
import type { Resource } from '../../core/license/resource.ts';
import { lenientCount } from '../../network/rest/lenient-number.ts';
import type { FirewallClient } from './client.ts';

/** As rarely as the firewalls are asked by default, whatever asks in between: it is the firewall's work. */
const GAP: Millis = 285_000;

/** In seconds: a handshake that got no answer yet may still get one. */
const SETTLED = 3;

/** The connection whose sessions are wanted. */
export interface SessionFlow {
  readonly source: string;
  readonly port: number;
  /** Addresses and blocks of the server. */
  readonly destinations: readonly string[];
  /** The policy that matches it. */
  readonly policy: number;
}

/**
 * `results.details`, in 7.6 as before; `saddr`, `daddr`, `dport`, `sentbyte`, `rcvdbyte`, `duration` stand in both
 * (PowerFGT; hermanwjacobsen/hfortix-fortios), `proto` as a name or a number.
 */
const SESSIONS = z.object({
  results: z.object({
    details: z.array(
      z.object({
        proto: z.union([z.string(), z.number()]).optional(),
        saddr: z.string(),
        daddr: z.string(),
        dport: z.unknown(),
        sentbyte: z.unknown(),
        rcvdbyte: z.unknown(),
        duration: z.unknown(),
      }),
    ),
  }),
});

/** The sessions of the flow: what was seen a short while ago stands. @throws what ended it */
export async function readSessions(
  client: FirewallClient,
  flow: SessionFlow,
  { last, at }: { readonly last: SessionLook | null; readonly at: EpochMs },
): Promise<SessionLook> {
  if (last !== null && at - last.at < GAP && at >= last.at) return last;
  return { at, seen: await seenNow(client, flow) };
}

/** `session` became `sessions` in FortiOS 7.6, with the same answer. */
async function seenNow(client: FirewallClient, flow: SessionFlow): Promise<Resource<SessionCounts>> {
  for (const table of ['sessions', 'session'] as const) {
    const reply = await client.read({ kind: 'sessions', table, ...flow });
    if (reply.kind === 'json') {
      const value = parseSessions(reply.value, flow);
      return value === null ? { kind: 'absent' } : { kind: 'read', value };
    }
    if (reply.status === 401 || reply.status === 403)
      return { kind: 'denied', message: `HTTP ${String(reply.status)}: the API token may not read sessions` };
  }
  return { kind: 'absent' };
}

/** Firmware may ignore what it was asked to filter by. Null: it is no table of sessions. @internal */
export function parseSessions(value: unknown, { source, port, destinations }: SessionFlow): SessionCounts | null {
  const parsed = SESSIONS.safeParse(value);
  if (!parsed.success) return null;
  const ours = parsed.data.results.details.filter(
    ({ proto, saddr, daddr, dport, duration }) =>
      ['tcp', '6'].includes(String(proto).toLowerCase()) &&
      saddr === source &&
      lenientCount(dport) === port &&
      addressInAny(daddr, destinations) &&
      (lenientCount(duration) ?? 0) >= SETTLED,
  );
  const counted = ours.map(({ sentbyte, rcvdbyte }) => [lenientCount(sentbyte), lenientCount(rcvdbyte)] as const);
  return {
    answered: counted.filter(([, received]) => received !== null && received > 0).length,
    silent: counted.filter(([sent, received]) => sent !== null && sent > 0 && received === 0).length,
  };
}
