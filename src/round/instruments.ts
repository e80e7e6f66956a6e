import type { SecureContext } from 'node:tls';
import type { Config } from '../config/config.ts';
import { authority } from '../core/addresses.ts';
import { recogniseBlockPage } from '../core/block-page.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { createCertificateCache } from '../tls/parse-certificate.ts';
import { certificatePem } from '../tls/pem.ts';
import type { ProbeContext } from '../network/context.ts';
import { createLimiter, type Limiter } from '../network/limiter.ts';
import { createSystemLookup, type SystemLookup } from '../network/lookup.ts';
import { createProbeSecureContext, FileTrust, publicTrust } from '../network/tls/secure-context.ts';
import { readSecret, type SecretReader } from '../system/secret.ts';
import { trustedCertificates } from '../tls/trust.ts';
import { type AskName, observeDns } from './dns.ts';
import { ENDPOINT_LIMITS, type EndpointDeps } from './endpoint.ts';
import { loadRoundMemory, type MemoryFiles, type RoundMemory } from './memory.ts';
import { loadTlsKnowledge, type TlsKnowledgeBase } from './tls-knowledge.ts';

export interface Instruments {
  readonly config: Config;
  readonly clock: Clock;
  readonly system: SystemLookup;
  /** Used for resolvers, and for mail servers without a `caFile`. */
  readonly trust: SecureContext;
  readonly fileTrust: FileTrust;
  readonly readSecret: SecretReader;
  readonly endpoint: EndpointDeps;
  /** Limits concurrent connections, because concurrent handshakes distort each other's measured times. */
  readonly limiter: Limiter;
  /** If null, the daemon's limit is used. */
  readonly mailLimit: Millis | null;
  readonly knowledge: TlsKnowledgeBase;
  readonly memory: RoundMemory;
}

/** The instruments, with data for a single round or probe. */
export interface RoundTools extends Instruments {
  readonly ctx: ProbeContext;
  readonly askName: AskName;
}

export interface InstrumentDeps extends MemoryFiles {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly mailLimit?: Millis;
}

/** With a lower limit, a round with 200 unresponsive servers would end before all of them are checked. */
const CONNECTIONS = 128;

/**
 * Two per target are enough, because most certificates in a chain of up to four also occur in other chains. The spare
 * entries are for chains that change.
 */
const CACHED_CERTIFICATES = { spare: 512, perTarget: 2 };

/** @throws {Error} when a CA file, a product file or the learned trust cannot be read */
export async function createInstruments(config: Config, deps: InstrumentDeps): Promise<Instruments> {
  const { clock, env } = deps;
  const memory = await loadRoundMemory(authority(config.licenseServer), deps, clock);
  const knowledge = await loadTlsKnowledge(config, clock);
  // Loaded in advance. Otherwise, the measured time of the first DNS answer would include the loading time.
  if (config.resolvers.some(({ kind }) => kind === 'https')) await import('../network/dns/https.ts');
  const judged = config.services.length + config.controlHosts.length;
  const certificates = createCertificateCache(CACHED_CERTIFICATES.spare + CACHED_CERTIFICATES.perTarget * judged);
  const secrets: SecretReader = (source) => readSecret(source, env);
  const system = createSystemLookup();
  return {
    config,
    clock,
    system,
    trust: publicTrust(),
    fileTrust: new FileTrust(),
    readSecret: secrets,
    endpoint: {
      contextFor: createContexts(knowledge),
      parse: (der) => certificates.parse(der),
      readSecret: secrets,
      system,
      recognisePage: (candidate) => recogniseBlockPage(candidate, knowledge.products),
      limits: ENDPOINT_LIMITS,
    },
    limiter: createLimiter(CONNECTIONS),
    mailLimit: deps.mailLimit ?? null,
    knowledge,
    memory,
  };
}

/** Each context is created for its first connection. Targets with the same trusted certificates share a context. */
function createContexts(knowledge: TlsKnowledgeBase): EndpointDeps['contextFor'] {
  const made = new Map<string, SecureContext>();
  return (target, maxVersion = 'TLSv1.3') => {
    const anchors = trustedCertificates(knowledge.ofAny(authority(target))).map(certificatePem);
    const key = [maxVersion, ...anchors].join('\n');
    const context = made.get(key) ?? createProbeSecureContext({ maxVersion, anchors });
    made.set(key, context);
    return context;
  };
}

export function roundTools(instruments: Instruments, signal: AbortSignal): RoundTools {
  const { clock, config } = instruments;
  return {
    ...instruments,
    ctx: { clock, signal, sourceAddress: config.sourceAddress },
    askName: (name, resolver, ctx) => observeDns(name, resolver, instruments, ctx),
  };
}
