import { describe, expect, test } from 'vitest';
import { isRelayRefusal } from '../../../../src/checks/mail/relay-refusal.ts';

describe('isRelayRefusal', () => {
  test.each([
    // Postfix; 454 is its default (defer_unauth_destination).
    '454 4.7.1 <user@example.org>: Relay access denied',
    '554 5.7.1 <user@example.org>: Relay access denied',
    '554 <user@example.org>: Recipient address rejected: Relay access denied',
    '554 5.7.1 <host.example.org[192.0.2.7]>: Client host rejected: Access denied',
    // Of a client that no restriction permits; its access tables say the same of a recipient.
    '554 5.7.1 <user@example.org>: Recipient address rejected: Access denied',
    '553 5.7.1 <fac@example.org>: Sender address rejected: not logged in',
    // Exim with the configuration of Debian.
    '550 relay not permitted',
    // Sendmail, qmail.
    '550 5.7.1 <user@example.org>... Relaying denied',
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    // Exchange and Exchange Online.
    '550 5.7.1 Unable to relay',
    '550 5.7.1 Unable to relay for user@example.org',
    '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain',
    '530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM',
    '550 5.7.64 TenantAttribution; Relay Access Denied SMTP',
  ])('%s', (reply) => {
    expect(isRelayRefusal(reply)).toBe(true);
  });

  test.each([
    '550 5.1.1 <user@example.org>: Recipient address rejected: User unknown in virtual mailbox table',
    '550 Unrouteable address',
    '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    '530 5.7.0 Must issue a STARTTLS command first',
    '450 4.2.0 <user@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/',
    '451 4.7.1 Greylisting in action, please come back later',
    '552 5.2.2 mailbox full',
  ])('not: %s', (reply) => {
    expect(isRelayRefusal(reply)).toBe(false);
  });
});
