import { isIPv4 } from 'node:net';
import type { Millis } from '../core/clock.ts';
import type { Deadline } from '../system/clock.ts';
import type { ApiFailure, Failure, FailureReason } from '../core/observation.ts';
import { visibleText, withoutSecrets } from '../core/visible-text.ts';
import { withoutCodes } from '../text/mask.ts';
import { messageOf } from '../text/message-of.ts';

/** Longer messages are truncated, because they can contain data from the peer. */
const MAX_MESSAGE_LENGTH = 300;

const MAX_CAUSES = 5;

const REASON_BY_CODE: ReadonlyMap<string, FailureReason> = new Map<string, FailureReason>([
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'reset'],
  ['ECONNABORTED', 'reset'],
  ['EPIPE', 'reset'],
  ['ETIMEDOUT', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['ENETUNREACH', 'no-route'],
  ['ENETDOWN', 'no-route'],
  ['EHOSTUNREACH', 'no-route'],
  ['EHOSTDOWN', 'no-route'],
  ['EADDRNOTAVAIL', 'no-route'],
  ['EAFNOSUPPORT', 'no-route'],
  // EPERM means that a packet filter or a `prohibit` route on this machine blocked the packet.
  ['EPERM', 'no-route'],
  ['EACCES', 'no-route'],
  ['ENOTFOUND', 'name-not-resolved'],
  ['ENODATA', 'name-not-resolved'],
  ['EAI_AGAIN', 'name-not-resolved'],
  ['EAI_FAIL', 'name-not-resolved'],
  ['EAI_NODATA', 'name-not-resolved'],
  ['ENOTCONN', 'closed'],
  ['UND_ERR_SOCKET', 'closed'],
  // undici reports UND_ERR_INFO when an HTTP/2 stream ends without a response.
  ['UND_ERR_INFO', 'closed'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'closed'],
  ['EPROTO', 'tls'],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'protocol'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['ABORT_ERR', 'aborted'],
  ['UND_ERR_ABORTED', 'aborted'],
]);

/**
 * Node's names for OpenSSL verification errors:
 * https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes.
 */
const CERTIFICATE_CODE =
  /^(?:UNABLE_TO_|CERT_|CRL_|ERROR_IN_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_MISMATCH$|OUT_OF_MEM$|UNSPECIFIED$)/u;

const UNTRUSTED_CODE = /^(?:UNABLE_TO_(?:GET_ISSUER|VERIFY)|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$)/u;

/** Returns what is wrong with the peer's certificate. Null if the failure is not about its certificate. */
export function certificateFault(error: unknown): NonNullable<ApiFailure['certificate']> | null {
  const codes = errorWithCauses(error).map((link) => errorCode(link) ?? '');
  if (codes.some((code) => UNTRUSTED_CODE.test(code))) return 'untrusted';
  return codes.some((code) => CERTIFICATE_CODE.test(code) || code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    ? 'invalid'
    : null;
}

/** Used for failures without an error code, such as a malformed response or a refused login. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Returns `overdue(error)` if the time limit has expired and `error` is not already a `ProbeError`. */
export function overdueOr(error: unknown, limit: Deadline, overdue: (cause: unknown) => ProbeError): unknown {
  return limit.expired() && !(error instanceof ProbeError) ? overdue(error) : error;
}

/**
 * If `parent` is aborted, the reason is always `aborted`, because a cancelled round must not be reported as an outage
 * of the target.
 * @param secrets values that were sent to the peer and must not appear in the message
 */
export function failureFrom(
  error: unknown,
  durationMs: Millis,
  parent: AbortSignal,
  secrets: readonly string[] = [],
): Failure {
  const reason = parent.aborted ? 'aborted' : failureReason(error);
  return { kind: 'failed', reason, message: failureMessage(error, secrets), durationMs };
}

/**
 * Maps an error from Node, OpenSSL, undici or ftm-watch to a failure reason. Unknown errors are mapped to `internal`.
 */
export function failureReason(error: unknown): FailureReason {
  const chain = errorWithCauses(error);
  return firstReason(chain.filter((link) => !isWrapper(link))) ?? firstReason(chain) ?? 'internal';
}

function errorWithCauses(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let current = error; chain.length < MAX_CAUSES && current instanceof Error; current = current.cause)
    chain.push(current);
  return chain;
}

function firstReason(errors: readonly Error[]): FailureReason | null {
  for (const error of errors) {
    const reason = ownReason(error);
    if (reason !== null) return reason;
  }
  return null;
}

/** The actual reason, if known, is in the error's `cause`. */
function isWrapper(error: Error): boolean {
  return error.name === 'AbortError' || errorCode(error) === 'UND_ERR_SOCKET';
}

function ownReason(error: Error): FailureReason | null {
  if (error instanceof ProbeError) return error.reason;
  if (error.name === 'DeadlineError') return 'timeout';
  if (error.name === 'AbortError') return 'aborted';
  const code = errorCode(error);
  if (code === null) return null;
  return reasonBySystemCall(code, error) ?? REASON_BY_CODE.get(code) ?? reasonByPattern(code);
}

function reasonBySystemCall(code: string, error: Error): FailureReason | null {
  const call = 'syscall' in error ? error.syscall : null;
  switch (code) {
    case 'ECONNRESET':
      // If the peer closes the connection during a handshake or a response, Node reports ECONNRESET without `syscall`.
      return call === null ? 'closed' : null;
    case 'EINVAL':
      // A `blackhole` route on this machine causes EINVAL.
      return call === 'connect' || call === 'send' ? 'no-route' : null;
    case 'EADDRNOTAVAIL':
      return wasNothingTried(call, error) ? 'internal' : null;
    case 'EACCES':
    case 'EPERM':
      // A file on this machine, such as one with a password, cannot be read.
      return call === 'open' ? 'internal' : null;
    default:
      return null;
  }
}

/**
 * Returns whether nothing was sent because the configured source address does not belong to this machine, or because
 * connect(2) found no free port. Returns false for IPv6 addresses, because connect(2) returns the same error if IPv6 is
 * disabled.
 */
function wasNothingTried(call: unknown, error: Error): boolean {
  return call === 'bind' || ('address' in error && typeof error.address === 'string' && isIPv4(error.address));
}

function reasonByPattern(code: string): FailureReason | null {
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || CERTIFICATE_CODE.test(code)) return 'tls';
  if (code.startsWith('HPE_') || code.startsWith('ERR_HTTP2_')) return 'protocol';
  return null;
}

export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('Aborted', { cause: signal.reason });
}

export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Returns an error message as one line of limited length. Control characters sent by the peer are removed. */
export function failureMessage(error: unknown, secrets: readonly string[] = []): string {
  if (!(error instanceof Error)) return 'Unknown error';
  // OpenSSL's messages contain a memory address and a source file, so only the `reason` property is shown.
  const text =
    'reason' in error && typeof error.reason === 'string' && errorCode(error)?.startsWith('ERR_SSL_') === true
      ? error.reason
      : messageOf(error);
  const said = text === '' ? (errorCode(error) ?? error.name) : withoutSecrets(text, secrets);
  return printable(withoutCodes(said.slice(0, 4 * MAX_MESSAGE_LENGTH)), MAX_MESSAGE_LENGTH);
}

/** Makes untrusted text from a peer safe to display. */
export function printable(text: string, limit: number): string {
  // The text is truncated first, so that long texts from the peer take no extra time.
  return visibleText(
    text
      .slice(0, 2 * limit)
      .replaceAll(/\s+/gu, ' ')
      .trim(),
    limit,
  );
}
