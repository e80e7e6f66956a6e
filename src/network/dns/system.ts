import { deadline } from '../../system/clock.ts';
import type { Millis } from '../../core/clock.ts';
import type { DnsObservation, DnsReply } from '../../core/observation.ts';
import type { ProbeContext } from '../context.ts';
import { ProbeError, errorCode, failureFrom } from '../failure.ts';
import type { SystemLookup } from '../lookup.ts';

/**
 * The system resolver uses the hosts file, the search list and all configured servers. getaddrinfo returns neither TTL
 * nor CNAMEs, and reports both a missing name and a missing record as ENOTFOUND.
 */
export async function observeSystem(
  name: string,
  system: SystemLookup,
  limitMs: Millis,
  ctx: ProbeContext,
): Promise<Pick<DnsObservation, 'a' | 'aaaa'>> {
  const startedAt = ctx.clock.elapsed();
  using limit = deadline(ctx.clock, limitMs, ctx.signal);
  try {
    const found = await system(name, limit.signal);
    const durationMs = ctx.clock.elapsed() - startedAt;
    const ofFamily = (family: number): readonly string[] => [
      ...new Set(found.filter((entry) => entry.family === family).map((entry) => entry.address)),
    ];
    return { a: answer('NOERROR', ofFamily(4), durationMs), aaaa: answer('NOERROR', ofFamily(6), durationMs) };
  } catch (error) {
    const reply = replyFrom(error, ctx.clock.elapsed() - startedAt, ctx.signal);
    return { a: reply, aaaa: reply };
  }
}

function answer(rcode: string, addresses: readonly string[], durationMs: Millis): DnsReply {
  return { kind: 'answer', rcode, addresses, cnames: [], ttlSeconds: null, durationMs, attempts: 1 };
}

function replyFrom(error: unknown, durationMs: Millis, parent: AbortSignal): DnsReply {
  switch (errorCode(error)) {
    case 'ENOTFOUND':
      return answer('NXDOMAIN', [], durationMs);
    case 'ENODATA':
      return answer('NOERROR', [], durationMs);
    // glibc returns EAI_AGAIN if the servers do not answer, refuse the connection or return SERVFAIL. For permanent
    // failures, glibc returns EAI_FAIL.
    case 'EAI_AGAIN':
      return silence(
        new ProbeError('timeout', "None of the system resolver's servers answered (EAI_AGAIN)", { cause: error }),
      );
    case 'EAI_FAIL':
      return silence(new ProbeError('rejected', 'The system resolver failed permanently (EAI_FAIL)', { cause: error }));
    case null:
    default:
      return silence(error);
  }

  function silence(told: unknown): DnsReply {
    return { ...failureFrom(told, durationMs, parent), attempts: 1 };
  }
}
