import { isUtf8 } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { isIP, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { EpochMs } from '../../core/clock.ts';
import { peerChain } from '../connect.ts';
import { ProbeError } from '../failure.ts';
import { Wire } from '../wire.ts';

/** Characters that are not allowed in the arguments of MAIL or RCPT, because they could end the command or the path. */
const UNSAFE = /[\p{Cc}\s<>]/u;

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
  readonly #wire: Wire;
  #greeting: string | null = null;
  #step: GreetStep = 'greeting';
  /** Lines of the last reply to EHLO, without reply codes. */
  #offers: readonly string[] = [];
  #isEnvelopeOpen = false;

  constructor({ socket, ...options }: SessionOptions, signal: AbortSignal) {
    this.#options = options;
    this.#wire = new Wire(socket, signal);
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
    const greeting = await readReply(this.#wire);
    this.#greeting = greeting.text;
    if (greeting.code !== 220) throw new SmtpError(greeting);
    const hello = await this.#hello();
    if (!isPositive(hello) && (security === 'starttls' || hello.code === 421)) throw new SmtpError(hello);
    if (!isPositive(hello)) requirePositive(await this.#exchange(`HELO ${this.#ownName()}`));
    if (security !== 'starttls') return;
    // STARTTLS is sent even if the server does not offer it, because FortiAuthenticator also requires TLS.
    this.#step = 'starttls';
    requirePositive(await this.#exchange('STARTTLS'));
    this.#step = 'handshake';
    await this.#wire.encrypt({ ...tls, ...(isIP(host) === 0 ? { servername: host } : { host }) });
    requirePositive(await this.#hello());
  }

  /** Uses PLAIN if the server offers no known mechanism. */
  async login(credentials: Credentials): Promise<void> {
    const offered = new Set(this.#offers.flatMap(mechanismsIn));
    const mechanism = MECHANISMS.find(([name]) => offered.has(name))?.[1] ?? plain;
    requirePositive(await mechanism((line) => this.#exchange(line), credentials));
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
    this.#wire.close();
  }

  async #resetAndQuit(): Promise<void> {
    const lines = this.#isEnvelopeOpen ? ['RSET', 'QUIT'] : ['QUIT'];
    // MAIL and RCPT can be sent in one packet if the server offers PIPELINING (RFC 2920 §3.1).
    const groups = this.offers('PIPELINING') ? [lines] : lines.map((line) => [line]);
    for (const group of groups) {
      this.#wire.write(group.map((line) => `${line}\r\n`).join(''));
      for (const _ of group) await readReply(this.#wire);
    }
  }

  async #hello(): Promise<SmtpReply> {
    this.#step = 'hello';
    const reply = await this.#exchange(`EHLO ${this.#ownName()}`);
    const [, ...lines] = isPositive(reply) ? reply.text.split('\n') : [];
    this.#offers = lines.map((line) => line.slice('250-'.length).trim());
    return reply;
  }

  /** Returns the host name for EHLO, or the address if the host name is not fully qualified (RFC 5321 §4.1.4). */
  #ownName(): string {
    const name = hostname();
    if (DOMAIN.test(name) && isIP(name) === 0) return name;
    const address = this.#wire.localAddress ?? '127.0.0.1';
    return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`;
  }

  async #envelope(verb: 'MAIL FROM' | 'RCPT TO', address: string, parameters = ''): Promise<void> {
    if (UNSAFE.test(address))
      throw new ProbeError('internal', `Cannot send ${verb}: expected an email address, got "${address}"`);
    this.#isEnvelopeOpen = true;
    requirePositive(await this.#exchange(`${verb}:<${address}>${parameters}`));
  }

  async #exchange(line: string): Promise<SmtpReply> {
    this.#wire.write(`${line}\r\n`);
    return readReply(this.#wire);
  }
}

export interface VerifiedIdentity {
  /** Earliest expiry date in the chain, or null before the first handshake. */
  notAfter(): EpochMs | null;
  /** The verified chain in DER format, from the leaf to the root. Empty if the certificate has the wrong name. */
  chain(): readonly Uint8Array[];
  /** Passed to Node as a TLS option, because the certificate chain is available at this point without extra cost. */
  readonly check: NonNullable<ConnectionOptions['checkServerIdentity']>;
}

export function createVerifiedIdentity(): VerifiedIdentity {
  let seen: EpochMs | null = null;
  let chain: readonly Uint8Array[] = [];
  return {
    notAfter: () => seen,
    chain: () => chain,
    check: (host, certificate) => {
      const path = peerChain(certificate);
      // The root comes from this machine's trust store. The Prometheus blackbox exporter also excludes it.
      const sent = path.length === 1 ? path : path.slice(0, -1);
      const earliest = Math.min(...sent.map(({ valid_to: text }) => Date.parse(text)));
      seen = Number.isFinite(earliest) ? earliest : null;
      const misnamed = checkServerIdentity(host, certificate);
      chain = misnamed === undefined ? path.map(({ raw }) => raw) : [];
      return misnamed;
    },
  };
}

interface Credentials {
  readonly user: string;
  readonly pass: string;
}

type Exchange = (line: string) => Promise<SmtpReply>;

type Mechanism = (exchange: Exchange, credentials: Credentials) => Promise<SmtpReply>;

/** PLAIN is defined in RFC 4616. */
const plain: Mechanism = (exchange, { user, pass }) => exchange(`AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`);

/** Authentication mechanisms in order of preference. nodemailer uses the same order. */
const MECHANISMS: readonly (readonly [name: string, Mechanism])[] = [
  ['PLAIN', plain],
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

/** Maximum length of a reply, so that an endless reply cannot exhaust memory. */
const MAX_REPLY_BYTES = 64 * 1024;

/** Beginning of an SMTP reply line that is continued on the next line (RFC 5321 §4.2.1). */
const CONTINUED = /^\d+-/u;

const NON_ASCII = /\P{ASCII}/u;

/** Reads the lines of a reply (RFC 5321 §4.2), with one character per byte. Skips empty lines before it. */
async function readReply(wire: Wire): Promise<SmtpReply> {
  const lines: string[] = [];
  for (let room = MAX_REPLY_BYTES; ; ) {
    const line = await wire.readLine(room);
    room -= line.length + '\r\n'.length;
    if (lines.length === 0 && line.trim() === '') continue;
    lines.push(line);
    if (!CONTINUED.test(line)) return parseReply(lines.join('\n'));
  }
}

/** RFC 5321 does not specify a character set, so text that is not valid UTF-8 keeps one character per byte. */
function decoded(latin1: string): string {
  if (!NON_ASCII.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

export class SmtpError extends ProbeError {
  readonly code: number;

  constructor({ text, code }: SmtpReply) {
    super('rejected', `The server replied "${text}"`);
    this.code = code;
  }
}

interface SmtpReply {
  /** The complete reply, including the codes. Lines are separated by line feeds. */
  readonly text: string;
  readonly code: number;
}

const REPLY_CODE = /^\d{3}(?=[ -]|$)/u;

/**
 * @param latin1 one character per byte, with line feeds between the lines
 * @throws {ProbeError} when the text has no reply code
 */
export function parseReply(latin1: string): SmtpReply {
  const text = decoded(latin1);
  const [code] = REPLY_CODE.exec(text.split('\n', 1)[0] ?? '') ?? [];
  if (code === undefined) throw new ProbeError('protocol', `The server replied "${text}", expected an SMTP reply`);
  return { text, code: Number(code) };
}

/** @throws {SmtpError} when the reply code is not between 200 and 299 */
function requirePositive(reply: SmtpReply): void {
  if (!isPositive(reply)) throw new SmtpError(reply);
}

function isPositive({ code }: SmtpReply): boolean {
  return code >= 200 && code < 300;
}
