import { isIP, type Socket } from 'node:net';
import { connect, type CipherNameAndProtocol, type SecureContext, type TLSSocket } from 'node:tls';
import { Duplex } from 'node:stream';
import { deadline } from '../../system/clock.ts';
import type { CapturedChain, Certificate } from '../../core/certificate.ts';
import type { Millis } from '../../core/clock.ts';
import type { TlsFacts, TlsOutcome } from '../../core/observation.ts';
import type { ProbeContext } from '../context.ts';
import { abortError, failureFrom, ProbeError } from '../failure.ts';

/** A whole block page takes a moment to arrive. The limit applies even if the server keeps sending. */
const PLAIN_ANSWER_WAIT: Millis = 250;

interface HandshakeOptions {
  /** SNI. Not sent if it is null or an address (RFC 6066 §3 forbids addresses). */
  readonly serverName: string | null;
  readonly secureContext: SecureContext;
  readonly parse: CertificateParser;
  readonly limit: Millis;
}

/** A completed handshake, for the request that follows on the same connection. */
export interface TlsSession {
  readonly socket: TLSSocket;
  /** Whether the server requested a client certificate. It may continue without one. */
  readonly certificateRequested: boolean;
  /** Returns the error that has broken the connection since; null while it is open. */
  readonly error: () => Error | null;
}

export interface Handshake {
  readonly outcome: TlsOutcome;
  /** null if the handshake failed. */
  readonly session: TlsSession | null;
}

/**
 * Performs a TLS handshake over a connected socket and captures the peer's data, whether the handshake succeeds or not.
 * Nothing is verified. The caller destroys the socket. Never rejects because of the peer's behaviour.
 */
export async function shakeHands(socket: Socket, options: HandshakeOptions, ctx: ProbeContext): Promise<Handshake> {
  const started = ctx.clock.elapsed();
  const serverName = options.serverName === null || isIP(options.serverName) !== 0 ? '' : options.serverName;
  using limit = deadline(ctx.clock, options.limit, ctx.signal);
  const tap = new TappedStream(socket);
  const tlsSocket = connect({
    socket: tap,
    secureContext: options.secureContext,
    // Verification is done later, because a handshake that OpenSSL would reject is the interesting one.
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

/** Prefers the peer's own answer to the error that ended the connection. */
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
  // Typed as always present, but missing before the ServerHello. getProtocol() then returns the version that was
  // offered, not the one agreed on.
  const cipher: CipherNameAndProtocol | null | undefined = socket.getCipher();
  const signatureAlgorithms: readonly string[] | null = socket.getSharedSigalgs();
  const agreed = cipher?.standardName ?? null;
  return {
    chain: captureChain(socket, parse),
    protocol: agreed === null ? null : socket.getProtocol(),
    cipher: agreed,
    // On a client, only a CertificateRequest fills these in (RFC 8446 §4.3.2, RFC 5246 §7.4.4).
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
 * Waits for the first event that ends the handshake. Reads the peer's data immediately, because OpenSSL's state is lost
 * one turn of the event loop after a failure. A server that demands a client certificate with TLS 1.2 has sent its
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
        // Rethrown inside an event handler, it would end the process.
        reject(bug instanceof Error ? bug : new Error('Cannot read what the peer has shown', { cause: bug }));
      }
    }
    function onAbort(): void {
      end(abortError(signal));
    }
    function onEnd(): void {
      // Every connection emits 'close', and creating an error captures a stack trace, so one is created only if needed.
      if (!ended) end(new ProbeError('closed', 'The peer closed the connection during the handshake'));
    }
    tlsSocket.once('secureConnect', () => end(null));
    // These three listeners remain after the handshake, because an unhandled error ends the process.
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

const MAX_CERTIFICATES = 16;

/** Same as `parseCertificate`. A cached parser is better, because a server always sends the same chain. */
export type CertificateParser = (der: Uint8Array) => Certificate | null;

/**
 * Returns the chain exactly as the peer sent it, including its order, unrelated certificates and gaps.
 * `getPeerCertificate(true)` loses these, because it links certificates by issuer. Up to Node 24, this call leaked the
 * certificates above the leaf; on Node 26 it does not (`bench/capture-leak.ts`). Must be called before the socket is
 * destroyed.
 *
 * @returns null when the peer has sent no certificate
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

/** The text of a block page follows its style sheet, after about 5 KiB in FortiOS. */
const KEPT_BYTES = 16 * 1024;

/**
 * Wraps a connected socket for `tls.connect` and keeps the first bytes that the peer sent. Node reads a plain socket
 * below JavaScript, so an answer that is not TLS (a block page, a banner) would be lost in
 * ERR_SSL_WRONG_VERSION_NUMBER. The wrapper costs 0.05 ms of CPU per handshake.
 *
 * The owner keeps the socket: destroying this stream neither destroys the socket nor stops reading from it, because
 * `whenDone` needs the rest of the answer.
 */
class TappedStream extends Duplex {
  readonly #socket: Socket;
  readonly #first: Buffer[] = [];
  #kept = 0;

  constructor(socket: Socket) {
    super({ autoDestroy: false });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#keep(chunk);
      if (!this.destroyed && !this.push(chunk)) socket.pause();
    });
    socket.on('end', () => {
      if (!this.destroyed) this.push(null);
    });
  }

  /** Returns at most the first 16 KiB. */
  firstBytes(): Buffer {
    return Buffer.concat(this.#first);
  }

  /** Resolves when the peer has ended, the buffer is full, or `signal` is aborted. */
  whenDone(signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        socket.off('data', onData).off('end', done).off('close', done);
        resolve();
      };
      const onData = (): void => {
        if (this.#kept >= KEPT_BYTES) done();
      };
      signal.addEventListener('abort', done, { once: true });
      socket.on('data', onData).once('end', done).once('close', done);
      if (signal.aborted || socket.readableEnded || socket.destroyed) done();
      else onData();
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#socket.resume();
    callback(error);
  }

  #keep(chunk: Buffer): void {
    const room = KEPT_BYTES - this.#kept;
    if (room <= 0) return;
    // Copied, because a view would keep the whole 64 KiB read buffer alive.
    const part = Buffer.from(chunk.subarray(0, room));
    this.#first.push(part);
    this.#kept += part.length;
  }
}

/** RFC 8446 §6 and RFC 5246 §7.2; dropped alerts have the names from older versions. */
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

/** OpenSSL appends this only to errors caused by a received alert. */
const ALERT_IN_MESSAGE = /SSL alert number (?<number>\d{1,3})/u;

/**
 * Returns the RFC 8446 §6 name of the TLS alert that the peer sent (`alert_99` for an unknown number); null when
 * `error` was not caused by an alert. Uses the number instead of Node's `code`, because OpenSSL renamed its reasons
 * between Node 20 and 24.
 */
export function alertName(error: unknown): string | null {
  const number = error instanceof Error ? ALERT_IN_MESSAGE.exec(error.message)?.groups?.['number'] : undefined;
  return number === undefined ? null : alertOfCode(Number(number));
}

/**
 * Returns the fatal alert if the answer to the ClientHello is one, from its bytes (RFC 8446 §5.1, §6). OpenSSL reports
 * no alert for an unknown number, and an immediate reset can arrive first.
 */
export function alertAtHello(answer: Uint8Array): string | null {
  const [type, major, , high, low, level, number] = answer;
  return type === 21 && major === 3 && high === 0 && low === 2 && level === 2 && number !== undefined
    ? alertOfCode(number)
    : null;
}

/** Returns the name of an alert by its number (RFC 8446 §6); `alert_99` for an unknown number. */
export function alertOfCode(number: number): string {
  return ALERT_NAMES.get(number) ?? `alert_${String(number)}`;
}

/** Alerts that servers send to a client without a certificate. OpenSSL, GnuTLS, SChannel, Java and BoringSSL differ. */
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

/** Reports whether `alert` means that the server requires the certificate that it requested and did not get. */
export function demandsCertificate(alert: string | null, certificateRequested: boolean): boolean {
  return alert === 'certificate_required' || (certificateRequested && alert !== null && CERTIFICATE_ALERTS.has(alert));
}

/** Maximum length of the text that is kept from an answer that was not TLS. */
const MAX_TEXT = 512;

/** Content types of TLS records, RFC 8446 §5.1: change_cipher_spec to application_data, and heartbeat (RFC 6520). */
const FIRST_CONTENT_TYPE = 20;
const LAST_CONTENT_TYPE = 24;

/** Reports whether an answer begins as a TLS record. An empty answer counts as TLS, because it shows nothing else. */
export function beginsAsTls(bytes: Uint8Array): boolean {
  const [type, major] = bytes;
  if (type === undefined) return true;
  if (type < FIRST_CONTENT_TYPE || type > LAST_CONTENT_TYPE) return false;
  return major === undefined || major === 3;
}

/**
 * Returns the text of an answer that was not TLS, as one line of printable ASCII, 512 characters at most. For HTML,
 * only the readable text is kept, because block pages begin with kilobytes of style sheet.
 */
export function readableText(bytes: Uint8Array): string {
  return readableLine(Buffer.from(bytes).toString('latin1'));
}

/** Like {@link readableText}, but for a string. */
export function readableLine(text: string): string {
  return text
    .replaceAll(/<(style|script)\b[^>]*>[^<]*(?:<\/\1\s*>)?/giu, ' ')
    .replaceAll(/<!--(?:[^-]|-(?!->))*(?:-->)?/gu, ' ')
    .replaceAll(/<[!/a-z][^<>]*>/giu, ' ')
    .replaceAll(/[\s]+/gu, ' ')
    .replaceAll(/[^ -~]/gu, '.')
    .trim()
    .slice(0, MAX_TEXT);
}
