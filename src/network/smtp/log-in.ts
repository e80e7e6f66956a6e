import { createHmac } from 'node:crypto';
import { type SmtpReply, requirePositive, SmtpError } from './reply.ts';

export interface Credentials {
  readonly user: string;
  readonly pass: string;
}

/** Says one line and waits for the reply. */
export type Exchange = (line: string) => Promise<SmtpReply>;

type Mechanism = (exchange: Exchange, credentials: Credentials) => Promise<SmtpReply>;

/** In the order in which they are preferred, which is nodemailer's. */
const MECHANISMS: readonly (readonly [name: string, Mechanism])[] = [
  // RFC 4616.
  ['PLAIN', (exchange, { user, pass }) => exchange(`AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`)],
  // Without an RFC; what the server asks for is not looked at, as some servers ask in words of their own.
  [
    'LOGIN',
    async (exchange, { user, pass }) => {
      await goOn(exchange('AUTH LOGIN'));
      await goOn(exchange(base64(user)));
      return exchange(base64(pass));
    },
  ],
  // RFC 2195.
  [
    'CRAM-MD5',
    async (exchange, { user, pass }) => {
      const { text } = await goOn(exchange('AUTH CRAM-MD5'));
      const challenge = Buffer.from(text.slice('334 '.length), 'base64');
      return exchange(base64(`${user} ${createHmac('md5', pass).update(challenge).digest('hex')}`));
    },
  ],
];

/**
 * Logs in by the first mechanism that the server offers; with PLAIN where it offers none of them.
 * @param offers lines of the reply to EHLO, without their codes
 * @throws {SmtpError} when the server does not take them
 */
export async function logIn(exchange: Exchange, offers: readonly string[], credentials: Credentials): Promise<void> {
  const offered = new Set(offers.flatMap(mechanismsIn));
  const [, mechanism] = MECHANISMS.find(([name]) => offered.has(name)) ?? MECHANISMS[0] ?? [];
  if (mechanism !== undefined) requirePositive(await mechanism(exchange, credentials));
}

/** `AUTH PLAIN LOGIN` (RFC 4954 §3), and `AUTH=LOGIN` of older servers. */
function mechanismsIn(offer: string): readonly string[] {
  const [keyword, ...names] = offer.toUpperCase().split(/[\s=]+/u);
  return keyword === 'AUTH' ? names : [];
}

/** @throws {SmtpError} when the server does not ask for more */
async function goOn(replied: Promise<SmtpReply>): Promise<SmtpReply> {
  const reply = await replied;
  if (reply.code !== 334) throw new SmtpError(reply);
  return reply;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
