import type { MailCause } from './causes.ts';
import type { Refusal } from './refusal.ts';

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
