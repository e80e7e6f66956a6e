import { isIP, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import {
  type ConnectionOptions,
  checkServerIdentity,
  type DetailedPeerCertificate,
  type PeerCertificate,
} from 'node:tls';
import { createHmac } from 'node:crypto';
import { ProbeError } from '../failure.ts';
import { Dialogue, isPositive, parseReply, requirePositive, SmtpError, type SmtpReply } from './dialogue.ts';
import type { EpochMs } from '../../core/clock.ts';

interface Credentials {
  readonly user: string;
  readonly pass: string;
}

/** Says one line and waits for the reply. */
type Exchange = (line: string) => Promise<SmtpReply>;

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
async function logIn(exchange: Exchange, offers: readonly string[], credentials: Credentials): Promise<void> {
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

/** No argument of MAIL or RCPT may end the command or its path. */
const UNSAFE = /[\p{Cc}\s<>]/u;
const NON_ASCII = /\P{ASCII}/u;

/** RFC 5321 §4.1.2: a domain of more than one label. */
const DOMAIN = /^[\w-]+(?:\.[\w-]+)+$/u;

interface SessionOptions {
  /** Already connected; with security `tls`, already encrypted. */
  readonly socket: Socket;
  readonly host: string;
  readonly security: 'starttls' | 'tls' | 'none';
  /** For STARTTLS. */
  readonly tls: ConnectionOptions;
}

/** How far `greet` has come: what is waited for. */
type GreetStep = 'greeting' | 'hello' | 'starttls' | 'handshake';

/**
 * One SMTP session that cannot send a message: it has no way to say DATA. Every step throws an `SmtpError` for a reply
 * that refuses, what ended the connection, or the signal's reason.
 */
export class MailSession {
  readonly #options: Omit<SessionOptions, 'socket'>;
  readonly #dialogue: Dialogue;
  #greeting: string | null = null;
  #step: GreetStep = 'greeting';
  /** Lines of the last reply to EHLO, without their codes. */
  #offers: readonly string[] = [];
  #isEnvelopeOpen = false;

  constructor({ socket, ...options }: SessionOptions, signal: AbortSignal) {
    this.#options = options;
    this.#dialogue = new Dialogue(socket, signal);
  }

  /** First reply of the server; null before it was complete. */
  get greeting(): string | null {
    return this.#greeting;
  }

  get step(): GreetStep {
    return this.#step;
  }

  /** Whether the server offers an extension, by its keyword in capitals. */
  offers(keyword: string): boolean {
    return this.#offers.some((offer) => offer.split(/\s/u, 1)[0]?.toUpperCase() === keyword);
  }

  /** Greeting, EHLO and STARTTLS. HELO where a server does not know EHLO, as mail clients do. */
  async greet(): Promise<void> {
    const { host, security, tls } = this.#options;
    this.#greeting = await this.#dialogue.reply();
    const greeting = parseReply(this.#greeting);
    if (greeting.code !== 220) throw new SmtpError(greeting);
    const hello = await this.#hello();
    if (!isPositive(hello) && (security === 'starttls' || hello.code === 421)) throw new SmtpError(hello);
    if (!isPositive(hello)) requirePositive(await this.#exchange(`HELO ${this.#ownName()}`));
    if (security !== 'starttls') return;
    // Said even where it is not offered: FortiAuthenticator does not go on without it either.
    this.#step = 'starttls';
    requirePositive(await this.#exchange('STARTTLS'));
    this.#step = 'handshake';
    await this.#dialogue.encrypt({ ...tls, ...(isIP(host) === 0 ? { servername: host } : { host }) });
    requirePositive(await this.#hello());
  }

  async login(credentials: Credentials): Promise<void> {
    await logIn((line) => this.#exchange(line), this.#offers, credentials);
  }

  async mailFrom(address: string): Promise<void> {
    const utf8 = NON_ASCII.test(address) && this.offers('SMTPUTF8') ? ' SMTPUTF8' : '';
    await this.#envelope('MAIL FROM', address, utf8);
  }

  async rcptTo(address: string): Promise<void> {
    await this.#envelope('RCPT TO', address);
  }

  /** RSET where an envelope is open, and QUIT; a server that is slow to answer is not waited for beyond the signal. */
  async leave(signal: AbortSignal): Promise<void> {
    const close = (): void => this.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await this.#resetAndQuit();
    } catch {
      // The observation is complete; how the server takes leave changes nothing.
    } finally {
      signal.removeEventListener('abort', close);
    }
  }

  close(): void {
    this.#dialogue.close();
  }

  async #resetAndQuit(): Promise<void> {
    const lines = this.#isEnvelopeOpen ? ['RSET', 'QUIT'] : ['QUIT'];
    // RFC 2920 §3.1: these may go in one packet where the server has said so.
    const groups = this.offers('PIPELINING') ? [lines] : lines.map((line) => [line]);
    for (const group of groups) {
      this.#dialogue.say(...group);
      for (const _ of group) await this.#dialogue.reply();
    }
  }

  async #hello(): Promise<SmtpReply> {
    this.#step = 'hello';
    const reply = await this.#exchange(`EHLO ${this.#ownName()}`);
    const [, ...lines] = isPositive(reply) ? reply.text.split('\n') : [];
    this.#offers = lines.map((line) => line.slice('250-'.length).trim());
    return reply;
  }

  /** RFC 5321 §4.1.4: the address where this machine has no name beyond its own network. */
  #ownName(): string {
    const name = hostname();
    if (DOMAIN.test(name) && isIP(name) === 0) return name;
    const address = this.#dialogue.localAddress() ?? '127.0.0.1';
    return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`;
  }

  async #envelope(verb: 'MAIL FROM' | 'RCPT TO', address: string, parameters = ''): Promise<void> {
    if (UNSAFE.test(address))
      throw new ProbeError('internal', `Cannot say ${verb}: expected a mail address, got "${address}"`);
    this.#isEnvelopeOpen = true;
    requirePositive(await this.#exchange(`${verb}:<${address}>${parameters}`));
  }

  async #exchange(line: string): Promise<SmtpReply> {
    this.#dialogue.say(line);
    return parseReply(await this.#dialogue.reply());
  }
}

/** What a handshake showed whose chain was verified. */
export interface VerifiedIdentity {
  /** null: no handshake came so far. */
  notAfter(): EpochMs | null;
  /** To be given to Node: its own check of the name, which looks at the chain in passing, for nothing. */
  readonly check: NonNullable<ConnectionOptions['checkServerIdentity']>;
}

/** A chain is longer than this only to be a burden. */
const MAX_CHAIN = 10;

export function createVerifiedIdentity(): VerifiedIdentity {
  let seen: EpochMs | null = null;
  return {
    notAfter: () => seen,
    check: (host, certificate) => {
      const ends = chainOf(certificate).map(({ valid_to: text }) => Date.parse(text));
      const earliest = Math.min(...ends);
      seen = Number.isFinite(earliest) ? earliest : null;
      return checkServerIdentity(host, certificate);
    },
  };
}

/** Without the root, which names itself as its issuer: it is this machine's, and the blackbox exporter sees none. */
function chainOf(leaf: PeerCertificate): readonly PeerCertificate[] {
  const chain = [leaf];
  let { issuerCertificate: issuer }: Partial<DetailedPeerCertificate> = leaf;
  while (issuer !== undefined && chain.length < MAX_CHAIN) {
    const { issuerCertificate: above } = issuer;
    if (above === undefined || above.fingerprint256 === issuer.fingerprint256) break;
    chain.push(issuer);
    issuer = above;
  }
  return chain;
}
