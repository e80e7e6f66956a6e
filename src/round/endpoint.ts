import { isIP, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { authority, type HostPort } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import type { EndpointObservation, TcpOutcome } from '../core/observation.ts';
import type { ProxyConfig } from '../config/schema/secret.ts';
import type { ProbeContext } from '../network/context.ts';
import { errorCode, failureFrom } from '../network/failure.ts';
import { hasRoute } from '../network/udp-exchange.ts';
import type { NewestVersion } from '../network/tls/secure-context.ts';
import { type CertificateParser, shakeHands, type Handshake } from '../network/tls/handshake.ts';
import { dial, TunnelRefused } from '../network/dial.ts';
import type { SystemLookup } from '../network/lookup.ts';
import type { SecretReader } from '../system/secret.ts';
import { type RecognisePage, sendRequest } from '../network/http/request.ts';

export interface EndpointRequest {
  readonly target: HostPort;
  /** If a proxy is used, the address serves only as a label. */
  readonly address: string;
  readonly serverName: string | null;
  readonly proxy: ProxyConfig | null;
  /** The last stage to run. For example, with `tls`, no HTTP request is sent. */
  readonly depth: 'tcp' | 'tls' | 'http';
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
}

export interface EndpointDeps {
  /** Returns a context in which OpenSSL knows the certificates that are trusted for the target. */
  readonly contextFor: (target: HostPort, maxVersion?: NewestVersion) => SecureContext;
  readonly parse: CertificateParser;
  readonly readSecret: SecretReader;
  readonly system: SystemLookup;
  readonly recognisePage: RecognisePage;
  readonly limits: EndpointLimits;
}

/** The limits apply even if the peer keeps sending. */
export interface EndpointLimits {
  readonly tcp: Millis;
  /** Limit for a proxy's response to CONNECT, which can include a DNS lookup. @default the limit for `tcp` */
  readonly tunnel?: Millis;
  readonly tls: Millis;
  readonly http: Millis;
}

export const ENDPOINT_LIMITS: EndpointLimits = { tcp: 3000, tunnel: 6000, tls: 4000, http: 4000 };

/**
 * Never rejects, because failures are part of the observation. Local failures are `internal`, and a cancelled round is
 * `aborted`. The connection is closed when the promise resolves.
 */
export async function observeEndpoint(
  request: EndpointRequest,
  ctx: ProbeContext,
  deps: EndpointDeps,
): Promise<EndpointObservation> {
  const identity = {
    target: authority(request.target),
    address: request.address,
    family: isIP(request.address) === 6 ? 6 : 4,
    proxy: request.proxy === null ? null : authority(request.proxy),
  } as const;
  const { tcp, socket } = await connectPhase(request, ctx, deps);
  if (socket === null) return { ...identity, tcp, tls: null, http: null };
  try {
    return { ...identity, tcp, ...(await upperPhases(socket, request, ctx, deps)) };
  } finally {
    socket.destroy();
  }
}

async function connectPhase(
  { target, address, proxy }: EndpointRequest,
  ctx: ProbeContext,
  { readSecret, system, limits }: EndpointDeps,
): Promise<{ readonly tcp: TcpOutcome; readonly socket: Socket | null }> {
  const started = ctx.clock.elapsed();
  try {
    const { tcp: limit, tunnel: tunnelLimit = limit } = limits;
    const socket = await dial({ target, address, proxy, readSecret, system, limit, tunnelLimit }, ctx);
    return { tcp: { kind: 'open', durationMs: ctx.clock.elapsed() - started }, socket };
  } catch (error) {
    const failure = failureFrom(error, ctx.clock.elapsed() - started, ctx.signal);
    if (error instanceof TunnelRefused) return { tcp: { ...failure, proxyAnswer: error.answer }, socket: null };
    const unreachable = unreachableAddress(error);
    const isBeyond = unreachable !== null && (await hasRoute(unreachable));
    return { tcp: isBeyond ? { ...failure, beyond: true } : failure, socket: null };
  }
}

/** Error codes that are reported as `no-route` but can also be caused by an ICMP message from a router. */
const ICMP_CODES: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH']);

/** If a proxy is used, returns the proxy's address. */
function unreachableAddress(error: unknown): string | null {
  // If a proxy is used, the original error is the `cause` of an error whose message contains the proxy's name.
  const failed = errorCode(error) === null && error instanceof Error ? error.cause : error;
  const isFromRouter = ICMP_CODES.has(errorCode(failed) ?? '');
  return isFromRouter && failed instanceof Error && 'address' in failed && typeof failed.address === 'string'
    ? failed.address
    : null;
}

async function upperPhases(
  socket: Socket,
  request: EndpointRequest,
  ctx: ProbeContext,
  deps: EndpointDeps,
): Promise<Pick<EndpointObservation, 'tls' | 'http'>> {
  if (request.depth === 'tcp') return { tls: null, http: null };
  const { outcome: tls, session } = await handshakePhase(socket, request, ctx, deps);
  try {
    if (request.depth === 'tls' || tls.kind === 'failed') return { tls, http: null };
    if (session === null) return { tls, http: { kind: 'client-certificate-demanded', durationMs: 0 } };
    const { limits, recognisePage } = deps;
    const http = await sendRequest(session, { ...request, limit: limits.http, recognisePage }, ctx);
    return {
      tls:
        http.kind === 'client-certificate-demanded' && tls.kind === 'established' ? { ...tls, kind: http.kind } : tls,
      http,
    };
  } finally {
    session?.socket.destroy();
  }
}

async function handshakePhase(
  socket: Socket,
  { target, serverName }: EndpointRequest,
  ctx: ProbeContext,
  deps: EndpointDeps,
): Promise<Handshake> {
  const started = ctx.clock.elapsed();
  const { contextFor, parse, limits } = deps;
  try {
    return await shakeHands(socket, { serverName, secureContext: contextFor(target), parse, limit: limits.tls }, ctx);
  } catch (error) {
    const failure = failureFrom(error, ctx.clock.elapsed() - started, ctx.signal);
    return {
      outcome: { ...failure, serverName: serverName ?? '', alert: null, chain: null, plaintext: null },
      session: null,
    };
  }
}
