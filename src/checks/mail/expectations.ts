import type { MailCause } from './causes.ts';
import type { MailStage } from '../../core/observation.ts';

/** What one step of a session should have been, and what is said when it was not. */
export interface Expectation {
  readonly rule: string;
  readonly claim: string;
  readonly expected: string;
  readonly suggests: MailCause;
  readonly kind?: string;
  /** Other explanations of what was seen are left. */
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

/** Where no reply says what is wrong. */
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

/** Its message is taken when it is sent again: everyday life. */
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
 * What a reply that refuses is about.
 *
 * - `relaying`: it does not pass messages on for the address that asks
 * - `client`: the address that asks, whatever it sends: a block list, no reverse name, an access list
 * - `turned-away`: it takes no session and does not say why: the address that asks, or everybody
 * - `login-required`, `encryption-required`: it wants what is not configured, from every address
 * - `login-not-offered`: it has no login on this connection
 * - `credentials`: user name or password
 * - `unavailable`: it cannot serve anybody for now
 * - `greylisted`: the message is to be sent again later, as it is
 * - `policy`: a security policy that it does not explain
 * - `other`: the sender or the recipient
 */
export type Refusal =
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
  /** The reply, or a message that quotes it. Hostile. */
  readonly text: string;
}

/** Refusing to pass a message on, in the words of Postfix, Exim, Sendmail, qmail and Exchange. */
const RELAYING =
  /\brelay access denied\b|\brelay not permitted\b|\brelaying (?:denied|to\b.+\b(?:denied|prohibited))|\bunable to relay\b|\brcpthosts\b|\brecipient address rejected: access denied\b|\b5\.7\.64\b/iu;

/** Postfix lets a client that is known by its address send as anybody, without a login. */
const NOT_LOGGED_IN = /\bsender address rejected: not logged in\b/iu;

/**
 * The address of the client, in the words of Postfix, Exim, Sendmail, Exchange and block lists. RFC 7372 §3.3: X.7.25
 * is the reverse name of the client; RFC 7372 §3.2: X.7.23 is an SPF record that leaves the client out.
 */
const CLIENT =
  /\bclient host\b|\bhelo command rejected\b|\binvalid helo\b|\bblocked using\b|\b(?:block|black|deny)-?list|\bRBL\b|\bDNSBL\b|\bspamhaus\b|\bspamcop\b|\bbarracudacentral\b|\breverse (?:dns|name|hostname|lookup)|\bPTR\b|\bfcrdns\b|\bcannot find your (?:reverse )?host ?name\b|\bSPF\b|\byour (?:ip|host)\b|\b[45]\.7\.2[35]\b/iu;

/** RFC 3463 §3.8: security or policy. */
const POLICY = /\b5\.7\.\d{1,3}\b/u;

const ENCRYPTION = /\b(?:STARTTLS|TLS|SSL|encrypt(?:ed|ion))\b/iu;

/** RFC 4954 §6: authentication is required; encryption is required for the mechanism. */
const REQUIRED: readonly number[] = [530, 538];

/** RFC 5321 §4.2.4, RFC 4954 §4: the command is not known, not in this order, or not with this mechanism. */
const NOT_OFFERED: readonly number[] = [500, 502, 503, 504];

/**
 * RFC 3463 §3: X.1, X.3, X.4 and X.5 are about addresses and systems, which no delay repairs. Postscreen's test of new
 * clients says that of its system, and takes the message when they come back.
 */
const OF_SYSTEMS = /\b4\.[1345]\.\d{1,3}\b(?! Service currently unavailable)/u;

/** @param reply to a command, or in place of a greeting, that is not positive */
export function refusalOf({ stage, code, text }: RefusingReply): Refusal {
  if (REQUIRED.includes(code)) return ENCRYPTION.test(text) ? 'encryption-required' : 'login-required';
  if (stage === 'login') return refusedLogin(code);
  if (CLIENT.test(text)) return 'client';
  if (stage === 'greeting' || stage === 'ehlo') return isTemporary(code) ? 'unavailable' : 'turned-away';
  if (RELAYING.test(text) || NOT_LOGGED_IN.test(text)) return 'relaying';
  return refusedMessage(code, text);
}

/** Of the sender, a recipient or the message itself. */
function refusedMessage(code: number, text: string): Refusal {
  if (code === 421) return 'unavailable';
  if ((code === 450 || code === 451) && !OF_SYSTEMS.test(text)) return 'greylisted';
  return POLICY.test(text) && !isAboutSender(text) ? 'policy' : 'other';
}

/** RFC 4954 §6: 454 is a temporary failure of whatever is asked for the password, no matter of the password. */
function refusedLogin(code: number): Refusal {
  if (isTemporary(code)) return 'unavailable';
  return NOT_OFFERED.includes(code) ? 'login-not-offered' : 'credentials';
}

/** Postfix and Exchange: the user who has logged in may not send as this sender. */
function isAboutSender(text: string): boolean {
  return /\bsender address rejected\b|\bnot owned by user\b|\bsend as this sender\b/iu.test(text);
}

/** RFC 5321 §4.2.1: 4yz. */
export function isTemporary(code: number): boolean {
  return code >= 400 && code < 500;
}
