import { ProbeError } from '../failure.ts';

/** The server answered, and not as it should have. */
export class SmtpError extends ProbeError {
  /** RFC 5321 §4.2. */
  readonly code: number;

  constructor({ text, code }: SmtpReply) {
    super('rejected', `The server answered "${text}"`);
    this.code = code;
  }
}

/** One reply of a mail server, RFC 5321 §4.2. */
export interface SmtpReply {
  /** With its codes, the lines joined by line feeds. */
  readonly text: string;
  readonly code: number;
}

const REPLY_CODE = /^\d{3}(?=[ -]|$)/u;

/** @throws {ProbeError} when it has no code */
export function parseReply(text: string): SmtpReply {
  const [code] = REPLY_CODE.exec(text.split('\n', 1)[0] ?? '') ?? [];
  if (code === undefined) throw new ProbeError('protocol', `The server answered "${text}", expected an SMTP reply`);
  return { text, code: Number(code) };
}

/** @throws {SmtpError} when it is no 2yz */
export function requirePositive(reply: SmtpReply): void {
  if (!isPositive(reply)) throw new SmtpError(reply);
}

/** 2yz of RFC 5321 §4.2.1: done. */
export function isPositive({ code }: SmtpReply): boolean {
  return code >= 200 && code < 300;
}
