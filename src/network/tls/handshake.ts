import { isIP, type Socket } from 'node:net';
import { connect, type CipherNameAndProtocol, type SecureContext, type TLSSocket } from 'node:tls';
import { deadline } from '../../system/clock.ts';
import type { CapturedChain } from '../../core/certificate.ts';
import type { Millis } from '../../core/clock.ts';
import type { TlsFacts, TlsOutcome } from '../../core/observation.ts';
import type { ProbeContext } from '../context.ts';
import { abortError, failureFrom, ProbeError } from '../failure.ts';
import { captureChain, type CertificateParser } from './captured-chain.ts';
import { beginsAsTls, readableText } from './plain-answer.ts';
import { TappedStream } from './tapped-stream.ts';
import { alertAtHello, alertName, demandsCertificate } from './tls-alert.ts';

/** A whole block page takes a moment to arrive; a server that goes on talking is not waited for. */
const PLAIN_ANSWER_WAIT: Millis = 250;

export interface HandshakeOptions {
  /** SNI; null, or an address (RFC 6066 §3 forbids them), sends none. */
  readonly serverName: string | null;
  readonly secureContext: SecureContext;
  readonly parse: CertificateParser;
  readonly limit: Millis;
}

/** A finished handshake, for the request that follows on the same connection. */
export interface TlsSession {
  readonly socket: TLSSocket;
  /** The server asked for a client certificate (it may go on without). */
  readonly certificateRequested: boolean;
  /** What has broken the connection since; null while it stands. */
  readonly error: () => Error | null;
}

export interface Handshake {
  readonly outcome: TlsOutcome;
  /** null: the handshake failed. */
  readonly session: TlsSession | null;
}

/**
 * Shakes hands over a connected socket and captures what the peer shows, whether the handshake succeeds or not. Nothing
 * is verified. The socket remains the caller's to destroy. Never rejects for anything that a peer can do.
 */
export async function shakeHands(socket: Socket, options: HandshakeOptions, ctx: ProbeContext): Promise<Handshake> {
  const started = ctx.clock.elapsed();
  const serverName = options.serverName === null || isIP(options.serverName) !== 0 ? '' : options.serverName;
  using limit = deadline(ctx.clock, options.limit, ctx.signal);
  const tap = new TappedStream(socket);
  const tlsSocket = connect({
    socket: tap,
    secureContext: options.secureContext,
    // Captured first, judged afterwards: a handshake that OpenSSL would refuse is the interesting one.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(serverName === '' ? {} : { servername: serverName }),
  });
  const end = await handshakeEnd({ socket, tlsSocket, read: () => peerFacts(tlsSocket, options.parse) }, limit.signal);
  const durationMs = ctx.clock.elapsed() - started;
  const facts = { serverName, protocol: end.peer.protocol, cipher: end.peer.cipher, durationMs };
  if (end.error === null) return finished(tlsSocket, end.peer, facts);

  tlsSocket.destroy();
  const alert = alertName(end.error) ?? alertAtHello(tap.firstBytes());
  if (end.peer.chain !== null && demandsCertificate(alert, end.peer.certificateRequested))
    return { outcome: { kind: 'client-certificate-demanded', ...facts, chain: end.peer.chain }, session: null };
  const plaintext = await plainAnswer(tap, limit.signal, ctx);
  const failure = failureFrom(explain(end.error, alert, plaintext), durationMs, ctx.signal);
  const receivedBytes = tap.firstBytes().length;
  const received = receivedBytes === 0 ? {} : { receivedBytes };
  return { outcome: { ...failure, ...received, serverName, alert, chain: end.peer.chain, plaintext }, session: null };
}

/** What the peer has said tells more than how its connection ended. */
function explain(error: Error, alert: string | null, plaintext: string | null): Error {
  if (plaintext !== null)
    return new ProbeError('protocol', 'Answered in plain text where TLS was expected', { cause: error });
  return alert === null ? error : new ProbeError('tls', `The peer sent the TLS alert ${alert}`, { cause: error });
}

function finished(socket: TLSSocket, peer: PeerFacts, facts: Omit<TlsFacts, 'chain'>): Handshake {
  let broken: Error | null = null;
  socket.on('error', (error) => {
    broken ??= error;
  });
  return {
    outcome: { kind: 'established', ...facts, chain: peer.chain ?? { certificates: [], dropped: 0 } },
    session: { socket, certificateRequested: peer.certificateRequested, error: () => broken },
  };
}

interface PeerFacts {
  readonly chain: CapturedChain | null;
  readonly protocol: string | null;
  readonly cipher: string | null;
  readonly certificateRequested: boolean;
}

function peerFacts(socket: TLSSocket, parse: CertificateParser): PeerFacts {
  // Typed as always there, but missing before the ServerHello; getProtocol() then says what was offered, not what was
  // agreed.
  const cipher: CipherNameAndProtocol | null | undefined = socket.getCipher();
  const signatureAlgorithms: readonly string[] | null = socket.getSharedSigalgs();
  const agreed = cipher?.standardName ?? null;
  return {
    chain: captureChain(socket, parse),
    protocol: agreed === null ? null : socket.getProtocol(),
    cipher: agreed,
    // On a client these are filled in by a CertificateRequest (RFC 8446 §4.3.2, RFC 5246 §7.4.4) and by nothing else.
    certificateRequested: (signatureAlgorithms ?? []).length > 0,
  };
}

interface HandshakeEnd {
  readonly error: Error | null;
  readonly peer: PeerFacts;
}

interface Handshaking {
  readonly socket: Socket;
  readonly tlsSocket: TLSSocket;
  readonly read: () => PeerFacts;
}

/**
 * Whatever ends the handshake first. What the peer has shown is read in the very moment: OpenSSL's state is gone one
 * turn of the event loop after a failure, and a server that demands a client certificate with TLS 1.2 has shown its
 * chain by then.
 */
function handshakeEnd({ socket, tlsSocket, read }: Handshaking, signal: AbortSignal): Promise<HandshakeEnd> {
  return new Promise((resolve, reject) => {
    let ended = false;
    function end(error: Error | null): void {
      if (ended) return;
      ended = true;
      signal.removeEventListener('abort', onAbort);
      socket.off('end', onEnd);
      try {
        resolve({ error, peer: read() });
      } catch (bug) {
        // Thrown on from inside an event, it would end the process.
        reject(bug instanceof Error ? bug : new Error('Cannot read what the peer has shown', { cause: bug }));
      }
    }
    function onAbort(): void {
      end(abortError(signal));
    }
    function onEnd(): void {
      // Every connection closes in the end: most have nobody to tell, and an error takes its stack.
      if (!ended) end(new ProbeError('closed', 'The peer closed the connection during the handshake'));
    }
    tlsSocket.once('secureConnect', () => end(null));
    // These three outlive the handshake: an error that nobody listens to ends the process.
    tlsSocket.on('error', end);
    tlsSocket.on('close', onEnd);
    socket.on('error', (error) => {
      end(error);
      tlsSocket.destroy(error);
    });
    socket.once('end', onEnd);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

async function plainAnswer(tap: TappedStream, signal: AbortSignal, ctx: ProbeContext): Promise<string | null> {
  if (beginsAsTls(tap.firstBytes())) return null;
  using wait = deadline(ctx.clock, PLAIN_ANSWER_WAIT, signal);
  await tap.whenDone(wait.signal);
  return readableText(tap.firstBytes());
}
