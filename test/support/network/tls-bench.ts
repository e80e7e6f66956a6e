import { createCertificateCache } from '../../../src/tls/parse-certificate.ts';
import type { EndpointObservation, HttpOutcome, TlsOutcome } from '../../../src/core/observation.ts';
import type { ProbeContext } from '../../../src/network/context.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import {
  ENDPOINT_LIMITS,
  observeEndpoint,
  type EndpointDeps,
  type EndpointRequest,
} from '../../../src/round/endpoint.ts';
import { createProbeSecureContext } from '../../../src/network/tls/secure-context.ts';
import { recogniseBlockPage } from '../../../src/core/block-page.ts';
import { loadProducts } from '../../../src/trust/products.ts';
import { createHierarchy, type Hierarchy } from '../certificates/hierarchy.ts';
import { probeContext } from '../checks/probe-context.ts';
import { idleClock } from '../time/idle-clock.ts';

/** The host name of the bench's leaf and of its requests. */
export const HOST = 'license.example.test';

/** For peers that never finish. */
export const IDLE: Pick<ProbeContext, 'clock'> = { clock: idleClock() };

export interface Look extends Partial<EndpointRequest> {
  readonly ctx?: Partial<ProbeContext>;
  readonly deps?: Partial<EndpointDeps>;
}

/** The endpoint probe under test, with certificates to serve. */
export interface TlsBench {
  readonly hierarchy: Hierarchy;
  /** Checks a port of loopback, up to HTTP. */
  look(port: number, look?: Look): Promise<EndpointObservation>;
  /** As `look`, but only up to the handshake. */
  tls(port: number, look?: Look): Promise<TlsOutcome>;
  http(port: number, look?: Look): Promise<HttpOutcome>;
}

export async function createTlsBench(): Promise<TlsBench> {
  const hierarchy = await createHierarchy();
  const shared = createEndpointDeps();
  async function look(port: number, { ctx = {}, deps = {}, ...request }: Look = {}): Promise<EndpointObservation> {
    return observeEndpoint(
      {
        target: { host: HOST, port },
        address: '127.0.0.1',
        serverName: HOST,
        proxy: null,
        depth: 'http',
        method: 'GET',
        path: '/',
        ...request,
      },
      probeContext(ctx),
      { ...shared, ...deps },
    );
  }
  return {
    hierarchy,
    look,
    tls: async (port, options = {}) => present((await look(port, { depth: 'tls', ...options })).tls),
    http: async (port, options = {}) => present((await look(port, options)).http),
  };
}

const products = await loadProducts([]);

/** Returns the probe's dependencies as in the program, without secrets. */
export function createEndpointDeps(more: Partial<EndpointDeps> = {}): EndpointDeps {
  const certificates = createCertificateCache(64);
  return {
    contextFor: () => createProbeSecureContext(),
    parse: (der) => certificates.parse(der),
    recognisePage: (candidate) => recogniseBlockPage(candidate, products),
    readSecret: () => Promise.reject(new Error('No secrets in this test')),
    system: createSystemLookup(),
    limits: ENDPOINT_LIMITS,
    ...more,
  };
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('The stage was not reached');
  return value;
}
