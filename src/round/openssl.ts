import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import type { Certificate, CapturedChain } from '../core/certificate.ts';
import { controlChainsOf, judgeTlsPath } from '../checks/tls-genuine/judge-path.ts';
import type { ProbeContext } from '../network/context.ts';
import type { Look } from './instruments.ts';
import type { PathTarget } from './path.ts';
import type { Seen } from './second-looks.ts';
import { certificatePem } from '../core/parse-certificate.ts';
import type { OpensslWord } from '../core/observation.ts';
import { dial } from '../network/dial.ts';
import { shakeHands } from '../network/tls/handshake.ts';
import { ENDPOINT_LIMITS, type EndpointDeps, type EndpointRequest } from './endpoint.ts';
import { KEY_SHARES } from '../network/tls/secure-context.ts';

interface AnchoredAddress {
  readonly address: string;
  readonly anchor: Certificate;
}

/** Makes one connection for each new chain that leads to a trusted key. */
export async function verifyWithOpenssl(
  { host, port, serverName, proxy }: PathTarget,
  seen: Seen,
  look: Look,
): Promise<void> {
  const { ctx, limiter, endpoint } = look;
  if (ctx.signal.aborted) return;
  const words = unheard(seen, look).map(({ address, anchor }) => {
    const request = { target: { host, port }, address, serverName, proxy };
    return limiter.run(() => askOpenssl(request, anchor, ctx, endpoint), ctx.signal).catch(() => null);
  });
  const { openssl } = look.knowledge.of(seen.path.subject);
  for (const heard of await Promise.all(words)) if (heard !== null) openssl.keep(heard.chain, heard.word);
}

/** Marks the returned chains as verified. */
function unheard({ path, controls }: Seen, { knowledge, clock }: Look): readonly AnchoredAddress[] {
  const known = knowledge.of(path.subject);
  if (!path.endpoints.some(({ tls }) => tls?.chain && known.openssl.isOpen(tls.chain))) return [];
  const { endpoints } = judgeTlsPath(path, known, { controls: controlChainsOf(controls), now: clock.now() });
  return endpoints.flatMap(({ endpoint: { address }, outcome: { chain }, judgement: { accepted } }) =>
    chain !== null && accepted !== null && known.openssl.take(chain) ? [{ address, anchor: accepted.end }] : [],
  );
}

interface OpensslResult {
  readonly chain: CapturedChain;
  readonly word: OpensslWord;
}

/**
 * Returns null if the result is inconclusive. With TLS 1.2, the handshake is always incomplete if the server demands a
 * client certificate.
 */
export async function askOpenssl(
  request: Omit<EndpointRequest, 'depth' | 'method' | 'path'>,
  anchor: Certificate,
  ctx: ProbeContext,
  { parse, readSecret, limits = ENDPOINT_LIMITS }: EndpointDeps,
): Promise<OpensslResult | null> {
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
    // Connection errors are ignored here, because the round's own connections report them.
    return null;
  }
}

/** Has the probes' settings. The anchor can be an intermediate certificate or a leaf certificate. */
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
 * Other checks report these errors. Validity dates are checked with a corrected clock. A chain that does not reach the
 * anchor is incomplete or is a different chain.
 */
const IGNORED_ERRORS: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/**
 * According to @types/node, `authorizationError` is an Error, but it is a string with the error code (lib/_tls_wrap.js,
 * onConnectSecure).
 */
function heard(
  chain: CapturedChain,
  socket: { readonly authorized: boolean; readonly authorizationError: unknown },
): OpensslResult | null {
  if (socket.authorized) return { chain, word: { refusal: null } };
  const code = String(socket.authorizationError);
  return IGNORED_ERRORS.has(code) ? null : { chain, word: { refusal: code } };
}
