import type { ResolverConfig } from '../../config/schema/resolver.ts';
import type { DnsObservation } from '../../core/observation.ts';
import type { ProbeContext } from '../../network/context.ts';
import { observeDns, type DnsPorts } from './observe-dns.ts';

/** Asks one resolver for one name. Never rejects. */
export type AskName = (name: string, resolver: ResolverConfig, ctx: ProbeContext) => Promise<DnsObservation>;

export function askEachTime(dns: DnsPorts): AskName {
  return (name, resolver, ctx) => observeDns(name, resolver, dns, ctx);
}

/**
 * For the length of one round: hosts that are looked at on several ports are asked for once, and all get the same
 * answer.
 */
export function askOnce(ask: AskName): AskName {
  const asked = new Map<string, Promise<DnsObservation>>();
  return (name, resolver, ctx) => {
    const key = `${resolver.label} ${name.toLowerCase()}`;
    const answer = asked.get(key) ?? ask(name, resolver, ctx);
    asked.set(key, answer);
    return answer;
  };
}
