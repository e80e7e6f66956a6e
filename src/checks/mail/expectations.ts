import type { MailCause } from './causes.ts';
import type { MailStage } from '../../core/observation.ts';

/** The expected result of one step of a session, and the claim if it was not met. */
export interface Expectation {
  readonly rule: string;
  readonly claim: string;
  readonly expected: string;
  readonly suggests: MailCause;
  readonly kind?: string;
  /** There are other possible explanations. */
  readonly confidence?: 'suspected';
}

export const RESOLVES: Expectation = {
  rule: 'mail-server-resolves',
  claim: 'The name of the mail server has no address.',
  expected: 'an address for the name of the mail server',
  suggests: 'mail-unreachable',
};

export const ANSWERS: Expectation = {
  rule: 'mail-server-answers',
  claim: 'The mail server does not answer.',
  expected: 'a mail server that answers',
  suggests: 'mail-unreachable',
};

/** Used if no reply describes the problem. */
export const GOES_ON: Expectation = {
  rule: 'mail-session-goes-on',
  claim: 'The mail server greeted, then stopped answering.',
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

/** Normal behaviour: the message is accepted when it is sent again. */
export const GREYLISTED = { claim: 'The mail server asks to come back later.', kind: 'later' } as const;

export const REFUSED: Readonly<Record<Exclude<Refusal, 'greylisted' | 'policy' | 'other'>, Expectation>> = {
  relaying: {
    rule: 'mail-relay-permitted',
    claim: 'The mail server does not pass on messages from this address.',
    expected: 'messages from this address are passed on',
    suggests: 'mail-relay-denied',
  },
  client: {
    rule: 'mail-client-accepted',
    claim: 'The mail server refuses the address that asks.',
    expected: 'this address is accepted',
    suggests: 'mail-client-refused',
  },
  'turned-away': {
    rule: 'mail-client-accepted',
    claim: 'The mail server answers, and refuses the session.',
    expected: 'a greeting that begins with 220',
    suggests: 'mail-client-refused',
    kind: 'turned-away',
    confidence: 'suspected',
  },
  'login-required': {
    rule: 'mail-settings-suffice',
    claim: 'The mail server demands a login, and none was made.',
    expected: 'messages are accepted with the settings in "mail"',
    suggests: 'mail-settings-incomplete',
    kind: 'login',
  },
  'encryption-required': {
    rule: 'mail-settings-suffice',
    claim: 'The mail server demands encryption.',
    expected: 'messages are accepted with the settings in "mail"',
    suggests: 'mail-settings-incomplete',
    kind: 'encryption',
  },
  'login-not-offered': {
    rule: 'mail-login-accepted',
    claim: 'The mail server does not offer this login on this connection.',
    expected: 'a login is offered',
    suggests: 'mail-login-rejected',
    kind: 'not-offered',
  },
  credentials: {
    rule: 'mail-login-accepted',
    claim: 'The mail server rejects the user name or the password.',
    expected: 'the user name and password are accepted',
    suggests: 'mail-login-rejected',
  },
  unavailable: {
    rule: 'mail-server-available',
    claim: 'The mail server answers that it is not available for now.',
    expected: 'a mail server that takes messages now',
    suggests: 'mail-unavailable',
  },
};

/**
 * What a rejecting reply is about.
 *
 * - `relaying`: the server does not relay messages for the client's address
 * - `client`: the client's address, regardless of the message: a block list, no reverse name, an access list
 * - `turned-away`: the server accepts no session and gives no reason: because of the client's address, or for everybody
 * - `login-required`, `encryption-required`: the server requires a setting that is not configured, from every address
 * - `login-not-offered`: the server offers no login on this connection
 * - `credentials`: user name or password
 * - `unavailable`: the server cannot serve anybody at the moment
 * - `greylisted`: the same message has to be sent again later
 * - `policy`: an unspecified security policy
 * - `other`: the sender or the recipient
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
  /** The reply, or a message that quotes it. Untrusted. */
  readonly text: string;
}

/** Replies that refuse relaying, from Postfix, Exim, Sendmail, qmail and Exchange. */
const RELAYING =
  /\brelay access denied\b|\brelay not permitted\b|\brelaying (?:denied|to\b.+\b(?:denied|prohibited))|\bunable to relay\b|\brcpthosts\b|\brecipient address rejected: access denied\b|\b5\.7\.64\b/iu;

/** Postfix allows a client that is known by its address to use any sender without a login. */
const NOT_LOGGED_IN = /\bsender address rejected: not logged in\b/iu;

/**
 * Replies about the client's address, from Postfix, Exim, Sendmail, Exchange and block lists. RFC 7372 §3.3: X.7.25 is
 * the reverse name of the client. RFC 7372 §3.2: X.7.23 is an SPF record that does not include the client.
 */
const CLIENT =
  /\bclient host\b|\bhelo command rejected\b|\binvalid helo\b|\bblocked using\b|\b(?:block|black|deny)-?list|\bRBL\b|\bDNSBL\b|\bspamhaus\b|\bspamcop\b|\bbarracudacentral\b|\breverse (?:dns|name|hostname|lookup)|\bPTR\b|\bfcrdns\b|\bcannot find your (?:reverse )?host ?name\b|\bSPF\b|\byour (?:ip|host)\b|\b[45]\.7\.2[35]\b/iu;

/** RFC 3463 §3.8: security or policy. */
const POLICY = /\b5\.7\.\d{1,3}\b/u;

const ENCRYPTION = /\b(?:STARTTLS|TLS|SSL|encrypt(?:ed|ion))\b/iu;

/** RFC 4954 §6: authentication is required; encryption is required for the mechanism. */
const REQUIRED: readonly number[] = [530, 538];

/** RFC 5321 §4.2.4, RFC 4954 §4: the command is unknown, out of sequence, or not available with this mechanism. */
const NOT_OFFERED: readonly number[] = [500, 502, 503, 504];

/**
 * RFC 3463 §3: X.1, X.3, X.4 and X.5 are about addresses and systems, so waiting does not help. Postscreen uses one of
 * them for its test of new clients, but accepts the message when they come back.
 */
const OF_SYSTEMS = /\b4\.[1345]\.\d{1,3}\b(?! Service currently unavailable)/u;

/**
 * Classifies a rejecting reply.
 * @param reply negative reply to a command, or instead of a greeting
 */
export function refusalOf({ stage, code, text }: RefusingReply): Refusal {
  if (REQUIRED.includes(code)) return ENCRYPTION.test(text) ? 'encryption-required' : 'login-required';
  if (stage === 'login') return refusedLogin(code);
  if (CLIENT.test(text)) return 'client';
  if (stage === 'greeting' || stage === 'ehlo') return isTemporary(code) ? 'unavailable' : 'turned-away';
  if (RELAYING.test(text) || NOT_LOGGED_IN.test(text)) return 'relaying';
  return refusedMessage(code, text);
}

/** Classifies a rejection of the sender, a recipient or the message itself. */
function refusedMessage(code: number, text: string): Refusal {
  if (code === 421) return 'unavailable';
  if ((code === 450 || code === 451) && !OF_SYSTEMS.test(text)) return 'greylisted';
  return POLICY.test(text) && !isAboutSender(text) ? 'policy' : 'other';
}

/**
 * Classifies a rejected login. RFC 4954 §6: 454 is a temporary failure of the authentication system, not a problem with
 * the password.
 */
function refusedLogin(code: number): Refusal {
  if (isTemporary(code)) return 'unavailable';
  return NOT_OFFERED.includes(code) ? 'login-not-offered' : 'credentials';
}

/** Reports whether the logged-in user is not allowed to use this sender, in the words of Postfix and Exchange. */
function isAboutSender(text: string): boolean {
  return /\bsender address rejected\b|\bnot owned by user\b|\bsend as this sender\b/iu.test(text);
}

/** Reports whether a reply is temporary. RFC 5321 §4.2.1: 4yz. */
export function isTemporary(code: number): boolean {
  return code >= 400 && code < 500;
}
