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

type Exchange = (line: string) => Promise<SmtpReply>;

type Mechanism = (exchange: Exchange, credentials: Credentials) => Promise<SmtpReply>;

/** Authentication mechanisms in order of preference. nodemailer uses the same order. */
const MECHANISMS: readonly (readonly [name: string, Mechanism])[] = [
  // PLAIN is defined in RFC 4616.
  ['PLAIN', (exchange, { user, pass }) => exchange(`AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`)],
  // LOGIN is not defined in an RFC. The server's prompts are ignored, because their wording differs between servers.
  [
    'LOGIN',
    async (exchange, { user, pass }) => {
      await requireContinue(exchange('AUTH LOGIN'));
      await requireContinue(exchange(base64(user)));
      return exchange(base64(pass));
    },
  ],
  // CRAM-MD5 is defined in RFC 2195.
  [
    'CRAM-MD5',
    async (exchange, { user, pass }) => {
      const { text } = await requireContinue(exchange('AUTH CRAM-MD5'));
      const challenge = Buffer.from(text.slice('334 '.length), 'base64');
      return exchange(base64(`${user} ${createHmac('md5', pass).update(challenge).digest('hex')}`));
    },
  ],
];

/**
 * @param offers lines of the reply to EHLO, without their codes
 * @throws {SmtpError} when the server rejects the credentials
 */
async function logIn(exchange: Exchange, offers: readonly string[], credentials: Credentials): Promise<void> {
  const offered = new Set(offers.flatMap(mechanismsIn));
  const [, mechanism] = MECHANISMS.find(([name]) => offered.has(name)) ?? MECHANISMS[0] ?? [];
  if (mechanism !== undefined) requirePositive(await mechanism(exchange, credentials));
}

/** Returns the mechanisms in a line such as `AUTH PLAIN LOGIN` (RFC 4954 §3) or, from older servers, `AUTH=LOGIN`. */
function mechanismsIn(offer: string): readonly string[] {
  const [keyword, ...names] = offer.toUpperCase().split(/[\s=]+/u);
  return keyword === 'AUTH' ? names : [];
}

async function requireContinue(replied: Promise<SmtpReply>): Promise<SmtpReply> {
  const reply = await replied;
  if (reply.code !== 334) throw new SmtpError(reply);
  return reply;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** Characters that are not allowed in the arguments of MAIL or RCPT, because they could end the command or the path. */
const UNSAFE = /[\p{Cc}\s<>]/u;
const NON_ASCII = /\P{ASCII}/u;

/** A domain name with at least two labels (RFC 5321 §4.1.2). */
const DOMAIN = /^[\w-]+(?:\.[\w-]+)+$/u;

interface SessionOptions {
  readonly socket: Socket;
  readonly host: string;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly tls: ConnectionOptions;
}

type GreetStep = 'greeting' | 'hello' | 'starttls' | 'handshake';

/**
 * An SMTP session that cannot send a message, because it has no method for DATA. Every step throws an `SmtpError` for a
 * negative reply, the error that ended the connection, or the signal's reason.
 */
export class MailSession {
  readonly #options: Omit<SessionOptions, 'socket'>;
  readonly #dialogue: Dialogue;
  #greeting: string | null = null;
  #step: GreetStep = 'greeting';
  /** Lines of the last reply to EHLO, without reply codes. */
  #offers: readonly string[] = [];
  #isEnvelopeOpen = false;

  constructor({ socket, ...options }: SessionOptions, signal: AbortSignal) {
    this.#options = options;
    this.#dialogue = new Dialogue(socket, signal);
  }

  get greeting(): string | null {
    return this.#greeting;
  }

  get step(): GreetStep {
    return this.#step;
  }

  /** The keyword must be in upper case. */
  offers(keyword: string): boolean {
    return this.#offers.some((offer) => offer.split(/\s/u, 1)[0]?.toUpperCase() === keyword);
  }

  /** Reads the greeting, then sends EHLO and STARTTLS. If the server rejects EHLO, sends HELO, as mail clients do. */
  async greet(): Promise<void> {
    const { host, security, tls } = this.#options;
    this.#greeting = await this.#dialogue.reply();
    const greeting = parseReply(this.#greeting);
    if (greeting.code !== 220) throw new SmtpError(greeting);
    const hello = await this.#hello();
    if (!isPositive(hello) && (security === 'starttls' || hello.code === 421)) throw new SmtpError(hello);
    if (!isPositive(hello)) requirePositive(await this.#exchange(`HELO ${this.#ownName()}`));
    if (security !== 'starttls') return;
    // STARTTLS is sent even if the server does not offer it, because FortiAuthenticator also requires TLS.
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

  /** Sends RSET if a transaction was started, then QUIT. Waits for the replies until the signal is aborted. */
  async leave(signal: AbortSignal): Promise<void> {
    const close = (): void => this.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await this.#resetAndQuit();
    } catch {
      // Errors after QUIT are ignored, because the observation is complete.
    } finally {
      signal.removeEventListener('abort', close);
    }
  }

  close(): void {
    this.#dialogue.close();
  }

  async #resetAndQuit(): Promise<void> {
    const lines = this.#isEnvelopeOpen ? ['RSET', 'QUIT'] : ['QUIT'];
    // MAIL and RCPT can be sent in one packet if the server offers PIPELINING (RFC 2920 §3.1).
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

  /** Returns the host name for EHLO, or the address if the host name is not a full domain name (RFC 5321 §4.1.4). */
  #ownName(): string {
    const name = hostname();
    if (DOMAIN.test(name) && isIP(name) === 0) return name;
    const address = this.#dialogue.localAddress() ?? '127.0.0.1';
    return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`;
  }

  async #envelope(verb: 'MAIL FROM' | 'RCPT TO', address: string, parameters = ''): Promise<void> {
    if (UNSAFE.test(address))
      throw new ProbeError('internal', `Cannot send ${verb}: expected a mail address, got "${address}"`);
    this.#isEnvelopeOpen = true;
    requirePositive(await this.#exchange(`${verb}:<${address}>${parameters}`));
  }

  async #exchange(line: string): Promise<SmtpReply> {
    this.#dialogue.say(line);
    return parseReply(await this.#dialogue.reply());
  }
}

export interface VerifiedIdentity {
  /** Earliest expiry date in the chain; null before the first handshake. */
  notAfter(): EpochMs | null;
  /** Passed to Node as a TLS option, because the certificate chain is available at this point without extra cost. */
  readonly check: NonNullable<ConnectionOptions['checkServerIdentity']>;
}

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

/**
 * Excludes the self-signed root, because it comes from this machine's trust store. The Prometheus blackbox exporter
 * also excludes it.
 */
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
