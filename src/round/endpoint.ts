import { isIP, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { authority, type HostPort } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import type { EndpointObservation, Failure, HttpOutcome, TcpOutcome, TlsOutcome } from '../core/observation.ts';
import type { ProxyConfig } from '../config/schema/secret.ts';
import type { ProbeContext } from '../network/context.ts';
import { errorCode, failureFrom } from '../network/failure.ts';
import { hasRoute } from '../network/connect.ts';
import { type CertificateParser, shakeHands, type Handshake } from '../network/tls/handshake.ts';
import { dial, TunnelRefused } from '../network/dial.ts';
import type { SecretReader } from '../system/secret.ts';
import { type RecognisePage, sendRequest } from '../network/http/request.ts';

export interface EndpointRequest {
  readonly target: HostPort;
  /** One literal address of the target; through a proxy it only labels the observation. */
  readonly address: string;
  /** SNI; null sends none. */
  readonly serverName: string | null;
  readonly proxy: ProxyConfig | null;
  /** How far to go. */
  readonly depth: 'tcp' | 'tls' | 'http';
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
}

export interface EndpointDeps {
  /** From `createProbeSecureContext`, one for the whole program. */
  readonly secureContext: SecureContext;
  readonly parse: CertificateParser;
  readonly readSecret: SecretReader;
  readonly recognisePage: RecognisePage;
  /** @default 3 s for TCP, 6 s for the answer of a proxy, 4 s for TLS, 4 s for HTTP */
  readonly limits?: EndpointLimits;
}

/** The longest that each phase may take, however slowly the peer goes on. */
export interface EndpointLimits {
  readonly tcp: Millis;
  /** For the answer of a proxy to CONNECT, which may ask a slow resolver first. @default that of `tcp` */
  readonly tunnel?: Millis;
  readonly tls: Millis;
  readonly http: Millis;
}

export const ENDPOINT_LIMITS: EndpointLimits = { tcp: 3000, tunnel: 6000, tls: 4000, http: 4000 };

/**
 * Makes one connection to one address and tells what each stage showed. Never rejects: what goes wrong is in the
 * observation, our own trouble as `internal` and a round that was called off as `aborted`. The connection is gone when
 * it resolves.
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
  { readSecret, limits = ENDPOINT_LIMITS }: EndpointDeps,
): Promise<{ readonly tcp: TcpOutcome; readonly socket: Socket | null }> {
  const started = ctx.clock.elapsed();
  try {
    const { tcp: limit, tunnel: tunnelLimit = limit } = limits;
    const socket = await dial({ target, address, proxy, readSecret, limit, tunnelLimit }, ctx);
    return { tcp: { kind: 'open', durationMs: ctx.clock.elapsed() - started }, socket };
  } catch (error) {
    const failure = failureFrom(error, ctx.clock.elapsed() - started, ctx.signal);
    if (error instanceof TunnelRefused) return { tcp: { ...failure, proxyAnswer: error.answer }, socket: null };
    const unreachable = unreachableAddress(error);
    const isBeyond = unreachable !== null && (await hasRoute(unreachable));
    return { tcp: isBeyond ? { ...failure, beyond: true } : failure, socket: null };
  }
}

/** Codes of `no-route` that a router causes as well. */
const SAID_BY_ICMP: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH']);

/** The address that was tried, the one of a proxy included, where this machine or a router has no route to it. */
function unreachableAddress(error: unknown): string | null {
  // Where a proxy is dialed, its error is the cause of the one that names the proxy.
  const failed = errorCode(error) === null && error instanceof Error ? error.cause : error;
  const isSaid = SAID_BY_ICMP.has(errorCode(failed) ?? '');
  return isSaid && failed instanceof Error && 'address' in failed && typeof failed.address === 'string'
    ? failed.address
    : null;
}

interface UpperPhases {
  readonly tls: TlsOutcome | null;
  readonly http: HttpOutcome | null;
}

async function upperPhases(
  socket: Socket,
  request: EndpointRequest,
  ctx: ProbeContext,
  deps: EndpointDeps,
): Promise<UpperPhases> {
  if (request.depth === 'tcp') return { tls: null, http: null };
  const { outcome: tls, session } = await handshakePhase(socket, request, ctx, deps);
  try {
    if (request.depth === 'tls' || tls.kind === 'failed') return { tls, http: null };
    if (session === null) return { tls, http: { kind: 'client-certificate-demanded', durationMs: 0 } };
    const limit = (deps.limits ?? ENDPOINT_LIMITS).http;
    const http = await sendRequest(session, { ...request, limit, recognisePage: deps.recognisePage }, ctx);
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
  { serverName }: EndpointRequest,
  ctx: ProbeContext,
  deps: EndpointDeps,
): Promise<Handshake> {
  const started = ctx.clock.elapsed();
  const { secureContext, parse, limits = ENDPOINT_LIMITS } = deps;
  try {
    return await shakeHands(socket, { serverName, secureContext, parse, limit: limits.tls }, ctx);
  } catch (error) {
    const failure: Failure = failureFrom(error, ctx.clock.elapsed() - started, ctx.signal);
    return {
      outcome: { ...failure, serverName: serverName ?? '', alert: null, chain: null, plaintext: null },
      session: null,
    };
  }
}

/** Connects that are measured after the rush of a round, in which any of them may have been noticed late. */
const TIMES = 2;

/** How long an address takes to open a port, one connection after the other. */
export async function measureConnects(
  target: HostPort,
  address: string,
  endpoint: EndpointDeps,
  ctx: ProbeContext,
): Promise<readonly Millis[]> {
  const connects: Millis[] = [];
  for (let time = 0; time < TIMES && !ctx.signal.aborted; time += 1) {
    const { tcp } = await observeEndpoint(
      { target, address, serverName: null, proxy: null, depth: 'tcp', method: 'HEAD', path: '/' },
      ctx,
      endpoint,
    );
    if (tcp.kind === 'open') connects.push(tcp.durationMs);
  }
  return connects;
}
