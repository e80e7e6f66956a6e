import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import { deadline, type Deadline, within } from '../system/clock.ts';
import type { ResolverConfig } from '../config/schema/secret.ts';
import type { Millis } from '../core/clock.ts';
import type { DnsObservation, DnsReply } from '../core/observation.ts';
import type { ProbeContext } from '../network/context.ts';
import { failureFrom, overdueOr, ProbeError } from '../network/failure.ts';
import { encodeQuery, isDnsName, type DnsReading, type RecordType } from '../network/dns/message.ts';
import { serverOf, type DnsServer, type NamedResolver, exchangeWith } from '../network/dns/exchange.ts';
import { observeSystem } from '../network/dns/system.ts';
import type { SystemLookup } from '../network/lookup.ts';

/**
 * Time limit for one DNS query. The time includes resolving the resolver's name, connecting, the handshake, and a
 * second attempt.
 */
const DNS_DEADLINE: Millis = 3000;

/** Dependencies of DNS probes that the whole program shares. */
interface DnsPorts {
  readonly system: SystemLookup;
  /** Certificate authorities for verifying resolvers that use TLS or HTTPS. */
  readonly trust: SecureContext;
}

interface Asking {
  readonly ports: DnsPorts;
  readonly ctx: ProbeContext;
  readonly limit: Deadline;
  readonly onSend: () => void;
  readonly onTruncated: () => void;
}

/**
 * Queries one resolver for a name's A and AAAA records concurrently. If the name is a literal address, returns the
 * address. Never throws and never takes noticeably longer than `DNS_DEADLINE`.
 */
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
    return { resolver: resolver.label, name, ...(await observeSystem(name, ports.system, DNS_DEADLINE, ctx)) };
  const [a, aaaa] = await Promise.all([
    ask({ name, type: 'A' }, resolver, ports, ctx),
    ask({ name, type: 'AAAA' }, resolver, ports, ctx),
  ]);
  return { resolver: resolver.label, name, a, aaaa };
}

function literal(address: string, here: boolean): DnsReply {
  return {
    kind: 'answer',
    rcode: 'NOERROR',
    addresses: here ? [address] : [],
    cnames: [],
    ttlSeconds: null,
    durationMs: 0,
    attempts: 0,
  };
}

interface Question {
  readonly name: string;
  readonly type: RecordType;
}

async function ask(question: Question, resolver: NamedResolver, ports: DnsPorts, ctx: ProbeContext): Promise<DnsReply> {
  const startedAt = ctx.clock.elapsed();
  let attempts = 0;
  let truncated = false;
  using limit = deadline(ctx.clock, DNS_DEADLINE, ctx.signal);
  const asking: Asking = { ports, ctx, limit, onSend: () => (attempts += 1), onTruncated: () => (truncated = true) };
  try {
    const answer = await resolve(question, resolver, asking);
    return { ...answer, durationMs: ctx.clock.elapsed() - startedAt, attempts };
  } catch (error) {
    const end = overdueOr(error, limit, (cause) => {
      const message = `No answer to the ${question.type} query within ${String(DNS_DEADLINE)} ms`;
      return new ProbeError('timeout', message, { cause });
    });
    return {
      ...failureFrom(end, ctx.clock.elapsed() - startedAt, ctx.signal),
      attempts,
      ...(truncated ? { truncated } : {}),
    };
  }
}

async function resolve(
  question: Question,
  resolver: NamedResolver,
  asking: Asking,
): Promise<Extract<DnsReading, { kind: 'answer' }>> {
  if (!isDnsName(question.name))
    throw new ProbeError('internal', `Cannot look up "${question.name}": expected a host name`);
  const server = await serverOf(resolver, asking.ports.system, asking.ctx.sourceAddress, asking.limit.signal);
  const answer = await askServer(question, server, true, asking);
  // A server without EDNS support replies FORMERR, so the query is sent again without EDNS (RFC 6891 §7).
  return answer.rcode === 'FORMERR' ? askServer(question, server, false, asking) : answer;
}

async function askServer(
  question: Question,
  server: DnsServer,
  edns: boolean,
  asking: Asking,
): Promise<Extract<DnsReading, { kind: 'answer' }>> {
  // Over HTTPS, the query ID is 0, so that answers can be cached (RFC 8484 §4.1).
  const id = server.kind === 'https' ? 0 : randomInt(0x1_0000);
  const reading = await exchangeWith(server, encodeQuery({ id, ...question }, edns), {
    trust: asking.ports.trust,
    clock: asking.ctx.clock,
    onSend: asking.onSend,
    onTruncated: asking.onTruncated,
    signal: asking.limit.signal,
  });
  switch (reading.kind) {
    case 'answer':
      return reading;
    case 'truncated':
      throw new ProbeError('protocol', 'The answer is truncated over every transport');
    case 'unusable':
      throw new ProbeError('protocol', `The answer cannot be used: ${reading.why}`);
  }
}

/** Time without an answer after which the next resolver is queried as well. */
const PATIENCE: Millis = 500;

/**
 * Queries one resolver after another for a name until the answers are sufficient. If a resolver does not respond
 * quickly, queries the next one without waiting, because two time-outs in sequence would delay the whole round.
 * @param isEnough reports whether no further resolver needs to be queried
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

/** Function that queries one resolver for one name. Never rejects. */
export type AskName = (name: string, resolver: ResolverConfig, ctx: ProbeContext) => Promise<DnsObservation>;

/** Caches DNS answers for one round. As a result, a host that is checked on several ports is looked up only once. */
export function askOnce(ask: AskName): AskName {
  const asked = new Map<string, Promise<DnsObservation>>();
  return (name, resolver, ctx) => {
    const key = `${resolver.label} ${name.toLowerCase()}`;
    const answer = asked.get(key) ?? ask(name, resolver, ctx);
    asked.set(key, answer);
    return answer;
  };
}
