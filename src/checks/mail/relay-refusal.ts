/** Refusing to pass a message on, in the words of Postfix, Exim, Sendmail, qmail and Exchange. */
const RELAY =
  /\brelay access denied\b|\brelay not permitted\b|\brelaying (?:denied|to\b.+\b(?:denied|prohibited))|\bunable to relay\b|\brcpthosts\b|\b(?:client was )?not authenticated to send\b/iu;

/** RFC 3463 §3.8: security or policy, for good. A temporary one is greylisting as often as not. */
const POLICY = /\b5\.7\.\d{1,3}\b/u;

/** TLS that is asked for is a setting, and the same for every client. */
const NOT_OF_THE_CLIENT = /\bSTARTTLS\b/iu;

/** Whether a reply to MAIL or RCPT refuses the client that asks: another address may well be let through. */
export function isRelayRefusal(reply: string): boolean {
  return RELAY.test(reply) || (POLICY.test(reply) && !NOT_OF_THE_CLIENT.test(reply));
}
