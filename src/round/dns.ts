import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import { deadline, within } from '../system/clock.ts';
import type { ResolverConfig } from '../config/schema/secret.ts';
import type { Millis } from '../core/clock.ts';
import type { DnsObservation, DnsReply } from '../core/observation.ts';
import type { ProbeContext } from '../network/context.ts';
import { errorCode, failureFrom, overdueOr, ProbeError } from '../network/failure.ts';
import { queryResolver } from '../network/dns/exchange.ts';
import type { SystemLookup } from '../network/lookup.ts';

/** Includes resolving the resolver's name, connecting, the handshake and a second attempt. */
const DNS_DEADLINE: Millis = 3000;

interface DnsPorts {
  readonly system: SystemLookup;
  readonly trust: SecureContext;
}

/** Never throws and never takes noticeably longer than `DNS_DEADLINE`. */
export async function observeDns(
  name: string,
  resolver: ResolverConfig,
  ports: DnsPorts,
  ctx: ProbeContext,
): Promise<DnsObservation> {
  const family = isIP(name);
  if (family !== 0)
    return { resolver: resolver.label, name, a: literal(name, family === 4), aaaa: literal(name, family === 6) };
  if (resolver.kind === 'system')
    return { resolver: resolver.label, name, ...(await observeSystem(name, ports.system, ctx)) };
  const [a, aaaa] = await Promise.all([
    ask({ name, type: 'A' }, resolver, ports, ctx),
    ask({ name, type: 'AAAA' }, resolver, ports, ctx),
  ]);
  return { resolver: resolver.label, name, a, aaaa };
}

function literal(address: string, here: boolean): DnsReply {
  return { ...answer('NOERROR', here ? [address] : [], 0), attempts: 0 };
}

/**
 * The system resolver uses the hosts file, the search list and all configured servers. getaddrinfo returns neither TTL
 * nor CNAMEs, and reports both a missing name and a missing record as ENOTFOUND.
 */
async function observeSystem(
  name: string,
  system: SystemLookup,
  ctx: ProbeContext,
): Promise<Pick<DnsObservation, 'a' | 'aaaa'>> {
  const startedAt = ctx.clock.elapsed();
  using limit = deadline(ctx.clock, DNS_DEADLINE, ctx.signal);
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

async function ask(
  question: { readonly name: string; readonly type: 'A' | 'AAAA' },
  resolver: Exclude<ResolverConfig, { kind: 'system' }>,
  { system, trust }: DnsPorts,
  { clock, sourceAddress, signal }: ProbeContext,
): Promise<DnsReply> {
  const startedAt = clock.elapsed();
  let attempts = 0;
  let truncated = false;
  using limit = deadline(clock, DNS_DEADLINE, signal);
  const counting = { onSend: () => (attempts += 1), onTruncated: () => (truncated = true) };
  try {
    const tools = { system, trust, clock, sourceAddress, signal: limit.signal, ...counting };
    const answer = await queryResolver(question, resolver, tools);
    return { ...answer, durationMs: clock.elapsed() - startedAt, attempts };
  } catch (error) {
    const end = overdueOr(error, limit, (cause) => {
      const message = `No answer to the ${question.type} query within ${String(DNS_DEADLINE)} ms`;
      return new ProbeError('timeout', message, { cause });
    });
    const failure = failureFrom(end, clock.elapsed() - startedAt, signal);
    return { ...failure, attempts, ...(truncated ? { truncated } : {}) };
  }
}

/** If a resolver has not answered after this time, the next resolver is queried as well. */
const PATIENCE: Millis = 500;

/**
 * If a resolver does not respond quickly, the next one is queried without waiting, because two consecutive time-outs
 * would delay the whole round.
 */
export async function askInTurn(
  name: string,
  resolvers: readonly ResolverConfig[],
  { askName, isEnough }: { readonly askName: AskName; readonly isEnough: (seen: readonly DnsObservation[]) => boolean },
  ctx: ProbeContext,
): Promise<readonly DnsObservation[]> {
  const asked: Promise<DnsObservation>[] = [];
  const answered: DnsObservation[] = [];
  for (const resolver of resolvers) {
    const answer = askName(name, resolver, ctx);
    asked.push(answer);
    const seen = await within(answer, PATIENCE, ctx.clock);
    if (seen === null) continue;
    answered.push(seen);
    if (isEnough(answered)) break;
  }
  return Promise.all(asked);
}

/** Never rejects. */
export type AskName = (name: string, resolver: ResolverConfig, ctx: ProbeContext) => Promise<DnsObservation>;

/** A host that is checked on several ports is looked up only once. */
export function askOnce(ask: AskName): AskName {
  const asked = new Map<string, Promise<DnsObservation>>();
  return (name, resolver, ctx) => {
    const key = `${resolver.label} ${name.toLowerCase()}`;
    const answer = asked.get(key) ?? ask(name, resolver, ctx);
    asked.set(key, answer);
    return answer;
  };
}
