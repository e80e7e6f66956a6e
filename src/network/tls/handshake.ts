import { isIP, type Socket } from 'node:net';
import { connect, type CipherNameAndProtocol, type SecureContext, type TLSSocket } from 'node:tls';
import { Duplex } from 'node:stream';
import { deadline } from '../../system/clock.ts';
import type { CapturedChain, Certificate } from '../../core/certificate.ts';
import type { Millis } from '../../core/clock.ts';
import type { TlsFacts, TlsOutcome } from '../../core/observation.ts';
import type { ProbeContext } from '../context.ts';
import { abortError, failureFrom, ProbeError } from '../failure.ts';
import { Wire } from '../wire.ts';

/** Time limit for receiving the rest of a block page, even if the server keeps sending. */
const PLAIN_ANSWER_WAIT: Millis = 250;

/**
 * Maximum number of bytes that a peer can send before the handshake is complete. A chain with hundreds of names has
 * about 25 KiB. OpenSSL verifies the whole chain during the handshake, which blocks the event loop, and accepts
 * 100 KiB.
 */
const MAX_HANDSHAKE_BYTES = 48 * 1024;

interface HandshakeOptions {
  /** If the value is null or an address, SNI is not sent, because RFC 6066 §3 forbids addresses. */
  readonly serverName: string | null;
  readonly secureContext: SecureContext;
  readonly parse: CertificateParser;
  readonly limit: Millis;
}

export interface TlsSession {
  readonly socket: TLSSocket;
  /** Read at the end of the handshake, because Node no longer knows the version when the socket is destroyed. */
  readonly protocol: string | null;
  /** True if the server requested a client certificate. A server may also accept clients without a certificate. */
  readonly certificateRequested: boolean;
  readonly error: () => Error | null;
}

export interface Handshake {
  readonly outcome: TlsOutcome;
  readonly session: TlsSession | null;
}

/**
 * Captures the peer's data even if the handshake fails. A certificate that OpenSSL rejects does not end the handshake.
 * Failures caused by the peer are returned, not thrown. The caller destroys the socket.
 */
export async function shakeHands(socket: Socket, options: HandshakeOptions, ctx: ProbeContext): Promise<Handshake> {
  const started = ctx.clock.elapsed();
  const serverName = options.serverName === null || isIP(options.serverName) !== 0 ? '' : options.serverName;
  using limit = deadline(ctx.clock, options.limit, ctx.signal);
  const tap = new TappedStream(socket);
  const tlsSocket = connect({
    socket: tap,
    secureContext: options.secureContext,
    // Handshakes with invalid certificates are also captured, and judged later.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(serverName === '' ? {} : { servername: serverName }),
  });
  // Node would read an accepted chain for `checkServerIdentity`, which takes 0.3 ms.
  Object.assign(tlsSocket, { getPeerCertificate: () => ({}) });
  const end = await handshakeEnd(socket, tlsSocket, options.parse, limit.signal);
  tap.unlimited();
  const durationMs = ctx.clock.elapsed() - started;
  const facts = { serverName, protocol: end.peer.protocol, cipher: end.peer.cipher, durationMs };
  if (end.error === null) return finished(tlsSocket, end.peer, facts);

  tlsSocket.destroy();
  tap.stop();
  const alert = alertName(end.error) ?? alertAtHello(tap.firstBytes());
  if (end.peer.chain !== null && demandsCertificate(alert, end.peer.certificateRequested))
    return { outcome: { kind: 'client-certificate-demanded', ...facts, chain: end.peer.chain }, session: null };
  const plaintext = await plainAnswer(socket, tap.firstBytes(), limit.signal, ctx);
  const failure = failureFrom(explain(end.error, alert, plaintext), durationMs, ctx.signal);
  const receivedBytes = tap.firstBytes().length;
  const received = receivedBytes === 0 ? {} : { receivedBytes };
  return { outcome: { ...failure, ...received, serverName, alert, chain: end.peer.chain, plaintext }, session: null };
}

/** A message from the peer takes precedence over the error that ended the connection. */
function explain(error: Error, alert: string | null, plaintext: string | null): Error {
  if (plaintext !== null)
    return new ProbeError('protocol', 'Expected TLS, but the peer responded in plain text', { cause: error });
  return alert === null ? error : new ProbeError('tls', `The peer sent the TLS alert ${alert}`, { cause: error });
}

function finished(socket: TLSSocket, peer: PeerFacts, facts: Omit<TlsFacts, 'chain'>): Handshake {
  let broken: Error | null = null;
  socket.on('error', (error) => {
    broken ??= error;
  });
  const chain = peer.chain ?? { certificates: [], dropped: 0 };
  return {
    outcome: { kind: 'established', ...facts, ...refusalOf(socket), chain },
    session: {
      socket,
      protocol: peer.protocol,
      certificateRequested: peer.certificateRequested,
      error: () => broken,
    },
  };
}

/**
 * According to @types/node, `authorizationError` is an Error, but it is a string with the error code (lib/_tls_wrap.js,
 * onConnectSecure).
 */
function refusalOf(socket: {
  readonly authorized: boolean;
  readonly authorizationError: unknown;
}): Pick<TlsFacts, 'refusal'> {
  return socket.authorized ? {} : { refusal: String(socket.authorizationError) };
}

interface PeerFacts {
  readonly chain: CapturedChain | null;
  readonly protocol: string | null;
  readonly cipher: string | null;
  readonly certificateRequested: boolean;
}

function peerFacts(socket: TLSSocket, parse: CertificateParser): PeerFacts {
  // Node's type declarations omit `undefined`. Before the ServerHello, the cipher is undefined, and getProtocol()
  // returns the offered version instead of the negotiated version.
  const cipher: CipherNameAndProtocol | null | undefined = socket.getCipher();
  const signatureAlgorithms: readonly string[] | null = socket.getSharedSigalgs();
  const agreed = cipher?.standardName ?? null;
  return {
    chain: captureChain(socket, parse),
    protocol: agreed === null ? null : socket.getProtocol(),
    cipher: agreed,
    // On a client, Node sets these values only when the server requests a certificate (RFC 8446 §4.3.2, RFC 5246
    // §7.4.4).
    certificateRequested: (signatureAlgorithms ?? []).length > 0,
  };
}

/**
 * Reads the peer's data immediately after a failure, because OpenSSL's state is lost one turn of the event loop later.
 * A TLS 1.2 server that rejects a client without a certificate has already sent its own chain.
 */
function handshakeEnd(
  socket: Socket,
  tlsSocket: TLSSocket,
  parse: CertificateParser,
  signal: AbortSignal,
): Promise<{ readonly error: Error | null; readonly peer: PeerFacts }> {
  return new Promise((resolve, reject) => {
    let ended = false;
    function end(error: Error | null): void {
      if (ended) return;
      ended = true;
      signal.removeEventListener('abort', onAbort);
      socket.off('end', onEnd);
      try {
        resolve({ error, peer: peerFacts(tlsSocket, parse) });
      } catch (bug) {
        // The error is not thrown again, because an exception in an event handler would terminate the process.
        reject(bug instanceof Error ? bug : new Error('Cannot read the TLS handshake data', { cause: bug }));
      }
    }
    function onAbort(): void {
      end(abortError(signal));
    }
    function onEnd(): void {
      // The error is created only if needed, because every connection emits 'close' and capturing a stack trace is
      // slow.
      if (!ended) end(new ProbeError('closed', 'The peer closed the connection during the handshake'));
    }
    tlsSocket.once('secureConnect', () => end(null));
    // The next three listeners are never removed, because an unhandled error would terminate the process.
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

async function plainAnswer(
  socket: Socket,
  first: Buffer,
  signal: AbortSignal,
  ctx: ProbeContext,
): Promise<string | null> {
  if (beginsAsTls(first)) return null;
  using wait = deadline(ctx.clock, PLAIN_ANSWER_WAIT, signal);
  const rest = await new Wire(socket, wait.signal).readUpTo(KEPT_BYTES - first.length);
  return readableText(Buffer.concat([first, rest]));
}

const MAX_CERTIFICATES = 16;

/** A cached parser is faster, because a server usually sends the same chain each time. */
export type CertificateParser = (der: Uint8Array) => Certificate | null;

/**
 * Returns the chain exactly as the peer sent it, including its order, unrelated certificates and gaps.
 * `getPeerCertificate(true)` does not preserve these details, because it links certificates by issuer. Must be called
 * before the socket is destroyed.
 *
 * @returns null when the peer has not sent a certificate
 */
function captureChain(socket: TLSSocket, parse: CertificateParser): CapturedChain | null {
  const ders: Uint8Array[] = [];
  for (let current = socket.getPeerX509Certificate(); current !== undefined; current = current.issuerCertificate)
    ders.push(current.raw);
  if (ders.length === 0) return null;
  const certificates = ders
    .slice(0, MAX_CERTIFICATES)
    .map((der) => parse(der))
    .filter((certificate) => certificate !== null);
  return { certificates, dropped: ders.length - certificates.length };
}

const TOO_LONG = `The peer sent more than ${String(MAX_HANDSHAKE_BYTES / 1024)} KiB before the handshake was complete`;

/** In a FortiOS block page, the text begins after about 5 KiB of style sheet. */
const KEPT_BYTES = 16 * 1024;

/**
 * Wraps a connected socket for `tls.connect` and keeps the first bytes that the peer sends. Node reads a plain socket
 * in native code, so a response other than TLS (a block page or a banner) would be lost, and only
 * ERR_SSL_WRONG_VERSION_NUMBER would be reported. The wrapper costs 0.05 ms of CPU per handshake.
 *
 * The caller owns the socket. Destroying this stream does not destroy the socket.
 */
class TappedStream extends Duplex {
  readonly #socket: Socket;
  readonly #first: Buffer[] = [];
  #kept = 0;
  #room = MAX_HANDSHAKE_BYTES;

  constructor(socket: Socket) {
    super({ autoDestroy: false });
    this.#socket = socket.on('data', this.#onData).on('end', this.#onEnd);
  }

  /** Called after the handshake. */
  unlimited(): void {
    this.#room = Infinity;
  }

  firstBytes(): Buffer {
    return Buffer.concat(this.#first);
  }

  /** Leaves the rest of the peer's bytes to others. */
  stop(): void {
    this.destroy();
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).pause();
  }

  override _read(): void {
    if (!this.destroyed) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(callback);
  }

  readonly #onData = (chunk: Buffer): void => {
    const room = KEPT_BYTES - this.#kept;
    if (room > 0) {
      // The bytes are copied, because a view would keep the whole 64 KiB read buffer in memory.
      const part = Buffer.from(chunk.subarray(0, room));
      this.#first.push(part);
      this.#kept += part.length;
    }
    this.#room -= chunk.length;
    if (this.#room < 0) this.destroy(new ProbeError('protocol', TOO_LONG));
    if (!this.destroyed && !this.push(chunk)) this.#socket.pause();
  };

  readonly #onEnd = (): void => {
    if (!this.destroyed) this.push(null);
  };
}

/** Names of alerts (RFC 8446 §6, RFC 5246 §7.2). Alerts that newer TLS versions removed keep their old names. */
const ALERT_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'close_notify'],
  [10, 'unexpected_message'],
  [20, 'bad_record_mac'],
  [21, 'decryption_failed'],
  [22, 'record_overflow'],
  [30, 'decompression_failure'],
  [40, 'handshake_failure'],
  [41, 'no_certificate'],
  [42, 'bad_certificate'],
  [43, 'unsupported_certificate'],
  [44, 'certificate_revoked'],
  [45, 'certificate_expired'],
  [46, 'certificate_unknown'],
  [47, 'illegal_parameter'],
  [48, 'unknown_ca'],
  [49, 'access_denied'],
  [50, 'decode_error'],
  [51, 'decrypt_error'],
  [60, 'export_restriction'],
  [70, 'protocol_version'],
  [71, 'insufficient_security'],
  [80, 'internal_error'],
  [86, 'inappropriate_fallback'],
  [90, 'user_canceled'],
  [100, 'no_renegotiation'],
  [109, 'missing_extension'],
  [110, 'unsupported_extension'],
  [111, 'certificate_unobtainable'],
  [112, 'unrecognized_name'],
  [113, 'bad_certificate_status_response'],
  [114, 'bad_certificate_hash_value'],
  [115, 'unknown_psk_identity'],
  [116, 'certificate_required'],
  [120, 'no_application_protocol'],
  [121, 'ech_required'],
]);

/** Text that OpenSSL appends to an error only if a received alert caused it. */
const ALERT_IN_MESSAGE = /SSL alert number (?<number>\d{1,3})/u;

/** Uses the alert number instead of Node's `code`, because OpenSSL renamed its error reasons between Node 20 and 24. */
export function alertName(error: unknown): string | null {
  const number = error instanceof Error ? ALERT_IN_MESSAGE.exec(error.message)?.groups?.['number'] : undefined;
  return number === undefined ? null : alertOfCode(Number(number));
}

/**
 * Parses the bytes (RFC 8446 §5.1, §6), because OpenSSL does not report an alert with an unknown number or an alert
 * followed by a connection reset.
 */
export function alertAtHello(answer: Uint8Array): string | null {
  const [type, major, , high, low, level, number] = answer;
  return type === 21 && major === 3 && high === 0 && low === 2 && level === 2 && number !== undefined
    ? alertOfCode(number)
    : null;
}

export function alertOfCode(number: number): string {
  return ALERT_NAMES.get(number) ?? `alert_${String(number)}`;
}

/** Which alert is sent depends on the server's TLS library (OpenSSL, GnuTLS, SChannel, Java or BoringSSL). */
const CERTIFICATE_ALERTS: ReadonlySet<string> = new Set([
  'handshake_failure',
  'no_certificate',
  'bad_certificate',
  'unsupported_certificate',
  'certificate_unknown',
  'unknown_ca',
  'access_denied',
  'certificate_required',
]);

export function demandsCertificate(alert: string | null, certificateRequested: boolean): boolean {
  return alert === 'certificate_required' || (certificateRequested && alert !== null && CERTIFICATE_ALERTS.has(alert));
}

const MAX_TEXT = 512;

/** Content types of TLS records: change_cipher_spec to application_data (RFC 8446 §5.1), and heartbeat (RFC 6520). */
const FIRST_CONTENT_TYPE = 20;
const LAST_CONTENT_TYPE = 24;

/** Returns whether a response begins with a TLS record. An empty response also counts as TLS. */
export function beginsAsTls(bytes: Uint8Array): boolean {
  const [type, major] = bytes;
  if (type === undefined) return true;
  if (type < FIRST_CONTENT_TYPE || type > LAST_CONTENT_TYPE) return false;
  return major === undefined || major === 3;
}

/**
 * Returns the text of a response that is not TLS, as one line of up to 512 printable ASCII characters. For HTML, only
 * the readable text is kept, because block pages begin with several kilobytes of style sheet.
 */
export function readableText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/<(style|script)\b[^>]*>[^<]*(?:<\/\1\s*>)?/giu, ' ')
    .replaceAll(/<!--(?:[^-]|-(?!->))*(?:-->)?/gu, ' ')
    .replaceAll(/<[!/a-z][^<>]*>/giu, ' ')
    .replaceAll(/[\s]+/gu, ' ')
    .replaceAll(/[^ -~]/gu, '.')
    .trim()
    .slice(0, MAX_TEXT);
}
