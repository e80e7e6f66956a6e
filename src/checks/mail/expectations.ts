import type { MailCause } from './causes.ts';
import type { MailStage } from '../../core/observation.ts';

/** Expected result of a step in an SMTP session, and the claim to report if the result differs. */
export interface Expectation {
  readonly rule: string;
  readonly claim: string;
  readonly expected: string;
  readonly suggests: MailCause;
  readonly kind?: string;
  readonly confidence?: 'suspected';
}

export const RESOLVES: Expectation = {
  rule: 'mail-server-resolves',
  claim: 'The name of the mail server does not resolve to an address.',
  expected: 'an address for the name of the mail server',
  suggests: 'mail-unreachable',
};

export const ANSWERS: Expectation = {
  rule: 'mail-server-answers',
  claim: 'The mail server does not answer.',
  expected: 'a mail server that answers',
  suggests: 'mail-unreachable',
};

/** Fails if a session ends without a reply that describes the problem. */
export const GOES_ON: Expectation = {
  rule: 'mail-session-goes-on',
  claim: 'The mail server sent a greeting, then stopped answering.',
  expected: 'an answer to each command',
  suggests: 'mail-stops-answering',
};

export const TLS: Expectation = {
  rule: 'mail-tls-verifies',
  claim: 'TLS to the mail server fails.',
  expected: 'TLS with a certificate that verifies',
  suggests: 'mail-tls-broken',
};

export const SENDER: Expectation = {
  rule: 'mail-sender-accepted',
  claim: 'The mail server rejects the sender.',
  expected: 'the sender is accepted',
  suggests: 'mail-recipient-rejected',
};

export const RECIPIENT: Expectation = {
  rule: 'mail-recipient-accepted',
  claim: 'The mail server rejects the recipient.',
  expected: 'the recipient is accepted',
  suggests: 'mail-recipient-rejected',
};

/** Greylisting is normal. The server accepts the message when it is sent again. */
export const GREYLISTED = { claim: 'The mail server asks the client to retry later.', kind: 'later' } as const;

export const REFUSED: Readonly<Record<Exclude<Refusal, 'greylisted' | 'policy' | 'other'>, Expectation>> = {
  relaying: {
    rule: 'mail-relay-permitted',
    claim: 'The mail server does not relay messages from this address.',
    expected: 'messages from this address are relayed',
    suggests: 'mail-relay-denied',
  },
  client: {
    rule: 'mail-client-accepted',
    claim: "The mail server refuses the client's address.",
    expected: 'this address is accepted',
    suggests: 'mail-client-refused',
  },
  'turned-away': {
    rule: 'mail-client-accepted',
    claim: 'The mail server answers, but refuses the session.',
    expected: 'a greeting that begins with 220',
    suggests: 'mail-client-refused',
    kind: 'turned-away',
    confidence: 'suspected',
  },
  'login-required': {
    rule: 'mail-settings-suffice',
    claim: 'The mail server requires a login, but none is configured.',
    expected: 'messages are accepted with the settings in "mail"',
    suggests: 'mail-settings-incomplete',
    kind: 'login',
  },
  'encryption-required': {
    rule: 'mail-settings-suffice',
    claim: 'The mail server requires encryption.',
    expected: 'messages are accepted with the settings in "mail"',
    suggests: 'mail-settings-incomplete',
    kind: 'encryption',
  },
  'login-not-offered': {
    rule: 'mail-login-accepted',
    claim: 'The mail server does not offer a supported login method on this connection.',
    expected: 'a supported login method is offered',
    suggests: 'mail-login-rejected',
    kind: 'not-offered',
  },
  credentials: {
    rule: 'mail-login-accepted',
    claim: 'The mail server rejects the user name or password.',
    expected: 'the user name and password are accepted',
    suggests: 'mail-login-rejected',
  },
  unavailable: {
    rule: 'mail-server-available',
    claim: 'The mail server reports that it is temporarily unavailable.',
    expected: 'a mail server that accepts messages',
    suggests: 'mail-unavailable',
  },
};

/**
 * `client`: a block list, an access list or a missing reverse name. `turned-away`: no reason is given, so other clients
 * may be affected as well. `login-required`, `encryption-required`: required from every address. `unavailable`:
 * temporarily, for all clients. `policy`: an unspecified security policy. `other`: the sender or the recipient is
 * rejected.
 */
type Refusal =
  | 'relaying'
  | 'client'
  | 'turned-away'
  | 'login-required'
  | 'encryption-required'
  | 'login-not-offered'
  | 'credentials'
  | 'unavailable'
  | 'greylisted'
  | 'policy'
  | 'other';

export interface RefusingReply {
  readonly stage: Exclude<MailStage, 'connect' | 'tls'>;
  /** RFC 5321 §4.2. */
  readonly code: number;
  /** Untrusted. */
  readonly text: string;
}

/** Postfix, Exim, Sendmail, qmail and Exchange. */
const RELAYING =
  /\brelay access denied\b|\brelay not permitted\b|\brelaying (?:denied|to\b.+\b(?:denied|prohibited))|\bunable to relay\b|\brcpthosts\b|\brecipient address rejected: access denied\b|\b5\.7\.64\b/iu;

/** Postfix sends this reply only if the client's address does not exempt the client from logging in. */
const NOT_LOGGED_IN = /\bsender address rejected: not logged in\b/iu;

/**
 * Complaints about the client's address from Postfix, Exim, Sendmail, Exchange and block lists. X.7.25: its reverse
 * name is wrong (RFC 7372 §3.3). X.7.23: the SPF record does not include it (RFC 7372 §3.2).
 */
const CLIENT =
  /\bclient host\b|\bhelo command rejected\b|\binvalid helo\b|\bblocked using\b|\b(?:block|black|deny)-?list|\bRBL\b|\bDNSBL\b|\bspamhaus\b|\bspamcop\b|\bbarracudacentral\b|\breverse (?:dns|name|hostname|lookup)|\bPTR\b|\bfcrdns\b|\bcannot find your (?:reverse )?host ?name\b|\bSPF\b|\byour (?:ip|host)\b|\b[45]\.7\.2[35]\b/iu;

/** Security or policy reasons (RFC 3463 §3.8). */
const POLICY = /\b5\.7\.\d{1,3}\b/u;

const ENCRYPTION = /\b(?:STARTTLS|TLS|SSL|encrypt(?:ed|ion))\b/iu;

/** Authentication, or encryption for the login method, is required (RFC 4954 §6). */
const REQUIRED: readonly number[] = [530, 538];

/** The login command is not available in this session (RFC 5321 §4.2.4, RFC 4954 §4). */
const NOT_OFFERED: readonly number[] = [500, 502, 503, 504];

/**
 * Temporary codes about addresses or systems (X.1, X.3, X.4 and X.5 in RFC 3463 §3), for which a retry does not help.
 * Excludes Postscreen's reply to new clients, because Postscreen accepts their next attempt.
 */
const OF_SYSTEMS = /\b4\.[1345]\.\d{1,3}\b(?! Service currently unavailable)/u;

/** @param reply a negative reply to a command, or in place of the greeting */
export function refusalOf({ stage, code, text }: RefusingReply): Refusal {
  if (REQUIRED.includes(code)) return ENCRYPTION.test(text) ? 'encryption-required' : 'login-required';
  if (stage === 'login') return refusedLogin(code);
  if (CLIENT.test(text)) return 'client';
  if (stage === 'greeting' || stage === 'ehlo') return isTemporary(code) ? 'unavailable' : 'turned-away';
  if (RELAYING.test(text) || NOT_LOGGED_IN.test(text)) return 'relaying';
  return refusedMessage(code, text);
}

function refusedMessage(code: number, text: string): Refusal {
  if (code === 421) return 'unavailable';
  if ((code === 450 || code === 451) && !OF_SYSTEMS.test(text)) return 'greylisted';
  return POLICY.test(text) && !isAboutSender(text) ? 'policy' : 'other';
}

/** 454 is a temporary failure of the authentication system, not a problem with the password (RFC 4954 §6). */
function refusedLogin(code: number): Refusal {
  if (isTemporary(code)) return 'unavailable';
  return NOT_OFFERED.includes(code) ? 'login-not-offered' : 'credentials';
}

/** Postfix or Exchange reject this sender address for the logged-in user. */
function isAboutSender(text: string): boolean {
  return /\bsender address rejected\b|\bnot owned by user\b|\bsend as this sender\b/iu.test(text);
}

/** 4yz (RFC 5321 §4.2.1). */
export function isTemporary(code: number): boolean {
  return code >= 400 && code < 500;
}
