import { createSecureContext, type SecureContext } from 'node:tls';
import type { StringAnswer } from 'dns-packet';
import type { ResolverConfig } from '../../../src/config/schema/secret.ts';
import type { DnsObservation } from '../../../src/core/observation.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { ProbeContext } from '../../../src/network/context.ts';
import { observeDns } from '../../../src/round/dns.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import { createHierarchy, type Hierarchy } from '../certificates/hierarchy.ts';
import {
  createDnsServer,
  reply,
  zone,
  type DnsAsked,
  type DnsHandler,
  type DnsReaction,
  type DnsServer,
  type DnsServerOptions,
} from './dns-server.ts';
import { idleClock } from '../time/idle-clock.ts';
import { probeContext } from '../checks/probe-context.ts';

type Getaddrinfo = NonNullable<Parameters<typeof createSystemLookup>[0]>;

export const NAME = 'license.example.test';
export const A: StringAnswer = { type: 'A', name: NAME, class: 'IN', ttl: 300, data: '173.243.138.84' };
const AAAA: StringAnswer = { type: 'AAAA', name: NAME, class: 'IN', ttl: 60, data: '2001:db8::84' };

/** Answers both questions for NAME. */
export const HEALTHY: DnsHandler = zone({ [NAME]: [A, AAAA] });

/** The DNS probe's result for the healthy answer to the A question. */
export const ADDRESS = {
  kind: 'answer',
  rcode: 'NOERROR',
  addresses: ['173.243.138.84'],
  cnames: [],
  ttlSeconds: 300,
  attempts: 1,
} as const;

export interface Setting {
  /** @default NAME */
  readonly name?: string;
  /** @default resolves no names */
  readonly getaddrinfo?: Getaddrinfo;
  readonly ctx?: Partial<ProbeContext>;
  /** @default the bench's own root */
  readonly trust?: SecureContext;
}

/** The DNS probe under test. It trusts the servers' certificate (dns.example.test, 127.0.0.1). */
export interface DnsBench {
  /** The probe's, for servers that take their time. */
  readonly clock: Clock;
  serve(handler: DnsHandler, options?: DnsServerOptions): Promise<DnsServer>;
  look(resolver: ResolverConfig, setting?: Setting): Promise<DnsObservation>;
  readonly trust: SecureContext;
}

export async function createDnsBench(): Promise<DnsBench> {
  // Its first use loads it, during which the clock would see an idle process.
  await import('../../../src/network/dns/https.ts');
  const hierarchy: Hierarchy = await createHierarchy({ dnsNames: ['dns.example.test'], ipAddresses: ['127.0.0.1'] });
  const trust = createSecureContext({ ca: [hierarchy.root.pem] });
  const clock = idleClock();
  return {
    clock,
    trust,
    serve: (handler, options = {}) =>
      createDnsServer(handler, { identity: hierarchy.leaf, issuers: [hierarchy.intermediate], ...options }),
    look: (resolver, setting = {}) => {
      const ports = { system: createSystemLookup(setting.getaddrinfo ?? unknownName), trust: setting.trust ?? trust };
      return observeDns(setting.name ?? NAME, resolver, ports, probeContext({ clock, ...setting.ctx }));
    },
  };
}

export type Transport = 'udp' | 'tcp' | 'tls' | 'https';

export function over(kind: Transport, server: DnsServer, host: string = '127.0.0.1'): ResolverConfig {
  if (kind === 'https') {
    const url = `https://${host}:${String(server.httpsPort)}/dns-query`;
    return { kind, label: url, url };
  }
  const port = kind === 'tls' ? server.tlsPort : server.port;
  return { kind, label: `${kind}://${host}:${String(port)}`, host, port };
}

/** Applies the reaction to the A question only. AAAA is answered as by a server without IPv6. */
export function onA(react: (asked: DnsAsked) => DnsReaction): DnsHandler {
  return (asked) => (asked.type === 'A' ? react(asked) : reply(asked, []));
}

async function unknownName(): Promise<never> {
  return Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
}
