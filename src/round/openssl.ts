import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import type { Certificate, CapturedChain } from '../core/certificate.ts';
import type { PathObservation } from '../core/round.ts';
import type { ProbeContext } from '../network/context.ts';
import type { PathTarget, PathTools } from './path.ts';
import { certificatePem } from '../core/parse-certificate.ts';
import type { OpensslWord } from '../core/observation.ts';
import { dial } from '../network/dial.ts';
import { shakeHands } from '../network/tls/handshake.ts';
import { ENDPOINT_LIMITS, type EndpointDeps, type EndpointRequest } from './endpoint.ts';
import { KEY_SHARES } from '../network/tls/secure-context.ts';

/** An address whose chain leads to a trusted certificate. */
export interface AnchoredAddress {
  readonly address: string;
  readonly anchor: Certificate;
}

export interface OpensslTools extends PathTools {
  /** Addresses of the path that showed a chain which OpenSSL has not been asked about. */
  readonly unheard: (path: PathObservation, controls: readonly PathObservation[]) => readonly AnchoredAddress[];
  readonly heard: (path: PathObservation, word: HeardWord) => void;
}

/** Lets OpenSSL judge chains that are new and lead to a trusted key: one connection for each. */
export async function hearOpenssl(
  { host, port, serverName, proxy }: PathTarget,
  { path, controls }: { readonly path: PathObservation; readonly controls: readonly PathObservation[] },
  tools: OpensslTools,
  ctx: ProbeContext,
): Promise<void> {
  if (ctx.signal.aborted) return;
  const words = tools.unheard(path, controls).map(({ address, anchor }) => {
    const request = { target: { host, port }, address, serverName, proxy };
    return tools.limiter.run(() => askOpenssl(request, anchor, ctx, tools.endpoint), ctx.signal).catch(() => null);
  });
  for (const word of await Promise.all(words)) if (word !== null) tools.heard(path, word);
}

/** What OpenSSL says of the chain that it was shown. */
export interface HeardWord {
  readonly chain: CapturedChain;
  readonly word: OpensslWord;
}

/**
 * Connects once more and lets OpenSSL verify the chain, with one certificate for an anchor. Null when nothing can be
 * learned from it: no connection, or a handshake that did not end (with TLS 1.2 and a client certificate that is
 * demanded no error is reported for any chain).
 */
export async function askOpenssl(
  request: Omit<EndpointRequest, 'depth' | 'method' | 'path'>,
  anchor: Certificate,
  ctx: ProbeContext,
  { parse, readSecret, limits = ENDPOINT_LIMITS }: EndpointDeps,
): Promise<HeardWord | null> {
  const { serverName } = request;
  try {
    const socket = await dial(
      { ...request, readSecret, limit: limits.tcp, tunnelLimit: limits.tunnel ?? limits.tcp },
      ctx,
    );
    try {
      const options = { serverName, secureContext: verifyingContext(anchor), parse, limit: limits.tls };
      const { outcome, session } = await shakeHands(socket, options, ctx);
      return session === null || outcome.chain === null ? null : heard(outcome.chain, session.socket);
    } finally {
      socket.destroy();
    }
  } catch {
    // The round itself tells what is wrong with the path.
    return null;
  }
}

/** As the probes' own context, except for the anchor: an intermediate or a leaf may be one. */
function verifyingContext(anchor: Certificate): ReturnType<typeof createSecureContext> {
  return createSecureContext({
    ca: [certificatePem(anchor)],
    allowPartialTrustChain: true,
    ecdhCurve: KEY_SHARES,
    minVersion: 'TLSv1',
    ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0`,
  });
}

/**
 * Dates are judged here, by a clock that is set right; and a chain that does not reach the anchor is another one than
 * was asked about, or lacks a part, which is judged too.
 */
const NOT_ASKED: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** Typed as an error by @types/node; it is the code of one (lib/_tls_wrap.js, onConnectSecure). */
function heard(
  chain: CapturedChain,
  socket: { readonly authorized: boolean; readonly authorizationError: unknown },
): HeardWord | null {
  if (socket.authorized) return { chain, word: { refusal: null } };
  const code = String(socket.authorizationError);
  return NOT_ASKED.has(code) ? null : { chain, word: { refusal: code } };
}
