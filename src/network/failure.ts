import { isIPv4 } from 'node:net';
import type { Millis } from '../core/clock.ts';
import type { Deadline } from '../system/clock.ts';
import type { Failure, FailureReason } from '../core/observation.ts';
import { visibleText, withoutSecrets } from '../core/visible-text.ts';
import { withoutCodes } from '../text/mask.ts';
import { messageOf } from '../text/message-of.ts';

/** Longer texts are cut, because an error message can quote data from the peer. */
const MAX_MESSAGE_LENGTH = 300;

/** How deep `cause` is followed; real errors are not nested deeper. */
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
  // Blocked by a packet filter or a `prohibit` route of this machine, so nothing was sent.
  ['EPERM', 'no-route'],
  ['EACCES', 'no-route'],
  ['ENOTFOUND', 'name-not-resolved'],
  ['ENODATA', 'name-not-resolved'],
  ['EAI_AGAIN', 'name-not-resolved'],
  ['EAI_FAIL', 'name-not-resolved'],
  ['EAI_NODATA', 'name-not-resolved'],
  ['ENOTCONN', 'closed'],
  ['UND_ERR_SOCKET', 'closed'],
  // undici reports this when an HTTP/2 stream ends without an answer.
  ['UND_ERR_INFO', 'closed'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'closed'],
  ['EPROTO', 'tls'],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'protocol'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['ABORT_ERR', 'aborted'],
  ['UND_ERR_ABORTED', 'aborted'],
]);

/**
 * OpenSSL verification results by Node's names,
 * https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes.
 */
const CERTIFICATE_CODE =
  /^(?:UNABLE_TO_|CERT_|CRL_|ERROR_IN_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_MISMATCH$|OUT_OF_MEM$|UNSPECIFIED$)/u;

/**
 * An error with an explicit reason, for failures without an error code, such as a malformed answer or a refused login.
 */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Returns the time-out error from `overdue` if the limit has expired, unless the check itself had already failed with a
 * `ProbeError`.
 * @param overdue creates the time-out error
 */
export function overdueOr(error: unknown, limit: Deadline, overdue: (cause: unknown) => ProbeError): unknown {
  return limit.expired() && !(error instanceof ProbeError) ? overdue(error) : error;
}

/**
 * Converts any thrown value into a failure. If `parent` is aborted, the reason is always `aborted`, because a cancelled
 * round must not be reported as an outage of the target.
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

/** Maps errors (Node, OpenSSL, undici, our own) to reasons; unknown errors are `internal`. */
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

/** Reports whether an error states only that something ended. The reason is then in its cause, if there is one. */
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
      // Node reports a regular FIN during a handshake or an answer as ECONNRESET without a system call.
      return call === null ? 'closed' : null;
    case 'EINVAL':
      // Caused by a `blackhole` route on this machine.
      return call === 'connect' || call === 'send' ? 'no-route' : null;
    case 'EADDRNOTAVAIL':
      return wasNothingTried(call, error) ? 'internal' : null;
    default:
      return null;
  }
}

/**
 * Reports whether nothing was sent: the configured source address does not belong to this machine, or connect(2) found
 * no free port. For IPv6 addresses, connect(2) also returns this error if IPv6 is disabled, so they do not count.
 */
function wasNothingTried(call: unknown, error: Error): boolean {
  return call === 'bind' || ('address' in error && typeof error.address === 'string' && isIPv4(error.address));
}

function reasonByPattern(code: string): FailureReason | null {
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || CERTIFICATE_CODE.test(code)) return 'tls';
  if (code.startsWith('HPE_') || code.startsWith('ERR_HTTP2_')) return 'protocol';
  return null;
}

/** Returns the reason of the abort as an error that can be thrown. */
export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('Aborted', { cause: signal.reason });
}

/** Returns the `code` of a Node error; null if it has none. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Returns a message for people: one line of limited length without control characters, even if the peer sent some. */
export function failureMessage(error: unknown, secrets: readonly string[] = []): string {
  if (!(error instanceof Error)) return 'Unknown error';
  // OpenSSL's messages include a pointer and a source file; `reason` is the useful part.
  const text =
    'reason' in error && typeof error.reason === 'string' && errorCode(error)?.startsWith('ERR_SSL_') === true
      ? error.reason
      : messageOf(error);
  const said = text === '' ? (errorCode(error) ?? error.name) : withoutSecrets(text, secrets);
  return printable(withoutCodes(said.slice(0, 4 * MAX_MESSAGE_LENGTH)), MAX_MESSAGE_LENGTH);
}

/** Returns text from an untrusted peer as one line of limited length that is safe to show. */
export function printable(text: string, limit: number): string {
  // Cut before the replacements, so that their cost does not grow with the peer's data.
  return visibleText(
    text
      .slice(0, 2 * limit)
      .replaceAll(/\s+/gu, ' ')
      .trim(),
    limit,
  );
}
