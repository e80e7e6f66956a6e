import type { FailureReason } from '../../core/observation.ts';
import { ProbeError, errorCode } from '../failure.ts';

/** The server answered, and not as it should have. */
export class SmtpError extends ProbeError {
  /** RFC 5321 §4.2. */
  readonly code: number;

  constructor(reply: string, code: number) {
    super('rejected', `The server answered "${reply}"`);
    this.code = code;
  }
}

/** nodemailer's own codes; what they hide (a system error, a TLS code) is preferred where it is told. */
const REASON_BY_CODE: ReadonlyMap<string, FailureReason> = new Map<string, FailureReason>([
  ['ECONNECTION', 'closed'],
  ['EPROTOCOL', 'protocol'],
  ['ETIMEDOUT', 'timeout'],
  ['ETLS', 'tls'],
  ['EAUTH', 'rejected'],
]);

/** Undoes nodemailer's wrapping: it overwrites `code` and keeps the system's own one aside. */
export function fromNodemailer(error: unknown): Error {
  if (!(error instanceof Error)) return new ProbeError('internal', 'The SMTP client failed without an error');
  const code = 'responseCode' in error ? error.responseCode : null;
  if (typeof code === 'number' && 'response' in error && typeof error.response === 'string')
    return new SmtpError(error.response, code);
  if ('originalCode' in error && typeof error.originalCode === 'string')
    return Object.assign(error, { code: error.originalCode });
  const reason = REASON_BY_CODE.get(errorCode(error) ?? '');
  return reason === undefined ? error : new ProbeError(reason, error.message, { cause: error });
}
